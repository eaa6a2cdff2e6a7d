"""Gives the audit log's entries their places in the tree, after their commit, and keeps signed heads of it.

Numbers of rows are no order: they are given before the commit, with gaps where transactions fail. Places are 0, 1, 2 …
without a gap, because a place is a primary key and whoever is second with it begins anew.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database, is_transient
from backend.security.audit_heads import HeadFolder
from backend.security.audit_leaves import BLOCK, BLOCK_BITS, AuditKeys, body_of, leaf_of, stamp
from backend.security.merkle import Frontier, root_of
from backend.security.tables import AuditBlock, AuditEntry, AuditLeaf

log = logging.getLogger(__name__)

_BATCH = 500
_POLL_SECONDS = 5.0
_GATHER_SECONDS = 0.2
# Transactions may commit in another order than their entries were numbered: the sequencer looks this many entries back
# each time, and over the whole log when it starts and then every few minutes.
_LOOK_BACK = 1_000
_LOOK_OVER_ALL_SECONDS = 300.0
_READ_AT_ONCE = 5_000


class Sequencer:
    """Gives places; any number of processes may run one. `wake` is set by whoever wrote an entry."""

    def __init__(self, database: Database, clock: Clock, heads: HeadFolder | None) -> None:
        self._database = database
        self._clock = clock
        self._heads = heads
        self._frontier: Frontier | None = None
        self._looked_over_all: float | None = None
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled: soon after each commit that recorded something here, else every few seconds."""
        while True:
            self.wake.clear()
            try:
                await self.seal()
            except Exception:
                log.exception("audit entries not sealed; tried again soon")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), _POLL_SECONDS)
            await asyncio.sleep(_GATHER_SECONDS)  # a burst of commits is sealed in one go

    async def seal(self) -> int:
        """Give every entry that has none its place, oldest first, and keep a head; give how many got one here."""
        sealed = await self._seal()
        await self._keep_head()
        return sealed

    async def _seal(self) -> int:
        sealed = 0
        now = time.monotonic()
        look_over_all = self._looked_over_all is None or now - self._looked_over_all > _LOOK_OVER_ALL_SECONDS
        if look_over_all:
            self._looked_over_all = now
        while True:
            try:
                count = await self._seal_batch(look_over_all)
            except DBAPIError as error:
                if isinstance(error, IntegrityError) or is_transient(error):
                    return sealed  # another process's sequencer was first and does the work
                raise
            sealed += count
            if count < _BATCH:
                return sealed

    async def _seal_batch(self, look_over_all: bool) -> int:
        # Looked for outside the transaction: the search over all may take long, and nobody can write meanwhile inside.
        waiting = await self._unsealed(look_over_all)
        if not waiting:
            return 0
        keys = AuditKeys()
        async with self._database.transaction() as session:
            last = await session.scalar(select(func.max(AuditLeaf.position)))
            first = position = 0 if last is None else last + 1
            rows = []
            for entry in await session.scalars(
                select(AuditEntry).where(AuditEntry.id.in_(waiting)).order_by(AuditEntry.id)
            ):
                body = entry_body(entry)
                leaf = leaf_of(entry.id, body)
                # One that the program did not write gets its place too, or it would stand in the way for ever: with
                # a seal that says so.
                seal = keys.seal(position, entry.id, leaf, entry.mac if keys.mac(body) == entry.mac else b"")
                rows.append({"position": position, "entry_id": entry.id, "leaf_hash": leaf, "seal": seal})
                position += 1
            # An entry that another sequencer was first with breaks a unique constraint, and this batch ends.
            await session.execute(insert(AuditLeaf), rows)
            for number in range(first // BLOCK, position // BLOCK):
                await _close_block(session, number)
        return len(waiting)

    async def _unsealed(self, look_over_all: bool) -> Sequence[int]:
        query = (
            select(AuditEntry.id)
            .outerjoin(AuditLeaf, AuditLeaf.entry_id == AuditEntry.id)
            .where(AuditLeaf.entry_id.is_(None))
            .order_by(AuditEntry.id)
            .limit(_BATCH)
        )
        async with self._database.reading() as session:
            if not look_over_all:
                newest = await session.scalar(select(func.max(AuditLeaf.entry_id)))
                query = query.where(AuditEntry.id > (newest or 0) - _LOOK_BACK)
            return (await session.scalars(query)).all()

    async def _keep_head(self) -> None:
        """Keep a head of what this process has seen grow: what it saw once is not read again."""
        if self._heads is None:
            return
        async with self._database.reading() as session:
            if self._frontier is None:
                self._frontier = await grown_by_blocks(session)
            if not await _grow(session, self._frontier):
                log.error("audit log: place %d is missing; no head is signed", self._frontier.size)
                return
        frontier = self._frontier
        await asyncio.to_thread(self._heads.keep, frontier.size, frontier.root(), self._clock.now())


def entry_body(entry: AuditEntry) -> bytes:
    """Give the canonical bytes of an entry but for its number."""
    return body_of(
        stamp(entry.at),
        entry.actor_id,
        entry.actor_roles,
        entry.action,
        entry.patient_id,
        entry.subject,
        entry.reason or "",
        entry.nonce,
    )


async def grown_by_blocks(session: AsyncSession) -> Frontier:
    """Give the tree of all whole blocks."""
    frontier = Frontier()
    for root in await session.scalars(select(AuditBlock.root).order_by(AuditBlock.number)):
        frontier.append(root, BLOCK_BITS)
    return frontier


async def _grow(session: AsyncSession, frontier: Frontier) -> bool:
    """Take the leaves that came since; False where one is missing in between."""
    while True:
        query = (
            select(AuditLeaf.position, AuditLeaf.leaf_hash)
            .where(AuditLeaf.position >= frontier.size)
            .order_by(AuditLeaf.position)
            .limit(_READ_AT_ONCE)
        )
        rows = (await session.execute(query)).all()
        for position, leaf in rows:
            if position != frontier.size:
                return False
            frontier.append(leaf)
        if len(rows) < _READ_AT_ONCE:
            return True


async def _close_block(session: AsyncSession, number: int) -> None:
    between = (AuditLeaf.position >= number * BLOCK, AuditLeaf.position < (number + 1) * BLOCK)
    leaves = (await session.scalars(select(AuditLeaf.leaf_hash).where(*between).order_by(AuditLeaf.position))).all()
    if len(leaves) != BLOCK:
        log.error("audit log: a place of block %d is missing", number)
        return
    session.add(AuditBlock(number=number, root=root_of(leaves)))
