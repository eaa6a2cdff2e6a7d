"""Which question to ask next."""

from collections.abc import Iterable

from data.questions import QuestionRule, questions
from nlu.conditions import evidence
from nlu.facts import CaseFacts
from nlu.types import Expects, Question, Relation, Slot, Status

MAX_QUESTIONS = 8
"""Questions of one interview, the opening one not counted."""

ENOUGH = 5
"""After so many questions nothing optional is asked any more."""

OPENING = "complaint"
WHICH = "which"
_OPENINGS = 2
_MAX_CLINICAL = 3
"""Questions about danger signs and the symptom together: then the department is clear and danger was looked for."""
_MAX_OF_STAGE = {"danger": 2, "specific": 2, "general": MAX_QUESTIONS, "optional": MAX_QUESTIONS}
_STAGES = tuple(_MAX_OF_STAGE)


def next_question(facts: CaseFacts, asked: list[str]) -> Question | None:
    """The next question, or ``None`` when enough is known.

    ``asked`` are the ids of the questions asked so far, in order. Danger signs come first, then what belongs to the
    symptom, then what every record needs; at most eight, and never what ``facts`` already answer.
    """
    if not _complaint_known(facts):
        return None if asked.count(OPENING) >= _OPENINGS else _opening(facts)
    count = sum(question != OPENING for question in asked)
    if count >= MAX_QUESTIONS:
        return None
    if facts.unclear and WHICH not in asked:
        return _which(facts)
    for stage in _STAGES:
        if _stage_is_over(stage, asked, count):
            continue
        for rule in _of_stage(stage):
            if rule.id not in asked and _applies(rule, facts) and not _settled(rule, facts, asked):
                return _question(rule, facts)
    return None


def _of_stage(stage: str) -> list[QuestionRule]:
    return [rule for rule in questions() if rule.stage == stage]


def _stage_is_over(stage: str, asked: list[str], count: int) -> bool:
    """Whether enough of this stage was asked."""
    if stage == "optional":
        return count >= ENOUGH
    of_stage = sum(rule.id in asked for rule in _of_stage(stage))
    if stage == "specific":
        clinical = of_stage + sum(rule.id in asked for rule in _of_stage("danger"))
        return of_stage >= _MAX_OF_STAGE[stage] or clinical >= _MAX_CLINICAL
    return of_stage >= _MAX_OF_STAGE[stage]


def is_answered(question: Question, facts: CaseFacts) -> bool:
    """Whether ``facts`` hold an answer to ``question``; of several symptoms one that is there is enough."""
    if question.slot is Slot.SYMPTOM:
        known = [facts.status(name) for name in question.values]
        if question.id == WHICH:
            return Status.POSITIVE in known or all(status is Status.NEGATIVE for status in known)
        return Status.POSITIVE in known or None not in known
    if question.id == OPENING:
        return _complaint_known(facts)
    if question.slot is Slot.PAST_HISTORY and any(symptom.past for symptom in facts.symptoms):
        return True
    return any(_known(slot, facts) for slot in (question.slot, *question.also))


def unanswered(facts: CaseFacts, asked: Iterable[str]) -> tuple[str, ...]:
    """The danger signs that were asked for and neither affirmed nor denied, for the record: a doctor must ask them."""
    ids = set(asked)
    open_names: list[str] = []
    for rule in _of_stage("danger"):
        if rule.id not in ids:
            continue
        known = [facts.status(name) for name in rule.values]
        if Status.POSITIVE not in known:
            open_names += [
                name for name, status in zip(rule.values, known, strict=True) if status is not Status.NEGATIVE
            ]
        if rule.slot == Slot.PREGNANCY and facts.pregnancy is None:
            open_names.append("是否怀孕")
    return tuple(dict.fromkeys(open_names))


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
        danger=rule.stage == "danger",
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
        danger=True,
    )
