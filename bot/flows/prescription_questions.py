"""What a doctor is asked before a medicine can be prescribed, because the checks need it and nobody has said it yet.

An answer becomes part of the patient's record, as the doctor's word.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from backend.errors import InvalidInput
from backend.prescription import PrescriptionView
from backend.records import NewObservation, Question
from backend.records.background import Background
from bot.dialogue import Turn
from bot.flows.patient_facts import SEXES, correct_patient
from bot.flows.profile import birth_date_in
from bot.messages import Choice, Menu
from nlu.numbers import parse_number

_YES, _NO = "answer:yes", "answer:no"


@dataclass(frozen=True)
class Asked:
    """A question: the rules that need its answer, its words, and the answers that can be tapped."""

    rules: tuple[str, ...]
    words: str
    choices: tuple[Choice, ...]
    open: Callable[[Background], bool]
    keep: Callable[[Turn, str, str], Awaitable[None]]


async def _name(turn: Turn, _patient_id: str, words: str) -> None:
    await correct_patient(turn, name=words)


async def _sex(turn: Turn, _patient_id: str, words: str) -> None:
    sex = next((key for key, word in SEXES.items() if words in (word, f"answer:{key}")), None)
    if sex is None:
        raise InvalidInput("请点下面的一项。")
    await correct_patient(turn, sex=sex)


async def _birth_date(turn: Turn, _patient_id: str, words: str) -> None:
    await correct_patient(turn, birth_date=await birth_date_in(turn, words))


async def _weight(turn: Turn, patient_id: str, words: str) -> None:
    number = parse_number(words.removesuffix("公斤").removesuffix("千克").removesuffix("kg").strip())
    if number is None:
        raise InvalidInput("没看懂。请写公斤数，比如 14.5公斤。")
    weight = NewObservation("weight", number, "kg")
    await turn.services.records.record(turn.actor, patient_id, [weight], consultation_id=turn.data["consultation_id"])


async def _allergies(turn: Turn, patient_id: str, words: str) -> None:
    if words == _NO:
        await turn.services.records.answer(turn.actor, patient_id, Question.ALLERGIES, yes=False)
    else:
        await turn.services.records.add_allergy(turn.actor, patient_id, words)


async def _medicines(turn: Turn, patient_id: str, words: str) -> None:
    if words == _NO:
        await turn.services.records.answer(turn.actor, patient_id, Question.MEDICINES, yes=False)
    else:
        await turn.services.records.add_medicine(turn.actor, patient_id, words)


def _yes_or_no(question: Question) -> Callable[[Turn, str, str], Awaitable[None]]:
    async def keep(turn: Turn, patient_id: str, words: str) -> None:
        if words not in (_YES, _NO):
            raise InvalidInput("请点下面的一项。")
        await turn.services.records.answer(turn.actor, patient_id, question, yes=words == _YES)

    return keep


QUESTIONS: dict[str, Asked] = {
    "name": Asked(
        ("missing.name",),
        "处方上要写患者的姓名，现在还不知道。请发姓名，要和身份证上的一样。",
        (),
        lambda known: not known.named,
        _name,
    ),
    "sex": Asked(
        ("missing.sex",),
        "处方上要写患者的性别，现在还不知道。",
        tuple(Choice(f"answer:{key}", word) for key, word in SEXES.items()),
        lambda known: known.sex == "unknown",
        _sex,
    ),
    "birth_date": Asked(
        ("missing.birth_date",),
        "不知道患者多大，没法核对用量。请发出生日期或者年龄，比如 1958年3月12日，或者 67岁。",
        (),
        lambda known: known.birth_date is None,
        _birth_date,
    ),
    "weight": Asked(
        ("missing.weight",),
        "这种药要按体重算。患者多重？请发公斤数，比如 14.5公斤。",
        (),
        lambda _known: True,
        _weight,
    ),
    "allergies": Asked(
        ("allergy.not_asked",),
        "请先问清：患者对什么药、什么东西过敏？有的话发名字，一次发一种。",
        (Choice(_NO, "问过了，没有过敏"),),
        lambda known: known.allergies_asked is None,
        _allergies,
    ),
    "medicines": Asked(
        ("medicines.not_asked",),
        "患者现在还在吃什么药？有的话发药名，一次发一种。",
        (Choice(_NO, "问过了，没在吃药"),),
        lambda known: known.medicines_asked is None,
        _medicines,
    ),
    "pregnant": Asked(
        ("pregnancy",),
        "请先问清：患者现在怀孕了吗？拿不准，先验孕。",
        (Choice(_YES, "怀孕了"), Choice(_NO, "没有怀孕")),
        lambda known: known.pregnant is None,
        _yes_or_no(Question.PREGNANT),
    ),
    "lactating": Asked(
        ("lactation",),
        "请先问清：患者现在在喂奶吗？",
        (Choice(_YES, "在喂奶"), Choice(_NO, "没有喂奶")),
        lambda known: known.lactating is None,
        _yes_or_no(Question.LACTATING),
    ),
}


async def open_question(turn: Turn, view: PrescriptionView) -> str | None:
    """Give the first question whose answer a finding waits for; None where there is none."""
    rules = {one.rule for one in view.findings}
    wanted = [key for key, asked in QUESTIONS.items() if rules & set(asked.rules)]
    if not wanted:
        return None
    known = await turn.services.records.background(turn.actor, view.patient_id)
    return next((key for key in wanted if QUESTIONS[key].open(known)), None)


def ask(turn: Turn, key: str) -> None:
    """Put a question."""
    turn.data.update(step="question", question=key)
    asked = QUESTIONS[key]
    turn.say(Menu(asked.words, (*asked.choices, Choice("rx.overview", "先不答"))))


async def keep_answer(turn: Turn, view: PrescriptionView, words: str) -> None:
    """Keep the answer to the question that was put; `words` are what was said, or the id of the answer tapped.

    Raises:
        InvalidInput: it is no answer; the question stands.
    """
    await QUESTIONS[turn.data["question"]].keep(turn, view.patient_id, words)
