"""Papers that wait to be made: one after another, by whoever claims them, in a process of their own; none is dropped.

The table that waits has a row for each with `due_at` (when it is to be tried next, and the lease while somebody does;
empty once it is done) and `attempts`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from backend.clock import Clock, backoff
from backend.db import Database
from backend.worker_processes import WorkerProcesses

log = logging.getLogger(__name__)

_LEASE = timedelta(minutes=2)
_FIRST_BACKOFF, _LONGEST_BACKOFF = timedelta(seconds=2), timedelta(minutes=10)
_POLL_SECONDS = 1.0


class PrintQueue:
    """The papers of one table.

    Args:
        key: the identifying column of the table.
        make: makes and keeps the paper of a key and empties its `due_at`; what is there already stays.
        lease: longer than any takes; after it somebody else tries.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        key: InstrumentedAttribute[str],
        make: Callable[[str], Awaitable[object]],
        lease: timedelta = _LEASE,
    ) -> None:
        self._database = database
        self._clock = clock
        self._key = key
        self._table: Any = key.class_
        self._make = make
        self._lease = lease
        self._wake = asyncio.Event()
        self.printer = WorkerProcesses(1, niceness=5)
        clock.on_shift(self.wake)

    def wake(self) -> None:
        """Look at once whether something waits."""
        self._wake.set()

    def close(self) -> None:
        """End the process that prints."""
        self.printer.close()

    async def keep_making(self) -> None:
        """Make what waits, one after another, until cancelled."""
        while True:
            self._wake.clear()
            if not await self.make_next():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)

    async def make_next(self) -> bool:
        """Make one paper that waits; tell whether one did."""
        key = await self._claim()
        if key is None:
            return False
        try:
            await self._make(key)
        except Exception:  # it stays in the queue, whatever it was: nothing that is signed goes without paper
            log.exception("paper not made: table=%s key=%s", self._table.__tablename__, key)
            await self._postpone(key)
        return True

    async def _claim(self) -> str | None:
        now = self._clock.now()
        async with self._database.transaction() as session:
            query = select(self._table).where(self._table.due_at <= now).order_by(self._table.due_at).limit(1)
            row = await session.scalar(query.with_for_update(skip_locked=True))
            if row is None:
                return None
            row.due_at = now + self._lease
            row.attempts += 1
            return str(getattr(row, self._key.key))

    async def _postpone(self, key: str) -> None:
        async with self._database.transaction() as session:
            row = await session.get_one(self._table, key)
            row.due_at = self._clock.now() + backoff(row.attempts, _FIRST_BACKOFF, _LONGEST_BACKOFF)
