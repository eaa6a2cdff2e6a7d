"""When an instance goes to a PACS, and what its answer means."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import LOCAL_ZONE
from backend.imaging.transfer_rules import (
    SENTENCES,
    Failure,
    TransferState,
    arrived,
    batch_bytes,
    is_open,
    lease,
    line_free_at,
    pause,
    verdict,
    worth_telling,
)

ARRIVED, WAITING, DEAD = TransferState.ARRIVED, TransferState.WAITING, TransferState.DEAD
STATUSES = st.integers(0, 0xFFFF)
FRACTIONS = st.floats(0, 1, exclude_max=True)
START = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0x0000, ARRIVED),
        (0xB000, ARRIVED),  # coercion of data elements
        (0xB006, ARRIVED),
        (0xB007, ARRIVED),
        (0x0111, ARRIVED),  # duplicate
        (0xA700, WAITING),  # out of resources
        (0x0110, WAITING),  # processing failure
        (0xA900, DEAD),
        (0xC000, DEAD),
        (0x0124, DEAD),  # not authorised
    ],
)
def test_each_status_has_its_verdict(status: int, state: TransferState) -> None:
    assert verdict(status, refusals=1, decoded=False, fraction=0).state is state


@given(STATUSES, st.integers(1, 100), st.booleans(), FRACTIONS)
def test_nothing_has_arrived_without_a_word_and_nothing_is_refused_for_ever(
    status: int, refusals: int, decoded: bool, fraction: float
) -> None:
    found = verdict(status, refusals=refusals, decoded=decoded, fraction=fraction)
    assert (found.state is ARRIVED) == arrived(status)
    assert (found.failure is not None) or found.state is not DEAD
    if refusals >= 8 and (decoded or not found.decode):
        assert found.state is not WAITING


@pytest.mark.parametrize("status", [0x0122, 0xC122])
def test_what_is_not_taken_as_it_is_stored_is_decoded_once(status: int) -> None:
    first = verdict(status, refusals=1, decoded=False, fraction=0)
    assert (first.state, first.decode, first.pause) == (WAITING, True, timedelta())
    second = verdict(status, refusals=2, decoded=True, fraction=0)
    assert (second.state, second.failure) == (DEAD, Failure.UNSUPPORTED)


@given(st.integers(1, 10_000), FRACTIONS)
def test_pauses_grow_to_ten_minutes_and_at_least_half_of_each_is_kept(failures: int, fraction: float) -> None:
    whole = min(2.0 * 2 ** min(failures - 1, 20), 600.0)
    waited = pause(failures, fraction).total_seconds()
    assert whole / 2 <= waited + 1e-6
    assert waited <= whole


@given(
    st.integers(10_000, 10_000_000),
    st.lists(st.tuples(st.integers(1, 50_000_000), st.floats(0, 3600)), min_size=1, max_size=30),
)
def test_no_stretch_of_time_bears_more_than_the_limit_and_one_bucket(
    rate: int, wishes: list[tuple[int, float]]
) -> None:
    """Whoever sends as soon as the line is free never has more on it than was agreed, but for the last request."""
    free_at: datetime | None = None
    now = START
    sent: list[tuple[datetime, int]] = []
    for size, idle in wishes:
        now = max(now, free_at or now) + timedelta(seconds=idle)
        free_at = line_free_at(free_at, now, size, rate)
        sent.append((now, size))
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            seconds = (sent[last][0] - sent[first][0]).total_seconds()
            before_the_last = sum(size for _, size in sent[first:last])
            rounding = 1e-6 * (last - first + 1)  # moments are kept to the microsecond
            assert before_the_last <= rate * (seconds + 10 + rounding) + 1


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_a_window_is_open_from_its_start_to_its_end_even_past_midnight(start: int, end: int, minute: int) -> None:
    now = datetime(2026, 11, 23, minute // 60, minute % 60, 30, tzinfo=LOCAL_ZONE)
    inside = start <= minute < end if start <= end else minute >= start or minute < end
    assert is_open(now, start, end) == inside
    assert is_open(now.astimezone(UTC), start, end) == inside
    assert is_open(now, None, None)


@given(st.integers(1, 3000), st.data())
def test_people_hear_of_the_end_once_and_of_a_long_study_three_times_before(total: int, data: st.DataObject) -> None:
    told, there, heard = 0, 0, []
    while there < total:
        there = min(total, there + data.draw(st.integers(1, max(total // 8, 1))))
        if worth_telling(told, there, total):
            told = there
            heard.append(there)
    assert heard[-1] == total
    assert len(heard) == (4 if total >= 40 else 1)
    assert not worth_telling(total, total, total)


@given(st.integers(0, 8 * 1024**3))
def test_a_lease_is_long_enough_for_a_slow_line(size: int) -> None:
    assert lease(size).total_seconds() >= 120 + size / 50_001


def test_with_a_limit_no_request_holds_more_than_the_bucket() -> None:
    assert batch_bytes(100_000) == 1_000_000
    assert batch_bytes(None) == batch_bytes(10**9)


def test_every_failure_is_said_in_a_sentence() -> None:
    assert set(SENTENCES) == set(Failure)
