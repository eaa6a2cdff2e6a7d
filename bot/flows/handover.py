"""The confirmed record becomes a case of the chosen institution's doctor."""

from backend.consultation.rules import Urgency
from backend.errors import DomainError
from backend.people.rules import birth_date_of_age
from backend.people.views import InstitutionView
from bot.dialogue import Turn
from bot.flows.intake_questions import RATHER_NOT, RELATION_CODES
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
    consultations = turn.services.consultations
    urgency = assess_urgency(intake.facts, intake.flags)
    patient_id = await _patient(turn, intake)
    actor = await turn.services.people.actor(turn.actor.person_id)  # for whom they speak may have changed just now
    opened = await consultations.open(
        actor,
        patient_id=patient_id,
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
            await consultations.attach(actor, opened.id, file_id)
        except DomainError:
            lost += 1  # the case itself is open and must not be opened again
    turn.leave()
    words = _words(institution.name, urgency.level)
    if lost:
        words += f"\n有{lost}张照片没有传上，请再发一次。"
    turn.say(Menu(words, (Choice(f"patient.case:{opened.id}", "看进展"),)))


async def _patient(turn: Turn, intake: Intake) -> str:
    """Give the id of the patient: the writer, a relative who is known, or one who is from now on. What the writer has
    told of themselves is kept, so that nobody asks again."""
    people, facts = turn.services.people, intake.facts
    name = "" if intake.name == RATHER_NOT else intake.name
    sex = facts.sex.value if facts.sex else None
    today = turn.services.clock.today().date()
    born = None if facts.age_months is None else birth_date_of_age(facts.age_months, today)
    if facts.relation in (None, Relation.SELF):
        own_id = turn.actor.person_id
        known = await people.person(turn.actor, own_id)
        born = None if known.birth_date else born  # an age told in years is less than a date that is known
        sex = None if known.identified else sex  # nor does a word in passing change what an identity card says
        if facts.relation is not None and (name or sex or born):
            await people.update_person(turn.actor, own_id, name=name or None, sex=sex, birth_date=born)
        return own_id
    if intake.relative_id:
        return intake.relative_id
    relation = RELATION_CODES[facts.relation]
    return await people.add_relative(turn.actor, relation=relation, name=name, sex=sex, birth_date=born)


def _words(institution: str, level: int) -> str:
    if level == 1:
        return (
            f"已经按“危急”交给{institution}的医生，会马上通知他。\n"
            "别光等消息：还没打120的，请现在就打，或者马上去最近的医院急诊。"
        )
    soon = "会请医生尽快看" if level == 2 else "医生看过以后，会在这里回您"
    return f"已经交给{institution}的医生，{soon}。\n您可以放下手机歇一歇，有消息我马上告诉您。要是突然加重，请打120。"
