"""Things to do at a time: rows with a due time, claimed by one worker however many run."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import JSON, Index, String, UniqueConstraint, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend import tracing
from backend.clock import Clock, backoff
from backend.db import Base, Database, Sequence, UTCDateTime, after_commit

log = logging.getLogger(__name__)

_BATCH = 50
_TICK_SECONDS = 1.0
_LONGEST_BACKOFF = timedelta(minutes=10)
_FIRST_BACKOFF = timedelta(seconds=10)

Handler = Callable[[Mapping[str, Any]], Awaitable[None]]


class Timer(Base):
    """A call of the handler `kind` with `payload` once `due_at` has come."""

    __tablename__ = "timers"
    __table_args__ = (UniqueConstraint("kind", "key"), Index("ix_timers_due_at", "due_at"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(48))
    key: Mapped[str] = mapped_column(String(96))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    trace: Mapped[str] = mapped_column(String(tracing.CARRIED_LENGTH), default="")


class Timers:
    """Sets, cancels and fires timers. A handler's changes and the end of its timer are one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._handlers: dict[str, Handler] = {}
        self._wake = asyncio.Event()
        clock.on_shift(self._wake.set)

    def on(self, kind: str, handler: Handler) -> None:
        """Call `handler` with the payload of every timer of `kind`; each kind has one handler."""
        if kind in self._handlers:
            raise ValueError(f"timers of kind {kind} have a handler already")
        self._handlers[kind] = handler

    async def set(self, session: AsyncSession, kind: str, key: str, due_at: datetime, **payload: Any) -> None:
        """Set the timer (kind, key), in the caller's transaction; one that is set already moves to the new time."""
        if not await self._move(session, kind, key, due_at, payload):
            try:
                async with session.begin_nested():
                    session.add(Timer(kind=kind, key=key, payload=payload, due_at=due_at, trace=tracing.carrier()))
            except IntegrityError:  # another process has set it between the look and the insert
                await self._move(session, kind, key, due_at, payload)
        after_commit(session, self._wake.set)

    async def _move(
        self, session: AsyncSession, kind: str, key: str, due_at: datetime, payload: dict[str, Any]
    ) -> bool:
        values = {"payload": payload, "due_at": due_at, "attempts": 0, "trace": tracing.carrier()}
        moved = await session.execute(update(Timer).where(Timer.kind == kind, Timer.key == key).values(**values))
        return bool(moved.rowcount)  # type: ignore[attr-defined]  # of an UPDATE

    async def cancel(self, session: AsyncSession, kind: str, key: str) -> None:
        """Take the timer (kind, key) back, in the caller's transaction; one that is not set is no error."""
        await session.execute(delete(Timer).where(Timer.kind == kind, Timer.key == key))

    async def fire(self) -> int:
        """Fire what is due now, earliest first; give how many fired or failed."""
        async with self._database.reading() as session:
            query = (
                select(Timer.id, Timer.kind, Timer.trace)
                .where(Timer.due_at <= self._clock.now())
                .order_by(Timer.due_at, Timer.id)
            )
            due = (await session.execute(query.limit(_BATCH))).all()
        for timer_id, kind, trace in due:
            # A trace of its own, which names the one that set it, perhaps a week ago.
            with tracing.span(f"timer {kind}", carried="", link=trace):
                try:
                    await self._fire(timer_id)
                except Exception as error:
                    tracing.note(failed=type(error).__name__)
                    log.exception("timer failed: timer=%d", timer_id)
                    await self._postpone(timer_id)
        return len(due)

    async def _fire(self, timer_id: int) -> None:
        async with self._database.transaction() as session:
            timer = await session.scalar(
                select(Timer)
                .where(Timer.id == timer_id, Timer.due_at <= self._clock.now())
                .with_for_update(skip_locked=True)
            )
            if timer is None:
                return
            # The row goes first, so that a handler may set the same timer again.
            await session.delete(timer)
            await session.flush()
            await self._handlers[timer.kind](timer.payload)

    async def _postpone(self, timer_id: int) -> None:
        async with self._database.transaction() as session:
            timer = await session.get(Timer, timer_id)
            if timer is not None:
                timer.attempts += 1
                timer.due_at = self._clock.now() + backoff(timer.attempts, _FIRST_BACKOFF, _LONGEST_BACKOFF)

    async def _tick(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Fire timers until cancelled: APScheduler wakes this each second, a moved clock or a new timer at once."""
        scheduler = AsyncIOScheduler(timezone="UTC")
        # A late tick is as good as one in time: it only makes this look at the due times.
        scheduler.add_job(self._tick, "interval", seconds=_TICK_SECONDS, coalesce=True, misfire_grace_time=None)
        scheduler.start()
        try:
            while True:
                self._wake.clear()
                if await self.fire() < _BATCH:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), 30)
        finally:
            scheduler.shutdown(wait=False)
