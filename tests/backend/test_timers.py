"""A timer fires once when its time has come, whatever happens in between."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from backend.clock import Clock
from backend.db import Database
from backend.timers import Timers


class Bell:
    """Remembers every ring, and rings again later where it is told to."""

    def __init__(self) -> None:
        self.rings: list[Mapping[str, Any]] = []
        self.failures = 0
        self.rang = asyncio.Event()

    async def ring(self, payload: Mapping[str, Any]) -> None:
        if self.failures:
            self.failures -= 1
            raise LookupError
        self.rings.append(payload)
        self.rang.set()


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def timers(database: Database, clock: Clock, bell: Bell) -> Timers:
    timers = Timers(database, clock)
    timers.on("bell", bell.ring)
    return timers


async def set_timer(database: Database, timers: Timers, clock: Clock, key: str, seconds: float, **payload: Any) -> None:
    async with database.transaction() as session:
        await timers.set(session, "bell", key, clock.now() + timedelta(seconds=seconds), **payload)


async def test_a_timer_fires_once_when_its_time_has_come(
    database: Database, timers: Timers, clock: Clock, bell: Bell
) -> None:
    await set_timer(database, timers, clock, "k", 60, consultation_id="c1")
    assert await timers.fire() == 0
    clock.advance(timedelta(seconds=61))
    assert await timers.fire() == 1
    assert await timers.fire() == 0
    assert bell.rings == [{"consultation_id": "c1"}]


async def test_timers_fire_in_the_order_of_their_times(
    database: Database, timers: Timers, clock: Clock, bell: Bell
) -> None:
    for seconds in (30, 10, 20):
        await set_timer(database, timers, clock, str(seconds), seconds, after=seconds)
    clock.advance(timedelta(minutes=1))
    await timers.fire()
    assert [ring["after"] for ring in bell.rings] == [10, 20, 30]


async def test_setting_a_timer_again_moves_it(database: Database, timers: Timers, clock: Clock, bell: Bell) -> None:
    await set_timer(database, timers, clock, "k", 10, number=1)
    await set_timer(database, timers, clock, "k", 100, number=2)
    clock.advance(timedelta(seconds=11))
    assert await timers.fire() == 0
    clock.advance(timedelta(seconds=90))
    await timers.fire()
    assert bell.rings == [{"number": 2}]


async def test_a_cancelled_timer_does_not_fire_and_cancelling_nothing_is_harmless(
    database: Database, timers: Timers, clock: Clock, bell: Bell
) -> None:
    await set_timer(database, timers, clock, "k", 10)
    async with database.transaction() as session:
        await timers.cancel(session, "bell", "k")
        await timers.cancel(session, "bell", "unknown")
    clock.advance(timedelta(seconds=11))
    assert await timers.fire() == 0
    assert bell.rings == []


async def test_a_timer_of_a_transaction_that_failed_was_never_set(
    database: Database, timers: Timers, clock: Clock
) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            await timers.set(session, "bell", "k", clock.now())
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await timers.fire() == 0


async def test_a_handler_may_set_its_own_timer_again(database: Database, clock: Clock) -> None:
    timers, rings = Timers(database, clock), []

    async def daily(payload: Mapping[str, Any]) -> None:
        rings.append(payload["day"])
        async with database.transaction() as session:
            await timers.set(session, "daily", "k", clock.now() + timedelta(days=1), day=payload["day"] + 1)

    timers.on("daily", daily)
    async with database.transaction() as session:
        await timers.set(session, "daily", "k", clock.now(), day=1)
    for _ in range(3):
        await timers.fire()
        clock.advance(timedelta(days=1, seconds=1))
    assert rings == [1, 2, 3]


async def test_a_handler_that_fails_is_tried_again_later(
    database: Database, timers: Timers, clock: Clock, bell: Bell
) -> None:
    bell.failures = 1
    await set_timer(database, timers, clock, "k", 0)
    assert await timers.fire() == 1
    assert bell.rings == []
    assert await timers.fire() == 0
    clock.advance(timedelta(seconds=11))
    await timers.fire()
    assert len(bell.rings) == 1


async def test_two_processes_that_fire_at_once_fire_each_timer_once(
    database: Database, timers: Timers, clock: Clock, bell: Bell
) -> None:
    other = Timers(database, clock)
    other.on("bell", bell.ring)
    for number in range(10):
        await set_timer(database, timers, clock, str(number), 0, number=number)
    await asyncio.gather(timers.fire(), other.fire())
    assert sorted(ring["number"] for ring in bell.rings) == list(range(10))


async def test_a_moved_clock_wakes_running_timers_at_once(
    database: Database, timers: Timers, clock: Clock, bell: Bell
) -> None:
    await set_timer(database, timers, clock, "k", 7 * 86_400)
    worker = asyncio.create_task(timers.run())
    try:
        clock.advance(timedelta(days=8))
        await asyncio.wait_for(bell.rang.wait(), 20)
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    assert len(bell.rings) == 1


def test_a_kind_has_one_handler(timers: Timers, bell: Bell) -> None:
    with pytest.raises(ValueError, match="already"):
        timers.on("bell", bell.ring)
