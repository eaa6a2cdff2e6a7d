"""The ranking keeps its promises for every candidate there can be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.consultation.ranking import (
    WEIGHTS,
    Candidate,
    Criterion,
    Need,
    Widening,
    describe_time,
    next_wave,
    rank,
    score,
    weigh,
)
from backend.consultation.rules import Urgency

NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # Monday, eight in the morning in China
NEED = Need("cardiology", "I10", "高血压", Urgency.ROUTINE, NOW)
PLAIN = Candidate("a", "张强", "cardiology", "心血管内科", (), "主治医师", 10, False, False, None)

URGENCIES = st.sampled_from(Urgency)
CANDIDATES = st.builds(
    Candidate,
    expert_id=st.text("abcdef", min_size=1, max_size=4),
    name=st.just("张强"),
    department_code=st.sampled_from(["cardiology", "neurology"]),
    department_name=st.just("科"),
    expertise=st.sampled_from([(), ("I10",), ("I10-I15",), ("I00-I99",), ("I",), ("E11",)]),
    title=st.sampled_from(["主任医师", "副主任医师", "主治医师", "住院医师", ""]),
    years=st.integers(0, 50),
    on_call=st.booleans(),
    on_duty=st.booleans(),
    next_free=st.none() | st.integers(0, 20_000).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    answered=st.integers(0, 50),
    answer_seconds=st.floats(0, 100_000),
    unanswered=st.integers(0, 20),
    running=st.integers(0, 20),
)
CRITERIA = st.fixed_dictionaries({criterion: st.floats(0, 1) for criterion in Criterion})


@pytest.mark.parametrize("urgency", Urgency)
def test_the_weights_are_positive_and_sum_to_one(urgency: Urgency) -> None:
    assert sum(WEIGHTS[urgency].values()) == pytest.approx(1)
    assert set(WEIGHTS[urgency]) == set(Criterion)
    assert min(WEIGHTS[urgency].values()) > 0


@given(CANDIDATES, URGENCIES)
def test_every_score_lies_between_nought_and_one_and_every_criterion_has_a_reason(
    candidate: Candidate, urgency: Urgency
) -> None:
    got = score(candidate, replace(NEED, urgency=urgency))
    assert all(0 <= value <= 1 for value in got.criteria.values())
    assert 0 <= got.total <= 1 + 1e-9
    assert len(got.reasons) == len(Criterion)
    assert all(got.reasons)


@given(CRITERIA, CRITERIA, URGENCIES)
def test_who_is_better_by_every_criterion_never_ranks_lower(
    one: dict[Criterion, float], other: dict[Criterion, float], urgency: Urgency
) -> None:
    better = {criterion: max(one[criterion], other[criterion]) for criterion in Criterion}
    assert weigh(better, urgency) >= weigh(one, urgency) - 1e-12


@given(CANDIDATES, URGENCIES, st.integers(1, 10), st.integers(1, 10_000))
def test_an_expert_who_has_less_to_do_is_free_earlier_and_answers_faster_never_ranks_lower(
    candidate: Candidate, urgency: Urgency, fewer: int, minutes: int
) -> None:
    need = replace(NEED, urgency=urgency)
    before = score(candidate, need).total
    free = candidate.next_free
    better = replace(
        candidate,
        running=max(0, candidate.running - fewer),
        next_free=NOW if free is None else max(NOW, free - timedelta(minutes=minutes)),
        answer_seconds=candidate.answer_seconds / 2,
        unanswered=max(0, candidate.unanswered - 1) if candidate.answered == 0 else candidate.unanswered,
        years=candidate.years + fewer,
        title="主任医师",
        on_duty=True,
        expertise=(*candidate.expertise, "I10"),
    )
    assert score(better, need).total >= before - 1e-12


@given(st.lists(CRITERIA, min_size=2, max_size=6), URGENCIES, st.floats(0, 10))
def test_a_constant_added_to_all_changes_no_order(
    all_criteria: list[dict[Criterion, float]], urgency: Urgency, constant: float
) -> None:
    def totals(added: float) -> list[float]:
        return [weigh({criterion: value + added for criterion, value in one.items()}, urgency) for one in all_criteria]

    plain, raised = totals(0), totals(constant)
    assert [total + constant for total in plain] == pytest.approx(raised)


@given(st.lists(CANDIDATES, max_size=6, unique_by=lambda candidate: candidate.expert_id), URGENCIES, st.randoms())
def test_the_order_of_asking_does_not_change_the_ranking(
    candidates: list[Candidate], urgency: Urgency, random: object
) -> None:
    need = replace(NEED, urgency=urgency)
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert [one.expert_id for one in rank(candidates, need)] == [one.expert_id for one in rank(shuffled, need)]


def test_urgency_turns_the_ranking_round() -> None:
    professor = replace(
        PLAIN, expert_id="professor", expertise=("I10",), title="主任医师", years=30, next_free=NOW + timedelta(days=5)
    )
    ready = replace(PLAIN, expert_id="ready", on_duty=True, answered=20, answer_seconds=20 * 45.0)
    calm = rank([professor, ready], NEED)
    urgent = rank([professor, ready], replace(NEED, urgency=Urgency.CRITICAL))
    assert [one.expert_id for one in calm] == ["professor", "ready"]
    assert [one.expert_id for one in urgent] == ["ready", "professor"]


def test_the_reasons_say_what_a_person_can_check() -> None:
    expert = replace(
        PLAIN,
        expertise=("E11", "I10-I15"),
        next_free=NOW + timedelta(days=1, hours=1),
        answered=2,
        answer_seconds=360,
        running=2,
    )
    assert score(expert, NEED).reasons == (
        "擅长高血压（I10–I15）",
        "明天上午9:00有空",
        "平均3分钟应答",
        "手上2例会诊",
        "主治医师，从业10年",
    )


@pytest.mark.parametrize(
    ("hours", "said"),
    [(1, "今天上午9:00"), (4, "今天下午12:00"), (7, "今天下午3:00"), (11, "今天晚上7:00"), (49, "后天上午9:00")],
)
def test_times_are_said_as_people_in_china_say_them(hours: int, said: str) -> None:
    assert describe_time(NOW + timedelta(hours=hours), NOW) == said


def _experts(count: int, prefix: str = "e", **values: Any) -> list[Candidate]:
    return [replace(PLAIN, expert_id=f"{prefix}{number}", **values) for number in range(count)]


def test_the_best_three_by_disease_are_asked_first_and_the_department_fills_up() -> None:
    knowing = _experts(2, "k", expertise=("I10-I15",), department_code="nephrology")
    beside = _experts(3, "d")
    wave = next_wave(knowing + beside, NEED, asked=frozenset(), waves=0)
    assert {one.expert_id for one in wave.chosen[:2]} == {"k0", "k1"}
    assert len(wave.chosen) == 3
    assert wave.steps == (Widening.DISEASE, Widening.DEPARTMENT)


def test_without_a_code_the_search_begins_with_the_department() -> None:
    wave = next_wave(_experts(1), replace(NEED, icd10=""), asked=frozenset(), waves=0)
    assert wave.steps == (Widening.DEPARTMENT,)
    assert wave.steps[0].beginning == "按科室找专家"


def test_after_two_waves_whoever_is_on_call_is_asked_and_then_the_administrator() -> None:
    experts = [*_experts(9), *_experts(1, "c", department_code="emergency", on_call=True)]
    asked: frozenset[str] = frozenset()
    waves = []
    for number in range(4):
        wave = next_wave(experts, NEED, asked=asked, waves=number)
        asked |= {one.expert_id for one in wave.chosen}
        waves.append(wave)
    assert [len(wave.chosen) for wave in waves] == [3, 3, 1, 0]
    assert waves[2].steps == (Widening.ON_CALL,)
    assert waves[3].steps[-1] is Widening.ADMINISTRATOR


@given(st.lists(CANDIDATES, max_size=12, unique_by=lambda candidate: candidate.expert_id), URGENCIES, st.integers(0, 4))
def test_a_wave_asks_at_most_three_and_nobody_twice(candidates: list[Candidate], urgency: Urgency, waves: int) -> None:
    asked = frozenset(candidate.expert_id for candidate in candidates[::2])
    wave = next_wave(candidates, replace(NEED, urgency=urgency), asked=asked, waves=waves)
    chosen = [one.expert_id for one in wave.chosen]
    assert len(chosen) <= 3
    assert len(set(chosen)) == len(chosen)
    assert not set(chosen) & asked
    assert bool(chosen) != (wave.steps[-1] is Widening.ADMINISTRATOR)
