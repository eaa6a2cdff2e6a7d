"""The clock follows the system's, can be moved, and says so to whoever waits."""

from datetime import UTC, datetime, timedelta

from backend.clock import Clock, backoff, local


def test_an_unmoved_clock_tells_the_systems_time() -> None:
    before = datetime.now(UTC)
    assert before <= Clock().now() <= datetime.now(UTC)
    assert Clock().now().tzinfo is UTC


def test_a_moved_clock_runs_on_from_where_it_was_moved_to() -> None:
    clock = Clock()
    clock.advance(timedelta(days=3))
    clock.advance(timedelta(hours=1))
    ahead = clock.now() - datetime.now(UTC)
    assert timedelta(days=3, minutes=59) < ahead <= timedelta(days=3, hours=1)


def test_whoever_waits_hears_of_every_move_and_of_nothing_else() -> None:
    clock, moves = Clock(), []
    clock.on_shift(lambda: moves.append(1))
    clock.shift(timedelta(hours=1))
    clock.shift(timedelta(hours=1))
    clock.advance(timedelta(hours=1))
    assert len(moves) == 2


def test_a_day_begins_at_midnight_in_china() -> None:
    today = Clock().today()
    assert (today.hour, today.minute, today.second, today.microsecond) == (0, 0, 0, 0)
    assert today.utcoffset() == timedelta(hours=8)
    assert timedelta() <= Clock().now() - today < timedelta(days=1)


def test_people_in_china_read_a_moment_eight_hours_on() -> None:
    assert local(datetime(2026, 1, 1, 20, 0, tzinfo=UTC)).isoformat() == "2026-01-02T04:00:00+08:00"


def test_a_wait_doubles_up_to_the_longest_however_often_it_failed() -> None:
    first, longest = timedelta(seconds=2), timedelta(minutes=10)
    waits = [backoff(failures, first, longest) for failures in (1, 2, 3, 10, 100_000)]
    assert waits == [first, 2 * first, 4 * first, longest, longest]
