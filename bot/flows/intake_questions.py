"""Which question comes next: our own about who the patient is, and the clinical ones of `nlu`; one at a time."""

from bot.dialogue import Turn
from bot.flows.intake_state import Intake
from bot.messages import Choice, Menu, Text
from nlu.facts import CaseFacts
from nlu.interview import MAX_QUESTIONS, is_answered, next_question
from nlu.types import Expects, Question, Relation, Sex, Slot
from nlu.wording import OPENING, patient_word

MAX_WHEN_CRITICAL = 4
"""Somebody in danger is asked less: the opening, who it is, and two more."""

WHO = Question(
    id="patient.who",
    text="是谁不舒服？",
    slot=Slot.COMPLAINT,
    expects=Expects.CHOICE,
    quick_answers=("我自己", "我的孩子", "我父亲", "我母亲", "我爱人", "别的人"),
    why="大人和孩子、男的和女的，看病的办法不一样，所以要先问清楚是谁。",
)
NAME = Question(
    id="patient.name",
    text="病人叫什么名字？写在病历上用的。",
    slot=Slot.COMPLAINT,
    expects=Expects.TEXT,
    quick_answers=("先不说",),
    why="写上名字，医生才不会把两个病人弄混。",
)

WHICH = NAME.model_copy(update={"text": "是下面哪一位？没有的话，请写上病人的名字。"})
"""The same question to somebody of whose relatives some are known: asked first, for then age and sex need not be."""

SEX = Question(
    id="sex",  # the same as nlu's own, so that it is not asked twice
    text="请问是男是女？",
    slot=Slot.SEX,
    expects=Expects.CHOICE,
    quick_answers=("男", "女"),
    why="男的和女的，有些病不一样，医生要知道。",
)
_AGE = "age_sex"

WHO_IS = {
    "我自己": Relation.SELF,
    "我的孩子": Relation.CHILD,
    "我父亲": Relation.FATHER,
    "我母亲": Relation.MOTHER,
    "我爱人": Relation.SPOUSE,
    "别的人": Relation.OTHER,
}
"""What each answer to `WHO` means."""

RELATION_CODES = {
    Relation.CHILD: "child",
    Relation.FATHER: "father",
    Relation.MOTHER: "mother",
    Relation.SPOUSE: "spouse",
    Relation.GRANDPARENT: "grandparent",
    Relation.OTHER: "other",
}
"""How `backend.people` calls what a patient is to the writer."""

_SEX_OF = {Relation.FATHER: Sex.MALE, Relation.MOTHER: Sex.FEMALE}
RATHER_NOT = "-"
"""The name of somebody who would rather not say."""


def choose(intake: Intake) -> Question | None:
    """Give the question to ask now; None when everything that matters is known or asked."""
    facts = intake.facts
    if intake.asked and facts.relation is None and WHO.id not in intake.asked:
        return WHO
    name_is_open = not intake.name and NAME.id not in intake.asked
    if name_is_open and intake.relatives and not intake.is_critical:
        return WHICH.model_copy(update={"quick_answers": (*intake.relatives, *WHICH.quick_answers)})
    count = sum(asked != OPENING for asked in intake.asked)
    question = _choose_clinical(intake, int(name_is_open)) if count < MAX_QUESTIONS - name_is_open else None
    if question is None and name_is_open:
        about_self = facts.relation is Relation.SELF
        return NAME.model_copy(update={"text": "您叫什么名字？写在病历上用的。"}) if about_self else NAME
    return question


def waits_for(intake: Intake, question: Question) -> bool:
    """Tell whether `question` (in whatever words) waits for its answer."""
    return intake.question is not None and intake.question.id == question.id


def _choose_clinical(intake: Intake, to_come: int) -> Question | None:
    facts, asked = intake.facts, intake.asked
    if intake.is_critical and len(asked) >= MAX_WHEN_CRITICAL:
        return None
    if asked and asked[-1] == _AGE and facts.sex is None:
        return SEX
    if facts.relation is Relation.CHILD and facts.age_months is None and _AGE not in asked:
        return _age(facts)  # first of all: what is dangerous in a baby depends on its age
    question = next_question(facts, asked, to_come)
    if question is None or (question.id == OPENING and OPENING in asked):
        return None  # enough; or nothing was understood of what is wrong, and the record quotes the words themselves
    return _age(facts) if question.id == _AGE else question


