"""The words of a question to the patient."""

from collections.abc import Collection, Sequence

from data.questions import SIGNS, QuestionRule, questions
from nlu.facts import CaseFacts
from nlu.types import Expects, Question, Relation, Slot

OPENING = "complaint"
WHICH = "which"
_NONE_OF_ONE, _NONE_OF_SEVERAL, _ALL_OF_TWO = "没有", "都没有", "都有"
_WHO = {
    Relation.CHILD: "孩子",
    Relation.FATHER: "您父亲",
    Relation.MOTHER: "您母亲",
    Relation.SPOUSE: "您爱人",
    Relation.GRANDPARENT: "老人家",
    Relation.OTHER: "病人",
}


def patient_word(facts: CaseFacts) -> str:
    """How to speak of the patient to the person who writes."""
    if facts.relation in _WHO:
        return _WHO[facts.relation]
    return "孩子" if facts.age_months is not None and facts.age_months < 12 * 12 else "您"


def put(rule: QuestionRule, facts: CaseFacts, still_open: Collection[str]) -> Question:
    """The question as it is put in this case; ``still_open`` are those of its symptoms that it still has to ask for."""
    values = tuple(name for name in rule.symptoms if name in still_open) if rule.signs else rule.values
    text, quick_answers = rule.text, rule.quick_answers
    if rule.signs:
        words = [rule.signs[name] for name in values]
        text = text.replace(SIGNS, _list(words))
        quick_answers = _choices(words)
    return Question(
        id=rule.id,
        text=text.replace("{who}", patient_word(facts)),
        slot=Slot(rule.slot),
        also=tuple(Slot(slot) for slot in rule.also),
        values=values,
        expects=Expects.YES_NO if rule.signs and len(values) == 1 else Expects(rule.expects),
        quick_answers=quick_answers,
        why=rule.why,
        danger=rule.stage == "danger",
    )


def opening(facts: CaseFacts) -> Question:
    """The first question."""
    return Question(
        id=OPENING,
        text=f"{patient_word(facts)}哪里不舒服？怎么想就怎么说，也可以发语音。",
        slot=Slot.COMPLAINT,
        expects=Expects.TEXT,
        why="先知道哪里不舒服，才能帮您找对医生。",
    )


def which(facts: CaseFacts, asked: Sequence[str]) -> Question:
    """What to ask where several were asked for and the answer was a bare 有: the same choices again, less none."""
    rule = next((rule for rule in questions() if asked and rule.id == asked[-1]), None)
    offered = put(rule, facts, facts.unclear).quick_answers if rule else facts.unclear[:4]
    choices = [choice for choice in offered if choice not in (_NONE_OF_SEVERAL, _ALL_OF_TWO)]
    return Question(
        id=WHICH,
        text="具体是哪一样呢？",
        slot=Slot.SYMPTOM,
        values=facts.unclear,
        expects=Expects.CHOICE,
        quick_answers=(*choices[:4], _ALL_OF_TWO),
        why="刚才问了几样，弄清楚是哪一样，医生才好判断。",
        danger=True,
    )


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{'、'.join(words[:-1])}，或者{words[-1]}"


def _choices(words: list[str]) -> tuple[str, ...]:
    if len(words) == 1:
        return (words[0], _NONE_OF_ONE)
    both = (_ALL_OF_TWO,) if len(words) == 2 else ()
    return (*words, *both, _NONE_OF_SEVERAL)
