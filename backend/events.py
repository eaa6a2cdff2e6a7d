"""What happened: written in the transaction of the change it tells of, handed on afterwards, once to each consumer."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend import tracing
from backend.clock import Clock, backoff
from backend.db import Base, Database, Sequence, UTCDateTime, after_commit

log = logging.getLogger(__name__)

_BATCH = 50
_POLL_SECONDS = 1.0
_LONGEST_BACKOFF = timedelta(minutes=5)
_FIRST_BACKOFF = timedelta(seconds=2)


class EventRow(Base):
    """One thing that happened. The payload holds identifiers and codes, never personal or clinical text."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    type: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    occurred_at: Mapped[datetime] = mapped_column(UTCDateTime)
    trace: Mapped[str] = mapped_column(String(tracing.CARRIED_LENGTH), default="")


class PendingDelivery(Base):
    """An event that a consumer has not handled yet; the row goes in the transaction in which the consumer did."""

    __tablename__ = "event_deliveries"
    __table_args__ = (Index("ix_event_deliveries_due", "due_at", "event_id"), Base.__table_args__)

    consumer: Mapped[str] = mapped_column(String(32), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)


@dataclass(frozen=True)
class Event:
    """An event as its consumers see it."""

    id: int
    type: str
    payload: Mapping[str, Any]
    occurred_at: datetime


Handler = Callable[[Event], Awaitable[None]]


class EventBus:
    """Publishes events and hands them to the consumers of this process, in order, inside one transaction each.

    A consumer's own changes and the fact that it has seen the event are committed together: however often a process
    is killed, each event changes the database once. Subscribe before the first publication, in every process alike.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._wake = asyncio.Event()
        clock.on_shift(self._wake.set)

    def subscribe(self, consumer: str, types: Iterable[str], handler: Handler) -> None:
        """Let `consumer` (a stable name, at most 32 characters) handle every event of `types` from now on."""
        for type_ in types:
            if (consumer, type_) in self._handlers:
                raise ValueError(f"{consumer} subscribes to {type_} twice")
            self._handlers[consumer, type_] = handler

    async def publish(self, session: AsyncSession, type_: str, **payload: Any) -> None:
        """Write that `type_` happened, in the caller's transaction. `payload`: JSON values, no personal text."""
        now = self._clock.now()
        row = EventRow(type=type_, payload=payload, occurred_at=now, trace=tracing.carrier())
        session.add(row)
        consumers = [consumer for consumer, wanted in self._handlers if wanted == type_]
        if consumers:
            await session.flush()
            session.add_all(PendingDelivery(consumer=name, event_id=row.id, due_at=now) for name in consumers)
            after_commit(session, self._wake.set)

    async def dispatch(self) -> int:
        """Hand on the events that are due now, oldest first; give how many were handled or failed."""
        async with self._database.reading() as session:
            query = (
                select(PendingDelivery.consumer, PendingDelivery.event_id, EventRow.type, EventRow.trace)
                .join(EventRow, EventRow.id == PendingDelivery.event_id)
                .where(PendingDelivery.due_at <= self._clock.now())
                .order_by(PendingDelivery.event_id)
                .limit(_BATCH)
            )
            due = (await session.execute(query)).all()
        for consumer, event_id, type_, trace in due:
            with tracing.span(f"event {type_}", carried=trace, consumer=consumer):
                try:
                    await self._deliver(consumer, event_id)
                except Exception as error:
                    tracing.note(failed=type(error).__name__)
                    log.exception("event not handled: consumer=%s event=%d", consumer, event_id)
                    await self._postpone(consumer, event_id)
        return len(due)

    async def _deliver(self, consumer: str, event_id: int) -> None:
        async with self._database.transaction() as session:
            claimed = await session.scalar(
                select(PendingDelivery)
                .where(PendingDelivery.consumer == consumer, PendingDelivery.event_id == event_id)
                .with_for_update(skip_locked=True)
            )
            if claimed is None:
                return
            row = await session.get_one(EventRow, event_id)
            handler = self._handlers.get((consumer, row.type))
            if handler is None:  # a newer version of the product has no such consumer any more
                log.warning("event dropped: consumer=%s event=%d", consumer, event_id)
            else:
                await handler(Event(row.id, row.type, row.payload, row.occurred_at))
            await session.execute(
                delete(PendingDelivery).where(
                    PendingDelivery.consumer == consumer, PendingDelivery.event_id == event_id
                )
            )

    async def _postpone(self, consumer: str, event_id: int) -> None:
        async with self._database.transaction() as session:
            row = await session.get(PendingDelivery, (consumer, event_id))
            if row is not None:
                row.attempts += 1
                row.due_at = self._clock.now() + backoff(row.attempts, _FIRST_BACKOFF, _LONGEST_BACKOFF)

    async def run(self) -> None:
        """Hand events on until cancelled."""
        while True:
            self._wake.clear()
            if await self.dispatch() < _BATCH:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)
