"""It is time to take medicines."""

from datetime import timedelta

from backend.dispensing.reminders_rules import WORTH_SAYING, DoseState
from backend.security.policy import SYSTEM
from bot.cards.medicines import dose_card
from bot.messages import about
from bot.notifications.notifier import Notifier

_AGAIN_WORTH_SAYING = timedelta(hours=1)


async def due(notifier: Notifier) -> None:
    """The patient, or whoever speaks for them, gets one message with everything of the moment; none that comes late."""
    dose = await notifier.services.reminders.dose(SYSTEM, notifier.payload["dose_id"])
    if dose.state is not DoseState.ASKED or not dose.lines:
        return
    again = notifier.payload["put_off"] > 0
    until = notifier.event.occurred_at + _AGAIN_WORTH_SAYING if again else dose.due_at + WORTH_SAYING
    card = dose_card(dose, notifier.now, again=again)
    people = notifier.services.people
    name = (await people.names([dose.patient_id])).get(dose.patient_id) or "您的家人"
    for speaker in await people.speakers(dose.patient_id):
        message = card if speaker == dose.patient_id else about(name, card)
        await notifier.tell(speaker, message, expires_at=until)


HANDLERS = {"medicine.due": due}
