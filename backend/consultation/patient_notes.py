"""What a patient tells after the case was handed over: it goes into the record that the doctors read."""

from backend.clock import local
from backend.consultation.reading import Reading
from backend.consultation.rules import Step, require_text
from backend.security.policy import Action, Actor

LONGEST_NOTE = 5000
_LONGEST_HISTORY = 30_000
_SECTION = "present_illness"
_HEAD = "患者补充（"


class PatientNotes(Reading):
    """Words of the patient for a case that is under way."""

    async def add_patient_note(self, actor: Actor, consultation_id: str, text: str) -> None:
        """Add what the patient tells to the history of the present illness, with the time; nothing there is changed.

        The doctor hears of it through the event `patient_note.added`.

        Args:
            text: at most 5 000 characters, as long as a text in WeChat.

        Raises:
            IllegalMove: the case has ended. InvalidInput: nothing told, or too much, also together with what is there.
        """
        said = require_text(text, "补充的内容", longest=LONGEST_NOTE)
        async with self._database.transaction() as session:
            case = await self._begin(
                session, actor, consultation_id, Action.CONSULTATION_ADD_PATIENT_NOTE, Step.ADD_PATIENT_NOTE
            )
            clinical = await self._clinical(session, case)
            told = f"{_HEAD}{local(self._clock.now()):%m-%d %H:%M}）：{said}"
            history = "\n".join(part for part in (str(clinical.record.get(_SECTION, "")), told) if part)
            history = require_text(history, "补充的内容（连同以前说的）", longest=_LONGEST_HISTORY)
            clinical.record = {**clinical.record, _SECTION: history}
            await self._note(session, actor, case, "patient_note", "患者补充了病情")
            await self._publish(session, case, "patient_note.added", actor_id=actor.person_id)


def latest_patient_note(record: dict[str, object]) -> str:
    """Give the newest words that were added to `record`; empty where there are none."""
    _, head, told = str(record.get(_SECTION, "")).rpartition(_HEAD)
    return f"{head}{told}" if head else ""
