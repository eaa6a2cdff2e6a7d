"""Weights keep their promises whatever an administrator types, and the past is replayed as it was."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.consultation.ranking import WEIGHTS, Candidate, Criterion, Need, Weights, next_wave, rank
from backend.consultation.rules import Urgency
from backend.consultation.weights import (
    DEFAULT,
    Percentages,
    as_percentages,
    check_percentages,
    first,
    standings,
)
from backend.consultation.weights_store import standings_of
from backend.errors import InvalidInput
from tests.backend.consultation.test_ranking import CANDIDATES, NEED, NOW, PLAIN, URGENCIES


def _parts(cuts: list[int]) -> dict[Criterion, int]:
    edges = [0, *sorted(cuts), 100]
    return {one: edges[at + 1] - edges[at] for at, one in enumerate(Criterion)}


ROWS = st.lists(st.integers(0, 100), min_size=4, max_size=4).map(_parts)
PERCENTAGES = st.fixed_dictionaries(dict.fromkeys(Urgency, ROWS))
MANY = st.lists(CANDIDATES, max_size=8, unique_by=lambda candidate: candidate.expert_id)


@given(PERCENTAGES)
def test_percentages_that_add_up_become_weights_between_nought_and_one(percentages: Percentages) -> None:
    weights = check_percentages(percentages)
    for urgency in Urgency:
        assert all(0 <= weight <= 1 for weight in weights[urgency].values())
        assert sum(weights[urgency].values()) == pytest.approx(1)
    assert as_percentages(weights) == percentages


@given(PERCENTAGES, URGENCIES, st.sampled_from(Criterion), st.integers(-300, 300).filter(bool))
def test_a_row_that_does_not_add_up_to_a_hundred_is_refused(
    percentages: dict[Urgency, dict[Criterion, int]], urgency: Urgency, criterion: Criterion, more: int
) -> None:
    row = percentages[urgency] | {criterion: percentages[urgency][criterion] + more}
    with pytest.raises(InvalidInput) as refused:
        check_percentages({**percentages, urgency: row})
    assert urgency.label in refused.value.sentence


def test_a_missing_row_or_number_is_refused_and_the_original_weights_are_right() -> None:
    missing = {Criterion.EXPERTISE: 100}
    for wrong in ({}, {**DEFAULT, Urgency.CRITICAL: missing}, {**DEFAULT, Urgency.ROUTINE: {}}):
        with pytest.raises(InvalidInput):
            check_percentages(wrong)
    negative = dict(DEFAULT[Urgency.URGENT]) | {Criterion.LOAD: -10, Criterion.EXPERTISE: 50}
    with pytest.raises(InvalidInput):
        check_percentages({**DEFAULT, Urgency.URGENT: negative})
    assert check_percentages(DEFAULT) == WEIGHTS


@given(MANY, PERCENTAGES.map(check_percentages), URGENCIES, st.randoms())
def test_under_any_weights_the_ranking_is_one_and_the_same(
    candidates: list[Candidate], weights: Weights, urgency: Urgency, random: object
) -> None:
    need = replace(NEED, urgency=urgency)
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    ranked = rank(candidates, need, weights)
    assert ranked == rank(shuffled, need, weights)
    assert all(-1e-9 <= one.total <= 1 + 1e-9 for one in ranked)


@given(MANY, PERCENTAGES.map(check_percentages), URGENCIES, st.sampled_from(["I10", "E11.9", ""]))
def test_who_is_first_in_the_past_is_who_would_have_been_asked_first(
    candidates: list[Candidate], weights: Weights, urgency: Urgency, icd10: str
) -> None:
    need = Need("cardiology", icd10, "", urgency, NOW)
    wave = next_wave(candidates, need, asked=frozenset(), waves=0, weights=weights)
    chosen = first(standings(candidates, need), urgency, weights)
    assert (chosen.expert_id if chosen else None) == (wave.chosen[0].expert_id if wave.chosen else None)


def test_how_long_somebody_would_have_waited_is_known_or_not() -> None:
    later = NOW + timedelta(minutes=90)
    experts = [
        replace(PLAIN, expert_id="a", on_duty=True),
        replace(PLAIN, expert_id="b", next_free=later),
        replace(PLAIN, expert_id="c", next_free=NOW - timedelta(minutes=5)),
        replace(PLAIN, expert_id="d"),
    ]
    assert [one.wait_minutes for one in standings(experts, NEED)] == [0, 90, 0, None]


def test_nobody_is_first_where_nobody_could_be_asked() -> None:
    assert first(standings_of([]), Urgency.ROUTINE, WEIGHTS) is None
