"""The confirmed record becomes a case of the chosen institution's doctor."""

from backend.consultation.rules import Urgency
from backend.errors import DomainError
from backend.people.views import InstitutionView
from bot.dialogue import Turn
from bot.flows.intake_questions import RATHER_NOT
from bot.flows.intake_state import Intake
from bot.flows.record import record_of
from bot.messages import Choice, Menu
from nlu.triage import assess_urgency, suggest_department
from nlu.types import Relation

_LEVELS = {1: Urgency.CRITICAL, 2: Urgency.URGENT, 3: Urgency.SEMI_URGENT, 4: Urgency.ROUTINE}
"""The urgency of each triage level of 《急诊预检分诊专家共识》(2018)."""


async def hand_over(turn: Turn, institution: InstitutionView, department: str | None = None) -> None:
    """Open the case at `institution` with everything that the intake has gathered, and end the conversation's flow.

    `department` is the code that the patient chose; otherwise the likeliest one.

    Raises:
        DomainError: the case cannot be opened there; the conversation stands where it stood.
    """
    intake = Intake.of(turn)
    if intake is None:
        return
    consultations, person_id = turn.services.consultations, turn.actor.person_id
    urgency = assess_urgency(intake.facts, intake.flags)
    await _keep_profile(turn, intake)
    opened = await consultations.open(
        turn.actor,
        patient_id=person_id,
        institution_id=institution.id,
        record=record_of(intake).to_json(),
        facts=intake.facts.to_json(),
        department_code=department or suggest_department(intake.facts)[0].code,
        urgency=_LEVELS[urgency.level],
        urgency_reason="；".join(urgency.reasons),
        red_flags=[flag.to_json() for flag in intake.flags],
    )
    lost = 0
    for file_id in intake.pictures:
        try:
            await consultations.attach(turn.actor, opened.id, file_id)
        except DomainError:
            lost += 1  # the case itself is open and must not be opened again
    turn.leave()
    words = _words(institution.name, urgency.level)
    if lost:
        words += f"\n有{lost}张照片没有传上，请再发一次。"
    turn.say(Menu(words, (Choice(f"patient.case:{opened.id}", "看进展"),)))


async def _keep_profile(turn: Turn, intake: Intake) -> None:
    """Keep the name and sex that the writer has told of themselves, so that nobody asks again."""
    if intake.facts.relation is not Relation.SELF:
        return
    name = None if intake.name in ("", RATHER_NOT) else intake.name
    sex = intake.facts.sex.value if intake.facts.sex else None
    if name or sex:
        await turn.services.people.update_person(turn.actor, turn.actor.person_id, name=name, sex=sex)


def _words(institution: str, level: int) -> str:
    if level == 1:
        return (
            f"已经按“危急”交给{institution}的医生，会马上通知他。\n"
            "别光等消息：还没打120的，请现在就打，或者马上去最近的医院急诊。"
        )
    soon = "会请医生尽快看" if level == 2 else "医生看过以后，会在这里回您"
    return f"已经交给{institution}的医生，{soon}。\n您可以放下手机歇一歇，有消息我马上告诉您。要是突然加重，请打120。"
