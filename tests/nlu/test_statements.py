"""Drugs, allergies and former illnesses."""

from collections.abc import Callable

import pytest

from nlu.types import Asked, Slot, Statement, Status, Understanding

Understand = Callable[..., Understanding]


def named(statements: tuple[Statement, ...]) -> dict[str, Status]:
    return {statement.name: statement.status for statement in statements}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("吃了布洛芬", {"布洛芬": Status.POSITIVE}),
        ("在吃拜新同和二甲双胍", {"硝苯地平": Status.POSITIVE, "二甲双胍": Status.POSITIVE}),
        ("没吃布洛芬", {"布洛芬": Status.NEGATIVE}),
        ("能吃布洛芬吗", {"布洛芬": Status.UNKNOWN}),
    ],
)
def test_a_drug_is_taken_not_taken_or_asked_about(
    understand: Understand, text: str, expected: dict[str, Status]
) -> None:
    assert named(understand(text).drugs) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("对青霉素和头孢过敏", {"青霉素": Status.POSITIVE, "头孢": Status.POSITIVE}),
        ("青霉素过敏", {"青霉素": Status.POSITIVE}),
        ("对海鲜过敏", {"海鲜": Status.POSITIVE}),
        ("对青霉素不过敏", {"青霉素": Status.NEGATIVE}),
    ],
)
def test_an_allergy_names_its_cause(understand: Understand, text: str, expected: dict[str, Status]) -> None:
    result = understand(text)
    assert named(result.allergies) == expected
    assert result.symptoms == ()
    assert result.drugs == ()


def test_a_drug_named_to_the_question_for_allergies_is_an_allergy(understand: Understand) -> None:
    assert named(understand("青霉素", Asked(slot=Slot.ALLERGIES)).allergies) == {"青霉素": Status.POSITIVE}


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("没有过敏史", Slot.ALLERGIES),
        ("没有药物过敏", Slot.ALLERGIES),
        ("没吃药", Slot.DRUGS),
        ("身体一直很好", Slot.PAST_HISTORY),
        ("没有什么慢性病", Slot.PAST_HISTORY),
    ],
)
def test_a_whole_history_can_be_denied(understand: Understand, text: str, slot: Slot) -> None:
    assert understand(text).denies == (slot,)


def test_diseases_are_told_denied_or_feared(understand: Understand) -> None:
    assert named(understand("有高血压，没有糖尿病，会不会是中风").diseases) == {
        "高血压": Status.POSITIVE,
        "糖尿病": Status.NEGATIVE,
        "中风": Status.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("text", "drugs", "allergies"),
    [
        ("有高血压，吃硝苯地平", {"硝苯地平"}, set()),
        ("有糖尿病，吃二甲双胍，对青霉素过敏", {"二甲双胍"}, {"青霉素"}),
        ("青霉素过敏", set(), {"青霉素"}),
    ],
)
def test_asked_for_illnesses_drugs_and_allergies_at_once_a_drug_that_is_taken_is_no_allergy(
    understand: Understand, text: str, drugs: set[str], allergies: set[str]
) -> None:
    asked = Asked(slot=Slot.PAST_HISTORY, also=(Slot.DRUGS, Slot.ALLERGIES))
    said = understand(text, asked=asked)
    assert set(named(said.drugs)) == drugs
    assert set(named(said.allergies)) == allergies


@pytest.mark.parametrize("text", ["三天", "两三天", "12天", "3个星期"])
def test_a_length_of_time_is_no_age_in_years(understand: Understand, text: str) -> None:
    assert understand(text, asked=Asked(slot=Slot.AGE)).age_months is None
