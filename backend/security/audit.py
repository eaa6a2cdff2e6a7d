"""The audit log: who did what to whose data, and proof that nobody has rewritten it since.

An entry is one INSERT in the transaction of what it tells of. Shortly after the commit the sealer puts the new entries
into a chain: each seal's digest is HMAC-SHA-256 over the digest before it and the entry, under a key derived from the
key ring, so that whoever can only write to the database can neither change an entry nor forge a new chain.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database, after_commit, is_transient, key_ring
from backend.security.policy import Action, Actor, require
from backend.security.tables import AuditEntry, AuditSeal

log = logging.getLogger(__name__)

_BATCH = 500
_POLL_SECONDS = 5.0
_GATHER_SECONDS = 0.2
_GENESIS = "0" * 64
# Transactions may commit in another order than their entries were numbered: the sealer looks this many entries back
# each time, and over the whole log when it starts and then every few minutes.
_LOOK_BACK = 1_000
_LOOK_OVER_ALL_SECONDS = 300.0


@dataclass(frozen=True)
class AuditHead:
    """The end of the chain at some moment: what the sealer logs now and then, so that it can be noted elsewhere."""

    position: int
    digest: str


@dataclass(frozen=True)
class AuditReport:
    """What a verification found.

    Args:
        ok: every seal fits its entry and the seal before it, none is missing, and the noted head is in the chain.
        entries: how many entries the chain holds.
        first_bad: the first entry that was changed, or whose place in the chain was.
        unsealed: entries that wait for the sealer; more than a handful for more than seconds is a fault.
    """

    ok: bool
    entries: int
    first_bad: int | None
    unsealed: int
    head: AuditHead


@dataclass(frozen=True)
class AuditRecord:
    """An entry as an auditor reads it."""

    id: int
    at: str
    actor_id: str
    actor_roles: str
    action: str
    patient_id: str | None
    subject: str
    reason: str


class AuditLog:
    """Writes, seals, verifies and lists the audit log."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._wake = asyncio.Event()
        self._looked_over_all: float | None = None

    async def record(
        self,
        session: AsyncSession,
        actor: Actor,
        action: str,
        *,
        patient_id: str | None = None,
        subject: str = "",
        reason: str = "",
    ) -> None:
        """Write, in the caller's transaction, that `actor` does `action`.

        Args:
            action: at most 64 characters, such as "consultation.read_record".
            patient_id: whose data it is about.
            subject: what it is done to, such as "consultation:0190…".
            reason: in words, where the person gave one; encrypted at rest.
        """
        session.add(
            AuditEntry(
                at=self._clock.now(),
                actor_id=actor.person_id,
                actor_roles=",".join(sorted(actor.roles)),
                action=str(action),
                patient_id=patient_id,
                subject=subject,
                reason=reason or None,
            )
        )
        after_commit(session, self._wake.set)

    async def seal(self) -> int:
        """Put the entries that are not in the chain yet into it, oldest first, and give how many were."""
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
                    return sealed  # another process's sealer was first and does the work
                raise
            sealed += count
            if count < _BATCH:
                break
        if look_over_all:
            await self._log_head()
        return sealed

    async def _seal_batch(self, look_over_all: bool) -> int:
        # Looked for outside the transaction: the search over all may take long, and nobody can write meanwhile inside.
        waiting = await self._unsealed(look_over_all)
        if not waiting:
            return 0
        async with self._database.transaction() as session:
            last = await session.scalar(select(AuditSeal).order_by(AuditSeal.position.desc()).limit(1))
            position, digest = (last.position, last.digest) if last else (0, _GENESIS)
            query = select(AuditEntry).where(AuditEntry.id.in_(waiting)).order_by(AuditEntry.id)
            for entry in await session.scalars(query):
                position += 1
                digest = _digest(digest, entry)
                # An entry that another sealer was first with breaks a unique constraint, and this batch ends.
                session.add(AuditSeal(position=position, entry_id=entry.id, digest=digest))
        return len(waiting)

    async def _log_head(self) -> None:
        async with self._database.reading() as session:
            last = await session.scalar(select(AuditSeal).order_by(AuditSeal.position.desc()).limit(1))
        if last is not None:
            log.info("audit chain: position=%d digest=%s", last.position, last.digest)

    async def _unsealed(self, look_over_all: bool) -> Sequence[int]:
        query = (
            select(AuditEntry.id)
            .outerjoin(AuditSeal, AuditSeal.entry_id == AuditEntry.id)
            .where(AuditSeal.entry_id.is_(None))
            .order_by(AuditEntry.id)
            .limit(_BATCH)
        )
        async with self._database.reading() as session:
            if not look_over_all:
                newest = await session.scalar(select(func.max(AuditSeal.entry_id)))
                query = query.where(AuditEntry.id > (newest or 0) - _LOOK_BACK)
            return (await session.scalars(query)).all()

    async def verify(self, noted: AuditHead | None = None) -> AuditReport:
        """Compute the whole chain again and compare, a page at a time; the log may grow meanwhile.

        Args:
            noted: a head that was written down earlier, outside the database. Without one, the removal of the newest
                entries together with their seals cannot be told from their never having been.
        """
        head, first_bad, found = AuditHead(0, _GENESIS), None, noted is None
        while True:
            rows = await self._chain(after=head.position)
            for seal, entry in rows:
                head = AuditHead(head.position + 1, _digest(head.digest, entry) if entry else "")
                fits = seal.position == head.position and hmac.compare_digest(head.digest, seal.digest)
                if first_bad is None and not fits:
                    first_bad = seal.entry_id
                found = found or head == noted
            if len(rows) < _BATCH or first_bad is not None:
                break
        async with self._database.reading() as session:
            total = await session.scalar(select(func.count()).select_from(AuditEntry)) or 0
            chained = await session.scalar(select(func.count()).select_from(AuditSeal)) or 0
        return AuditReport(first_bad is None and found, chained, first_bad, max(total - chained, 0), head)

    async def _chain(self, after: int) -> Sequence[Row[AuditSeal, AuditEntry]]:
        query = (
            select(AuditSeal, AuditEntry)
            .outerjoin(AuditEntry, AuditEntry.id == AuditSeal.entry_id)
            .where(AuditSeal.position > after)
            .order_by(AuditSeal.position)
            .limit(_BATCH)
        )
        async with self._database.reading() as session:
            return (await session.execute(query)).all()

    async def entries(
        self, actor: Actor, *, patient_id: str | None = None, limit: int = 50, before: int | None = None
    ) -> list[AuditRecord]:
        """List entries, newest first, all or those about one patient; at most 200 at a time, before entry `before`.

        Raises:
            Forbidden: the actor is no administrator.
        """
        require(actor, Action.AUDIT_READ)
        query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(min(limit, 200))
        if patient_id is not None:
            query = query.where(AuditEntry.patient_id == patient_id)
        if before is not None:
            query = query.where(AuditEntry.id < before)
        async with self._database.transaction() as session:
            rows = (await session.scalars(query)).all()
            await self.record(session, actor, Action.AUDIT_READ, patient_id=patient_id)
        return [
            AuditRecord(
                row.id,
                row.at.isoformat(),
                row.actor_id,
                row.actor_roles,
                row.action,
                row.patient_id,
                row.subject,
                row.reason or "",
            )
            for row in rows
        ]

    async def run(self) -> None:
        """Seal until cancelled: soon after each commit that recorded something here, else every few seconds."""
        while True:
            self._wake.clear()
            try:
                await self.seal()
            except Exception:
                log.exception("audit entries not sealed; tried again soon")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)
            await asyncio.sleep(_GATHER_SECONDS)  # a burst of commits is sealed in one go


def _digest(previous: str, entry: AuditEntry) -> str:
    canonical = json.dumps(
        [
            previous,
            entry.id,
            entry.at.isoformat(timespec="microseconds"),
            entry.actor_id,
            entry.actor_roles,
            entry.action,
            entry.patient_id,
            entry.subject,
            entry.reason or "",
        ],
        ensure_ascii=True,
        separators=(",", ":"),
    )
    return hmac.new(key_ring().derive("audit"), canonical.encode(), hashlib.sha256).hexdigest()
