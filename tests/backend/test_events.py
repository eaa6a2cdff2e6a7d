"""An event is part of the change it tells of, and changes each consumer's world exactly once."""

import asyncio
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select, text

from backend.clock import Clock
from backend.db import Database
from backend.events import Event, EventBus
from backend.timers import Timer, Timers


@pytest.fixture
def bus(database: Database, clock: Clock) -> EventBus:
    return EventBus(database, clock)


async def publish(database: Database, bus: EventBus, type_: str, *, fail: bool = False, **payload: object) -> None:
    async with database.transaction() as session:
        await bus.publish(session, type_, **payload)
        if fail:
            raise LookupError


class Ledger:
    """A consumer whose effect is a row: what is handled twice would stand there twice."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.timers = Timers(database, clock)
        self.clock = clock
        self.failures = 0
        self.seen: list[Event] = []

    async def handle(self, event: Event) -> None:
        async with self.database.transaction() as session:
            await self.timers.set(session, "handled", f"{event.type}-{event.id}", self.clock.now())
        if self.failures:
            self.failures -= 1
            raise LookupError
        self.seen.append(event)

    async def effects(self) -> int:
        async with self.database.reading() as session:
            return len((await session.scalars(select(Timer.id))).all())


@pytest_asyncio.fixture
async def ledger(database: Database, clock: Clock) -> Ledger:
    return Ledger(database, clock)


async def test_an_event_reaches_its_consumers_with_what_it_tells(
    database: Database, bus: EventBus, ledger: Ledger
) -> None:
    bus.subscribe("ledger", ["consultation.submitted"], ledger.handle)
    await publish(database, bus, "consultation.submitted", consultation_id="c1", steps=[1, 2])
    assert await bus.dispatch() == 1
    [event] = ledger.seen
    assert (event.type, event.payload) == ("consultation.submitted", {"consultation_id": "c1", "steps": [1, 2]})
    assert await bus.dispatch() == 0


async def test_an_event_of_a_transaction_that_failed_never_happened(
    database: Database, bus: EventBus, ledger: Ledger
) -> None:
    bus.subscribe("ledger", ["a"], ledger.handle)
    with pytest.raises(LookupError):
        await publish(database, bus, "a", fail=True)
    assert await bus.dispatch() == 0


async def test_a_consumer_hears_only_of_what_it_subscribed_to(
    database: Database, bus: EventBus, ledger: Ledger
) -> None:
    bus.subscribe("ledger", ["a"], ledger.handle)
    await publish(database, bus, "b")
    await publish(database, bus, "a")
    await bus.dispatch()
    assert [event.type for event in ledger.seen] == ["a"]


async def test_events_are_handed_on_in_the_order_in_which_they_happened(
    database: Database, bus: EventBus, ledger: Ledger
) -> None:
    bus.subscribe("ledger", ["a", "b"], ledger.handle)
    async with database.transaction() as session:
        for number in range(10):
            await bus.publish(session, "ab"[number % 2], number=number)
    await bus.dispatch()
    assert [event.payload["number"] for event in ledger.seen] == list(range(10))


async def test_a_handler_that_fails_leaves_no_effect_and_is_tried_again_later(
    database: Database, bus: EventBus, ledger: Ledger, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bus.subscribe("ledger", ["a"], ledger.handle)
    ledger.failures = 1
    await publish(database, bus, "a", secret="never logged")
    await bus.dispatch()
    assert await ledger.effects() == 0
    assert "never logged" not in caplog.text
    assert await bus.dispatch() == 0
    clock.advance(timedelta(seconds=3))
    assert await bus.dispatch() == 1
    assert await ledger.effects() == 1


async def test_a_consumer_that_fails_does_not_hold_the_others_up(
    database: Database, bus: EventBus, ledger: Ledger, clock: Clock
) -> None:
    broken = Ledger(database, clock)
    broken.failures = 100
    bus.subscribe("broken", ["a"], broken.handle)
    bus.subscribe("ledger", ["a"], ledger.handle)
    for _ in range(3):
        await publish(database, bus, "a")
    await bus.dispatch()
    assert len(ledger.seen) == 3


async def test_two_processes_that_dispatch_at_once_handle_each_event_once(
    database: Database, bus: EventBus, ledger: Ledger, clock: Clock
) -> None:
    other = EventBus(database, clock)
    for one in (bus, other):
        one.subscribe("ledger", ["a"], ledger.handle)
    for _ in range(10):
        await publish(database, bus, "a")
    await asyncio.gather(bus.dispatch(), other.dispatch())
    assert sorted(event.id for event in ledger.seen) == sorted({event.id for event in ledger.seen})
    assert await ledger.effects() == 10


async def test_a_running_bus_hands_on_without_being_asked(database: Database, bus: EventBus, ledger: Ledger) -> None:
    arrived = asyncio.Event()

    async def handle(event: Event) -> None:
        await ledger.handle(event)
        arrived.set()

    bus.subscribe("ledger", ["a"], handle)
    worker = asyncio.create_task(bus.run())
    try:
        await publish(database, bus, "a")
        await asyncio.wait_for(arrived.wait(), 20)
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


def test_a_consumer_subscribes_to_a_type_once(bus: EventBus, ledger: Ledger) -> None:
    bus.subscribe("ledger", ["a"], ledger.handle)
    with pytest.raises(ValueError, match="twice"):
        bus.subscribe("ledger", ["b", "a"], ledger.handle)


async def test_an_event_without_consumers_is_kept_as_history(database: Database, bus: EventBus) -> None:
    await publish(database, bus, "a")
    assert await bus.dispatch() == 0
    async with database.reading() as session:
        assert await session.scalar(text("SELECT COUNT(*) FROM events")) == 1
