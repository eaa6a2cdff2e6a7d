"""Answers get their meaning from the question."""

from collections.abc import Callable

import pytest

from data.questions import QuestionRule, questions
from nlu.types import Asked, Intent, Severity, Sex, Slot, Status, Understanding, YesNo

Understand = Callable[..., Understanding]
FEVER = Asked(slot=Slot.SYMPTOM, values=("发烧",))
CHEST = Asked(slot=Slot.SYMPTOM, values=("出冷汗", "疼痛放射"))


def statuses(understanding: Understanding) -> dict[str, Status]:
    return {mention.name: mention.status for mention in understanding.symptoms}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("没", Status.NEGATIVE),
        ("没有", Status.NEGATIVE),
        ("没有的，谢谢", Status.NEGATIVE),
        ("正常", Status.NEGATIVE),
        ("有", Status.POSITIVE),
        ("有的，昨天开始", Status.POSITIVE),
        ("有一点", Status.POSITIVE),
        ("不知道", Status.UNKNOWN),
    ],
)
def test_a_bare_answer_says_whether_the_asked_symptom_is_there(
    understand: Understand, text: str, status: Status
) -> None:
    assert statuses(understand(text, FEVER)) == {"发烧": status}


def test_what_the_answer_names_itself_counts_beside_the_asked(understand: Understand) -> None:
    assert statuses(understand("没有，就是有点咳嗽", FEVER)) == {"咳嗽": Status.POSITIVE, "发烧": Status.NEGATIVE}


def test_a_bare_yes_to_several_leaves_open_which(understand: Understand) -> None:
    result = understand("有", CHEST)
    assert result.yes_no is YesNo.YES
    assert set(statuses(result).values()) == {Status.UNKNOWN}


def test_all_and_none_answer_every_choice(understand: Understand) -> None:
    assert set(statuses(understand("都有", CHEST)).values()) == {Status.POSITIVE}
    assert set(statuses(understand("都没有", CHEST)).values()) == {Status.NEGATIVE}


def test_one_choice_says_nothing_of_the_other(understand: Understand) -> None:
    assert statuses(understand("出冷汗", CHEST)) == {"出冷汗": Status.POSITIVE}


@pytest.mark.parametrize(("text", "value"), [("38.5", 38.5), ("三十九", 39.0), ("385", 38.5), ("38度左右", 38.0)])
def test_a_bare_number_is_the_temperature_asked_for(understand: Understand, text: str, value: float) -> None:
    assert understand(text, Asked(slot=Slot.TEMPERATURE)).temperature == value


def test_a_bare_number_without_a_question_is_nothing(understand: Understand) -> None:
    assert understand("38.5").temperature is None


def test_bare_values_fill_what_was_asked_for(understand: Understand) -> None:
    assert understand("6.5", Asked(slot=Slot.GLUCOSE)).vitals.glucose == 6.5
    assert understand("150 100", Asked(slot=Slot.HEART_RATE)).vitals.heart_rate is None
    assert understand("35岁，女", Asked(slot=Slot.AGE, also=(Slot.SEX,))).sex is Sex.FEMALE
    assert understand("难受得厉害", Asked(slot=Slot.SEVERITY)).severity is Severity.SEVERE
    duration = understand("5", Asked(slot=Slot.DURATION)).duration
    assert duration is not None
    assert duration.days == 5


def test_an_age_of_months_is_no_duration(understand: Understand) -> None:
    result = understand("两个月，男", Asked(slot=Slot.AGE, also=(Slot.SEX,)))
    assert (result.age_months, result.duration) == (2, None)


def test_a_bare_no_denies_every_history_of_the_question(understand: Understand) -> None:
    asked = Asked(slot=Slot.PAST_HISTORY, also=(Slot.DRUGS,))
    assert set(understand("都没有", asked).denies) == {Slot.PAST_HISTORY, Slot.DRUGS}


@pytest.mark.parametrize(("rule", "answer"), [(rule, answer) for rule in questions() for answer in rule.quick_answers])
def test_every_quick_answer_is_understood_as_an_answer(understand: Understand, rule: QuestionRule, answer: str) -> None:
    asked = Asked(slot=Slot(rule.slot), values=rule.values, also=tuple(Slot(slot) for slot in rule.also))
    result = understand(answer, asked)
    assert result.intent in (Intent.ANSWER, Intent.DONT_KNOW) or result.red_flags


BREATH = Asked(slot=Slot.SYMPTOM, values=("呼吸困难",))


@pytest.mark.parametrize("text", ["不是三天，是四天", "没发烧", "不咳嗽", "不是38度，是39度", "没吃药"])
def test_denying_something_else_does_not_deny_what_was_asked(understand: Understand, text: str) -> None:
    said = understand(text, BREATH)
    assert said.yes_no is None
    assert "呼吸困难" not in [symptom.name for symptom in said.symptoms]


@pytest.mark.parametrize("text", ["不喘", "没有", "冇得", "不太", "还好", "没觉得"])
def test_denying_what_was_asked_denies_it(understand: Understand, text: str) -> None:
    said = understand(text, BREATH)
    assert [symptom.status for symptom in said.symptoms if symptom.name == "呼吸困难"] == [Status.NEGATIVE]


HISTORY = Asked(slot=Slot.PAST_HISTORY, also=(Slot.DRUGS, Slot.ALLERGIES))


@pytest.mark.parametrize(
    ("text", "drugs", "allergies", "denies"),
    [
        ("有高血压，吃硝苯地平", ["硝苯地平"], [], []),
        ("有高血压，吃硝苯地平，没有药物过敏", ["硝苯地平"], [], [Slot.ALLERGIES]),
        ("吃二甲双胍，青霉素过敏", ["二甲双胍"], ["青霉素"], []),
        ("没有，就是青霉素过敏", [], ["青霉素"], [Slot.PAST_HISTORY, Slot.DRUGS, Slot.ALLERGIES]),
        ("都没有", [], [], [Slot.PAST_HISTORY, Slot.DRUGS, Slot.ALLERGIES]),
        ("不吃药，不过敏", [], [], [Slot.DRUGS, Slot.ALLERGIES]),
    ],
)
def test_a_drug_that_is_taken_is_no_allergy_where_both_are_asked(
    understand: Understand, text: str, drugs: list[str], allergies: list[str], denies: list[Slot]
) -> None:
    said = understand(text, HISTORY)
    assert [one.name for one in said.drugs] == drugs
    assert [one.name for one in said.allergies] == allergies
    assert set(said.denies) == set(denies)


def test_to_the_question_for_allergies_a_drug_alone_is_one(understand: Understand) -> None:
    assert [one.name for one in understand("青霉素", Asked(slot=Slot.ALLERGIES)).allergies] == ["青霉素"]
