"""Which question to ask next."""

from data.questions import QuestionRule, questions
from nlu.conditions import evidence
from nlu.facts import CaseFacts
from nlu.types import Expects, Question, Relation, Slot, Status

MAX_QUESTIONS = 8
"""Questions of one interview, the opening one not counted."""

OPENING = "complaint"
WHICH = "which"
_OPENINGS = 2
_MAX_OF_STAGE = {"danger": 2, "specific": 2, "general": MAX_QUESTIONS}
_STAGES = tuple(_MAX_OF_STAGE)


def next_question(facts: CaseFacts, asked: list[str]) -> Question | None:
    """The next question, or ``None`` when enough is known.

    ``asked`` are the ids of the questions asked so far, in order. Danger signs come first, then what belongs to the
    symptom, then what every record needs; at most eight, and never what ``facts`` already answer.
    """
    if not _complaint_known(facts):
        return None if asked.count(OPENING) >= _OPENINGS else _opening(facts)
    if sum(question != OPENING for question in asked) >= MAX_QUESTIONS:
        return None
    if facts.unclear and WHICH not in asked:
        return _which(facts)
    for stage in _STAGES:
        of_stage = [rule for rule in questions() if rule.stage == stage]
        if sum(rule.id in asked for rule in of_stage) >= _MAX_OF_STAGE[stage]:
            continue
        for rule in of_stage:
            if rule.id not in asked and _applies(rule, facts) and not _settled(rule, facts, asked):
                return _question(rule, facts)
    return None


def _complaint_known(facts: CaseFacts) -> bool:
    return bool(facts.present or any(d.status is Status.POSITIVE for d in facts.diseases))


def _applies(rule: QuestionRule, facts: CaseFacts) -> bool:
    return not rule.when or any(evidence(condition, facts) for condition in rule.when)


def _settled(rule: QuestionRule, facts: CaseFacts, asked: list[str]) -> bool:
    """Whether the answer is known, or the same was asked in other words."""
    slot = Slot(rule.slot)
    if slot is Slot.SYMPTOM:
        known = [facts.status(name) for name in rule.values]
        return Status.POSITIVE in known or None not in known
    already = any(other.slot == rule.slot for other in questions() if other.id in asked)
    return already or _known(slot, facts)


def _known(slot: Slot, facts: CaseFacts) -> bool:
    """Whether this slot has a value or its history is denied."""
    vitals = facts.vitals
    values: dict[Slot, object] = {
        Slot.TEMPERATURE: facts.temperature,
        Slot.DURATION: facts.duration,
        Slot.ONSET: facts.onset,
        Slot.SEVERITY: facts.severity,
        Slot.FREQUENCY: facts.frequency,
        Slot.BLOOD_PRESSURE: vitals.systolic,
        Slot.GLUCOSE: vitals.glucose,
        Slot.HEART_RATE: vitals.heart_rate,
        Slot.SPO2: vitals.spo2,
        Slot.WEIGHT: vitals.weight,
        Slot.AGE: facts.age_months,
        Slot.SEX: facts.sex,
        Slot.PREGNANCY: facts.pregnancy,
        Slot.LOCATION: next((s.body_part for s in facts.symptoms if s.body_part not in (None, "腹")), None),
        Slot.PAST_HISTORY: facts.diseases or None,
        Slot.ALLERGIES: facts.allergies or None,
        Slot.DRUGS: facts.drugs or None,
    }
    return slot in facts.denies or values.get(slot) is not None


def _question(rule: QuestionRule, facts: CaseFacts) -> Question:
    return Question(
        id=rule.id,
        text=rule.text.replace("{who}", patient_word(facts)),
        slot=Slot(rule.slot),
        also=tuple(Slot(slot) for slot in rule.also),
        values=rule.values,
        expects=Expects(rule.expects),
        quick_answers=rule.quick_answers,
        why=rule.why,
    )


def patient_word(facts: CaseFacts) -> str:
    """How to speak of the patient to the person who writes."""
    words = {
        Relation.CHILD: "孩子",
        Relation.FATHER: "您父亲",
        Relation.MOTHER: "您母亲",
        Relation.SPOUSE: "您爱人",
        Relation.GRANDPARENT: "老人家",
        Relation.OTHER: "病人",
    }
    if facts.relation in words:
        return words[facts.relation]
    return "孩子" if facts.age_months is not None and facts.age_months < 12 * 12 else "您"


def _opening(facts: CaseFacts) -> Question:
    return Question(
        id=OPENING,
        text=f"{patient_word(facts)}哪里不舒服？怎么想就怎么说，也可以发语音。",
        slot=Slot.COMPLAINT,
        expects=Expects.TEXT,
        why="先知道哪里不舒服，才能帮您找对医生。",
    )


def _which(facts: CaseFacts) -> Question:
    return Question(
        id=WHICH,
        text="具体是哪一样呢？",
        slot=Slot.SYMPTOM,
        values=facts.unclear,
        expects=Expects.CHOICE,
        quick_answers=(*facts.unclear[:4], "都有"),
        why="刚才问了几样，弄清楚是哪一样，医生才好判断。",
    )
