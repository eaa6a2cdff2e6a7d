"""The state machine is the table that the documents show, and its refusals name state and step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.consultation import rules
from backend.consultation.rules import MOVES, STAYS, Status, Step, Urgency
from backend.errors import IllegalMove, InvalidInput

STATUSES = st.sampled_from(Status)
STEPS = st.sampled_from(Step)


def test_every_step_either_moves_the_status_or_needs_it_to_stand_somewhere() -> None:
    moving = {step for _, step in MOVES}
    assert moving | set(STAYS) == set(Step)
    assert moving & set(STAYS) == set()


def test_nothing_leads_out_of_completed_or_cancelled() -> None:
    assert not [source for source, _ in MOVES if source in (Status.COMPLETED, Status.CANCELLED)]


def test_the_way_to_completed_is_the_one_that_people_are_told_of() -> None:
    status = Status.DRAFT
    words = [status.label]
    for step in (Step.SUBMIT, Step.ASSIGN, Step.START, Step.COMPLETE):
        status = rules.move(status, step)
        words.append(status.label)
    assert words == ["草稿", "待分配", "已分配专家", "进行中", "已完成"]


@given(STATUSES, STEPS)
def test_a_refusal_says_in_which_state_which_step_is_not_possible(status: Status, step: Step) -> None:
    if (status, step) in MOVES or status in STAYS.get(step, ()):
        rules.check(status, step)
        return
    with pytest.raises(IllegalMove) as refused:
        rules.check(status, step)
    assert status.label in refused.value.sentence
    assert step.label in refused.value.sentence
    assert refused.value.details == {"status": status.value, "step": step.value}


def test_the_more_urgent_the_less_time_experts_and_doctors_have() -> None:
    for limits in (rules.OFFER_LIMITS, rules.TASK_LIMITS):
        times = [limits[urgency] for urgency in Urgency]
        assert times == sorted(set(times))
    assert [urgency.level for urgency in Urgency] == [1, 2, 3, 4]


def test_an_unknown_urgency_is_refused() -> None:
    with pytest.raises(InvalidInput, match="invalid_input"):
        rules.urgency_of("very")


@pytest.mark.parametrize("text", ["", "  \n", "长" * 11, "空\x00字"])
def test_a_text_that_is_empty_too_long_or_broken_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        rules.require_text(text, "备注", longest=10)
    assert refused.value.sentence.startswith("备注")
