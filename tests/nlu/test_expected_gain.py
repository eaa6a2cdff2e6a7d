"""What a question is worth: more where it tells more apart, and where it may show danger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.clinical_language import clinical_language
from nlu.expected_gain import expected_gains, rising_findings
from nlu.facts import CaseFacts
from nlu.types import Sex, Status, SymptomMention

NAMES = sorted(row.name for row in clinical_language().symptoms)


def case(*present: str, absent: tuple[str, ...] = (), years: int = 40, sex: Sex | None = None) -> CaseFacts:
    """A case with these symptoms."""
    mentions = [SymptomMention(name=name, text="", status=Status.POSITIVE) for name in present]
    mentions += [SymptomMention(name=name, text="", status=Status.NEGATIVE) for name in absent]
    return CaseFacts(symptoms=tuple(mentions), age_months=years * 12, sex=sex)


@given(
    present=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
    group=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
)
def test_no_question_is_worth_less_than_nothing(present: list[str], group: list[str]) -> None:
    gain = expected_gains(case(*present), [tuple(group)])[0]
    assert gain.department >= 0
    assert gain.disease >= 0
    assert 0 <= gain.urgency <= 3


def test_every_question_gets_its_own_gain_whatever_the_sizes_of_the_others() -> None:
    groups: list[tuple[str, ...]] = [("咳痰",), ("流鼻涕", "鼻塞"), ("发烧",), ("头痛", "头晕", "恶心")]
    together = expected_gains(case("咳嗽"), groups)
    for group, gain in zip(groups, together, strict=True):
        alone = expected_gains(case("咳嗽"), [group])[0]
        assert gain.total == pytest.approx(alone.total)


def test_asking_for_more_at_once_tells_at_least_as_much() -> None:
    one, both = expected_gains(case("咳嗽"), [("流鼻涕",), ("流鼻涕", "发烧")])
    assert both.disease >= one.disease - 1e-9


def test_a_cough_is_told_apart_by_the_airways_and_not_by_the_skin() -> None:
    nose, skin = expected_gains(case("咳嗽"), [("流鼻涕",), ("脱皮",)])
    assert nose.total > skin.total


def test_a_child_goes_to_paediatrics_so_that_no_question_helps_to_find_the_department() -> None:
    assert expected_gains(case("咳嗽", years=4), [("流鼻涕", "腹泻")])[0].department == 0


def test_a_complaint_that_no_disease_shows_makes_no_question_worth_asking() -> None:
    shown = {name for row in clinical_language().diseases for name in getattr(row, "symptoms", {})}
    unknown = next(name for name in NAMES if name not in shown)
    gain = expected_gains(case(unknown), [("流鼻涕",)])[0]
    assert (gain.department, gain.disease) == (0, 0)


def test_what_would_show_danger_raises_the_urgency() -> None:
    rises = rising_findings(case("胸痛", years=60))
    assert rises["出冷汗"] >= 1
    assert "流鼻涕" not in rises


def test_what_is_already_most_urgent_cannot_become_more_so() -> None:
    assert rising_findings(case("胸痛", "出冷汗", years=60)) == {}


def test_a_danger_sign_of_another_age_raises_nothing() -> None:
    assert "拒奶" not in rising_findings(case("发烧", years=40))
    assert "拒奶" in rising_findings(case("发烧", years=0))


def test_a_question_is_likelier_to_hit_the_more_it_asks_for() -> None:
    one, three = expected_gains(case("咳嗽"), [("咳痰",), ("咳痰", "发烧", "流鼻涕")])
    assert 0 < one.chance < three.chance < 1