def _age(facts: CaseFacts) -> Question:
    """The age, and the sex where it is not known."""
    child = facts.relation is Relation.CHILD
    text = f"{patient_word(facts)}多大了？" if child else f"{patient_word(facts)}今年多大年纪？"
    if facts.sex is None:
        text += "男孩还是女孩？" if child else "是男是女？"
    return Question(
        id=_AGE,  # the same as nlu's own, in other words
        text=text,
        slot=Slot.AGE,
        also=(Slot.SEX,) if facts.sex is None else (),
        expects=Expects.TEXT,
        why="不同的年纪，看病的办法不一样。",
    )


def is_open(intake: Intake) -> bool:
    """Tell whether the question that waits has no answer yet: what was said was about something else."""
    question = intake.question
    if question is None or question.id in (WHO.id, NAME.id, SEX.id):
        return False
    if question.id == _AGE:
        return intake.facts.age_months is None
    return not is_answered(question, intake.facts)


def show(question: Question, before: str = "", tail: str = "") -> Menu | Text:
    """Give `question` as a message: `before` above it, its tappable answers and `tail` below."""
    words = f"{before}\n\n{question.text}" if before else question.text
    if not question.quick_answers:
        return Text(f"{words}\n{tail}" if tail else words)
    numbered = enumerate(question.quick_answers)
    choices = tuple(Choice(f"answer:{question.id}:{number}", answer) for number, answer in numbered)
    return Menu(words, choices, tail)


async def know_the_patient(turn: Turn, intake: Intake) -> None:
    """Once it is clear who the patient is, take over what is known of them, so that nobody is asked for it."""
    facts = intake.facts
    if facts.relation is None or intake.introduced:
        return
    intake.introduced = True
    age, sex = facts.age_months, facts.sex
    if facts.relation is Relation.SELF:
        person = await turn.services.people.person(turn.actor, turn.actor.person_id)
        intake.name = intake.name or person.name
        age = person.age_months if age is None else age
        if sex is None and person.sex in tuple(Sex):
            sex = Sex(person.sex)
    else:
        sex = sex or _SEX_OF.get(facts.relation)
        intake.relatives = {
            one.person.name: one.person.id
            for one in await turn.services.people.relatives(turn.actor)
            if one.relation == RELATION_CODES[facts.relation] and one.person.name
        }
    intake.facts = facts.model_copy(update={"age_months": age, "sex": sex})


async def know_the_relative(turn: Turn, intake: Intake) -> None:
    """Where the name is that of a relative who is known, take over who it is, their age and sex."""
    relative_id = intake.relatives.get(intake.name)
    if relative_id is None:
        return
    person = await turn.services.people.person(turn.actor, relative_id)
    intake.relative_id = relative_id
    known = {"age_months": person.age_months, "sex": Sex(person.sex) if person.sex in tuple(Sex) else None}
    intake.facts = intake.facts.model_copy(update={field: value for field, value in known.items() if value is not None})


def repeat(turn: Turn, intake: Intake, before: str) -> None:
    """Keep the intake, say `before` and put the waiting question again."""
    if intake.question is None:
        intake.save(turn)
        turn.say(Menu(before, (Choice("patient.continue", "接着说"),)))
    else:
        ask(turn, intake, intake.question, before)


def ask(turn: Turn, intake: Intake, question: Question, before: str = "", tail: str = "") -> None:
    """Keep the intake and put `question`; from now on it is what typed words answer, not an older menu."""
    intake.save(turn)
    turn.state.offered = []
    turn.say(show(question, before, tail))


def answer_in_place(turn: Turn, words: str) -> None:
    """Say `words` to a question beside the way; where an intake is running, its question follows."""
    intake = Intake.of(turn)
    if intake is None:
        turn.say(words)
    else:
        repeat(turn, intake, words)
