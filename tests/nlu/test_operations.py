"""Operations: had, not had, or merely considered."""

from collections.abc import Callable

import pytest

from nlu.facts import CaseFacts
from nlu.summary import summarise
from nlu.types import Status, Understanding

Understand = Callable[..., Understanding]


@pytest.mark.parametrize(
    ("text", "name", "status"),
    [
        ("三年前放过支架", "冠脉支架植入", Status.POSITIVE),
        ("做了搭桥手术", "冠脉搭桥", Status.POSITIVE),
        ("剖腹产术后两个月", "剖宫产", Status.POSITIVE),
        ("阑尾割了", "阑尾切除", Status.POSITIVE),
        ("做過射頻消融", "射频消融", Status.POSITIVE),
        ("以前开过刀", "手术", Status.POSITIVE),
        ("没做过手术", "手术", Status.NEGATIVE),
        ("支架没放", "冠脉支架植入", Status.NEGATIVE),
        ("没有装起搏器", "起搏器植入", Status.NEGATIVE),
        ("要不要放支架", "冠脉支架植入", Status.UNKNOWN),
        ("医生建议做射频消融", "射频消融", Status.UNKNOWN),
        ("搭桥手术风险大吗", "冠脉搭桥", Status.UNKNOWN),
        ("不想开刀", "手术", Status.UNKNOWN),
    ],
)
def test_an_operation_and_whether_it_was_had(understand: Understand, text: str, name: str, status: Status) -> None:
    assert [(found.name, found.status) for found in understand(text).operations] == [(name, status)]


def test_an_operation_is_told_in_the_past_history(understand: Understand) -> None:
    facts = CaseFacts().merge(understand("头晕三天，有高血压，放过支架"))
    assert summarise(facts).past_history == "高血压；手术史：冠脉支架植入"


def test_an_operation_that_is_only_considered_is_no_history(understand: Understand) -> None:
    assert "手术史" not in summarise(CaseFacts().merge(understand("要不要放支架"))).past_history


def test_chest_pain_after_a_stent_is_a_danger_sign(understand: Understand) -> None:
    assert [flag.code for flag in understand("胸口疼，以前放过支架").red_flags] == ["CHEST_PAIN"]


def test_how_long_ago_an_operation_was_is_not_how_long_the_complaint_lasts(understand: Understand) -> None:
    assert understand("放支架三年了").duration is None
