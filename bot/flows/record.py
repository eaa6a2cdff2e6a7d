"""The outpatient record of an intake: what `nlu` makes of the facts, with what the patient has put in other words."""

from bot.flows.intake_questions import RATHER_NOT
from bot.flows.intake_state import Intake
from nlu.conclusions import OutpatientRecord
from nlu.interview import unanswered
from nlu.summary import UNKNOWN, record_term, summarise

SECTIONS = {
    "chief_complaint": "主诉",
    "present_illness": "现病史",
    "past_history": "既往史",
    "allergy_history": "过敏史",
    "medication": "用药",
    "personal": "一般情况",
}
"""The sections that a patient may change, with the names they have in a record."""

_LONGEST_QUOTATION = 300


def record_of(intake: Intake) -> OutpatientRecord:
    """Give the record as it stands now."""
    record = summarise(intake.facts)
    sections = {
        "personal": _personal(record, intake),
        "chief_complaint": record.chief_complaint,
        "present_illness": record.present_illness + _left_open(intake),
        **intake.edits,
    }
    if intake.unread:  # what was not understood is not lost: the doctor reads the words themselves
        quotation = "；".join(intake.unread)[:_LONGEST_QUOTATION]
        if sections["chief_complaint"] == UNKNOWN:
            sections["chief_complaint"] = f"“{quotation}”"
        else:
            sections["present_illness"] += f"自述：“{quotation}”。"
    return record.model_copy(update=sections)


def _left_open(intake: Intake) -> str:
    """The danger signs that the patient was asked for without an answer: a doctor has to ask them again."""
    names = [record_term(name) for name in unanswered(intake.facts, intake.asked)]
    return f"未回答：{'、'.join(names)}。" if names else ""


def _personal(record: OutpatientRecord, intake: Intake) -> str:
    if intake.name in ("", RATHER_NOT):
        return record.personal
    return intake.name if record.personal == UNKNOWN else f"{intake.name}，{record.personal}"
