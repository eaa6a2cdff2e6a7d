"""Weekly hours become slots."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import LOCAL_ZONE, local
from backend.errors import InvalidInput
from backend.scheduling import WeeklyHours, with_hours, without_hours
from backend.scheduling.rules import Plan, Span, check_week, clock_text, minute_of_day

MONDAY = datetime(2026, 11, 23, tzinfo=LOCAL_ZONE)
HOURS = st.builds(
    lambda weekday, start, length, slot: WeeklyHours(weekday, clock_text(start), clock_text(start + length), slot),
    st.integers(0, 6),
    st.integers(0, 1000),
    st.integers(60, 400),
    st.integers(5, 60),
)


def test_a_morning_becomes_slots_of_half_an_hour() -> None:
    found = list(Plan([WeeklyHours(0, "09:00", "10:15")]).spans(MONDAY, MONDAY + timedelta(days=7)))
    assert [f"{local(span.starts_at):%a %H:%M}" for span in found] == ["Mon 09:00", "Mon 09:30"]


def test_a_slot_that_touches_an_absence_is_left_out() -> None:
    away = Span(MONDAY.replace(hour=9, minute=45), MONDAY.replace(hour=10))
    found = Plan([WeeklyHours(0, "09:00", "11:00")], {}, [away]).spans(MONDAY, MONDAY + timedelta(days=1))
    assert [local(span.starts_at).hour * 60 + local(span.starts_at).minute for span in found] == [540, 600, 630]


def test_a_day_with_hours_of_its_own_has_those_alone_and_one_without_any_is_free() -> None:
    week = [WeeklyHours(weekday, "09:00", "10:00", 60) for weekday in range(7)]
    days = {MONDAY.date(): [WeeklyHours(0, "14:00", "15:00", 60)], MONDAY.date() + timedelta(days=1): []}
    plan = Plan(week, days)
    found = [f"{local(span.starts_at):%a %H:%M}" for span in plan.spans(MONDAY, MONDAY + timedelta(days=3))]
    assert found == ["Mon 14:00", "Wed 09:00"]
    assert plan.in_hours(MONDAY.replace(hour=14, minute=59))
    assert not plan.in_hours(MONDAY.replace(hour=9))


def test_on_a_holiday_the_weeks_hours_rest_unless_they_were_given_for_it() -> None:
    thursday = datetime(2026, 10, 1, tzinfo=LOCAL_ZONE)
    morning = WeeklyHours(3, "09:00", "10:00", 60)
    evening = WeeklyHours(3, "18:00", "19:00", 60, on_holidays=True)
    plan = Plan([morning, evening])
    assert plan.hours_of(thursday.date()) == [evening]
    assert plan.rests(thursday.date())
    assert not plan.in_hours(thursday.replace(hour=9))
    assert [local(one.starts_at).hour for one in plan.spans(thursday, thursday + timedelta(days=8))] == [18, 9, 18]
    own = Plan([morning], {thursday.date(): [morning]})
    assert own.hours_of(thursday.date()) == [morning]
    assert not own.rests(thursday.date())


def test_a_weekend_that_makes_up_for_a_holiday_has_the_hours_of_its_weekday() -> None:
    saturday = date(2026, 10, 10)
    assert Plan([WeeklyHours(5, "09:00", "10:00")]).hours_of(saturday) == [WeeklyHours(5, "09:00", "10:00")]
    assert Plan([WeeklyHours(0, "09:00", "10:00")]).hours_of(saturday) == []


def test_a_booking_is_covered_by_one_stretch_alone() -> None:
    plan = Plan([WeeklyHours(0, "09:00", "10:00"), WeeklyHours(0, "10:00", "11:00")])
    nine = MONDAY.replace(hour=9)
    assert plan.covers(Span(nine, nine + timedelta(hours=1)))
    assert not plan.covers(Span(nine + timedelta(minutes=30), nine + timedelta(minutes=90)))
    assert not plan.covers(Span(nine - timedelta(minutes=1), nine))


@given(st.lists(HOURS, max_size=4), st.integers(0, 20_000), st.integers(1, 20_000))
def test_slots_lie_in_the_hours_in_order_and_inside_the_window(
    week: list[WeeklyHours], start: int, length: int
) -> None:
    from_ = MONDAY.astimezone(UTC) + timedelta(minutes=start)
    until = from_ + timedelta(minutes=length)
    try:
        checked = check_week(week)
    except InvalidInput:
        return
    plan = Plan(checked)
    found = list(plan.spans(from_, until))
    assert all(from_ <= span.starts_at < until for span in found)
    assert all(plan.in_hours(span.starts_at) for span in found)
    assert all(plan.in_hours(span.ends_at - timedelta(seconds=1)) for span in found)
    assert all(plan.covers(span) for span in found)
    assert all(one.ends_at <= two.starts_at for one, two in pairwise(found))


@pytest.mark.parametrize(
    "week",
    [
        [WeeklyHours(7, "09:00", "10:00")],
        [WeeklyHours(0, "10:00", "09:00")],
        [WeeklyHours(0, "09:00", "09:20", 30)],
        [WeeklyHours(0, "09:00", "10:00", 1)],
        [WeeklyHours(0, "9 Uhr", "10:00")],
        [WeeklyHours(0, "09:00", "24:00")],
        [WeeklyHours(0, "09:00", "11:00"), WeeklyHours(0, "10:00", "12:00")],
    ],
)
def test_hours_that_cannot_be_are_refused(week: list[WeeklyHours]) -> None:
    with pytest.raises(InvalidInput):
        check_week(week)


@given(st.integers(0, 24 * 60 - 1))
def test_minutes_and_clock_times_are_the_same_thing(minute: int) -> None:
    assert minute_of_day(clock_text(minute)) == minute


@given(st.lists(HOURS, max_size=4), st.integers(0, 1300), st.integers(30, 130))
def test_time_that_is_taken_out_or_put_in_touches_nothing_else(
    held: list[WeeklyHours], start: int, length: int
) -> None:
    try:
        day = check_week(WeeklyHours(0, one.start, one.end, one.slot_minutes) for one in held)
    except InvalidInput:
        return
    span = range(start, start + length)
    left = without_hours(day, span.start, span.stop)
    before, after = (_minutes(hours) for hours in (day, left))
    assert not after & set(span)
    assert after <= before
    shortest = max((one.slot_minutes for one in day), default=0)
    assert len(before - set(span) - after) < 2 * shortest + 1  # what is too short for a slot goes too
    more = WeeklyHours(0, clock_text(span.start), clock_text(span.stop), 30)
    assert _minutes(check_week(with_hours(day, [more]))) == after | set(span)


def _minutes(hours: list[WeeklyHours]) -> set[int]:
    return {minute for one in hours for minute in range(one.start_minute, one.end_minute)}
