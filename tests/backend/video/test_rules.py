"""When a room is open, and how the stays of people add up."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.consultation.rules import Status
from backend.scheduling import BookingState, BookingView
from backend.security.policy import Role
from backend.video.rules import (
    CLOSES_AFTER,
    OPENS_BEFORE,
    ROOM_ROLES,
    Opening,
    RoomState,
    Stay,
    attendance,
    minutes,
    opening,
)

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)  # 14:00 in China
END = START + timedelta(minutes=30)
SECOND = timedelta(seconds=1)


def booking(state: BookingState = BookingState.ACTIVE) -> BookingView:
    """A booking from 14:00 to 14:30."""
    return BookingView("b", "s", "e", "c", "p", START, END, state, 0, START - timedelta(days=1))


def state_at(now: datetime, status: Status = Status.ASSIGNED, held: BookingView | None = None) -> RoomState:
    """The state of the room of a booked case."""
    return opening(status, held or booking(), None, now).state


def test_a_room_opens_a_quarter_of_an_hour_before_its_time_and_closes_two_hours_after_it() -> None:
    assert state_at(START - OPENS_BEFORE - SECOND) is RoomState.EARLY
    assert state_at(START - OPENS_BEFORE) is RoomState.OPEN
    assert state_at(END + CLOSES_AFTER - SECOND) is RoomState.OPEN
    assert state_at(END + CLOSES_AFTER) is RoomState.CLOSED
    early = opening(Status.ASSIGNED, booking(), None, START - timedelta(days=1))
    assert early == Opening(RoomState.EARLY, START - OPENS_BEFORE, START)


def test_a_room_opens_at_once_where_the_expert_has_begun() -> None:
    early = START - timedelta(hours=5)
    assert opening(Status.IN_PROGRESS, booking(BookingState.KEPT), early, early).state is RoomState.OPEN
    urgent = opening(Status.IN_PROGRESS, None, early, early + timedelta(hours=3))
    assert (urgent.state, urgent.starts_at) == (RoomState.OPEN, None)


def test_an_expert_who_begins_late_has_the_room_for_two_hours() -> None:
    late = END + timedelta(hours=5)
    held = opening(Status.IN_PROGRESS, booking(BookingState.KEPT), late, late)
    assert (held.state, held.until) == (RoomState.OPEN, late + CLOSES_AFTER)


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELLED])
def test_a_room_closes_with_its_consultation(status: Status) -> None:
    assert opening(status, booking(BookingState.KEPT), START, START).state is RoomState.CLOSED


@pytest.mark.parametrize("status", [Status.DRAFT, Status.PENDING, Status.ASSIGNED])
def test_without_a_time_nobody_can_come_yet(status: Status) -> None:
    for held in (None, booking(BookingState.NO_SHOW)):
        assert opening(status, held, None, START) == Opening(RoomState.EARLY)


@given(
    st.sampled_from(list(Status)),
    st.none() | st.sampled_from(list(BookingState)).map(booking),
    st.none() | st.integers(-600, 600).map(lambda m: START + timedelta(minutes=m)),
    st.integers(-6000, 6000).map(lambda m: START + timedelta(minutes=m)),
)
def test_an_open_room_always_has_an_end_that_lies_ahead(
    status: Status, held: BookingView | None, started_at: datetime | None, now: datetime
) -> None:
    found = opening(status, held, started_at, now)
    assert (found.until is not None) == (found.state is RoomState.OPEN)
    if found.until is not None:
        assert now < found.until


def stay(role: Role, begins: float, ends: float) -> Stay:
    """A stay, in minutes after 14:00."""
    return Stay(role, START + timedelta(minutes=begins), START + timedelta(minutes=ends))


def test_a_meeting_is_told_in_one_line() -> None:
    held = attendance([stay(Role.EXPERT, 1, 31), stay(Role.GRASSROOTS_DOCTOR, 0, 32), stay(Role.PATIENT, 0.5, 31.6)])
    assert held is not None
    assert held.sentence() == "视频会诊 32分钟（14:00–14:32）：患者31分钟、医生32分钟、专家30分钟"


def test_one_side_alone_is_no_meeting() -> None:
    held = attendance([stay(Role.EXPERT, 0, 0.2)])
    assert held is not None
    assert (held.met, held.sentence()) == (False, "视频会诊室里只来了一方（14:00–14:00）：专家1分钟")


def test_nobody_is_no_attendance() -> None:
    assert attendance([]) is None


_MOMENTS = st.tuples(st.integers(0, 10_000), st.integers(0, 3_000))
STAYS = st.lists(
    st.builds(
        lambda role, at: Stay(role, START + at[0] * SECOND, START + (at[0] + at[1]) * SECOND),
        st.sampled_from(list(ROOM_ROLES)),
        _MOMENTS,
    ),
    min_size=1,
    max_size=12,
)


@given(STAYS, st.randoms())
def test_attendance_counts_each_second_of_a_role_once_in_whatever_order_it_is_told(
    stays: list[Stay], chance: Random
) -> None:
    held = attendance(stays)
    assert held is not None
    for role in ROOM_ROLES:
        seconds = {
            second
            for one in stays
            if one.role is role
            for second in range(int((one.begins - START) / SECOND), int((one.ends - START) / SECOND))
        }
        assert held.by_role.get(role, timedelta()) == len(seconds) * SECOND
        assert held.by_role.get(role, timedelta()) <= held.ends - held.begins
    shuffled = list(stays)
    chance.shuffle(shuffled)
    assert attendance(shuffled) == held
    assert attendance([*stays, *stays]) == held  # two devices of one person


@given(st.integers(0, 100_000))
def test_minutes_are_rounded_and_never_nothing(seconds: int) -> None:
    told = minutes(timedelta(seconds=seconds))
    assert told >= 1
    assert abs(told * 60 - seconds) <= (60 if seconds < 60 else 30)
