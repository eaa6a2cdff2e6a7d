"""What a patient adds to an open case reaches those who treat."""

from backend.consultation.patient_notes import latest_patient_note
from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.messages import Choice, Menu
from bot.notifications.notifier import Notifier
from bot.wording import clip

_LONGEST_SHOWN = 300


async def patient_note_added(notifier: Notifier) -> None:
    """Doctor and expert read what is new, with the way to the whole case."""
    view = await notifier.case()
    told = clip(latest_patient_note(view.record), _LONGEST_SHOWN)
    for practitioner_id, verb in ((view.doctor_id, "doctor.open"), (view.expert_id, "expert.case")):
        card = Menu(
            f"{case_line(view)}\n{told}",
            (Choice(f"{verb}:{view.id}", "打开"),),
            notice=notice("task", "患者补充了病情", view, notifier.now),
        )
        await notifier.tell_practitioner(practitioner_id, card)


HANDLERS = {"patient_note.added": patient_note_added}
