"""The audit log: who did what to whose data, and proof that nobody has rewritten it since (docs/governance.md).

An entry is one INSERT in the transaction of what it tells of. After the commit the sequencer gives it its place in a
Merkle tree, heads of which are signed and kept outside the database.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database, after_commit
from backend.security.audit_heads import HeadFolder
from backend.security.audit_leaves import AuditKeys
from backend.security.audit_sequencer import Sequencer, entry_body
from backend.security.audit_verification import AuditReport, Verification
from backend.security.policy import Action, Actor, require
from backend.security.tables import AuditEntry


@dataclass(frozen=True)
class AuditRecord:
    """An entry as an auditor reads it."""

    id: int
    at: datetime
    actor_id: str
    actor_roles: str
    action: str
    patient_id: str | None
    subject: str
    reason: str


class AuditLog:
    """Writes, seals, verifies and lists the audit log.

    Args:
        heads: where signed heads are kept; without one only the seals of the entries are verified.
    """

    def __init__(self, database: Database, clock: Clock, heads: HeadFolder | None = None) -> None:
        self._database = database
        self._clock = clock
        self._heads = heads
        self._sequencer = Sequencer(database, clock, heads)

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
        entry = AuditEntry(
            at=self._clock.now(),
            actor_id=actor.person_id,
            actor_roles=",".join(sorted(actor.roles)),
            action=str(action),
            patient_id=patient_id,
            subject=subject,
            reason=reason or None,
            nonce=secrets.token_hex(16),
        )
        entry.mac = AuditKeys().mac(entry_body(entry))
        session.add(entry)
        after_commit(session, self._sequencer.wake.set)

    async def seal(self) -> int:
        """Give the entries that have none their places in the tree, and give how many got one here."""
        return await self._sequencer.seal()

    async def run(self) -> None:
        """Seal until cancelled."""
        await self._sequencer.run()

    async def verify(self) -> AuditReport:
        """Compute the whole log anew and compare; it may grow meanwhile."""
        return await Verification(self._database, self._heads).verify()

    async def entries(
        self,
        actor: Actor,
        *,
        patient_id: str | None = None,
        actor_id: str | None = None,
        until: datetime | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> list[AuditRecord]:
        """List entries, newest first, all or those about one patient, by one person, before a moment; at most 200 at a
        time, before entry `before`.

        Raises:
            Forbidden: the actor is no administrator.
        """
        require(actor, Action.AUDIT_READ)
        query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(min(limit, 200))
        if patient_id is not None:
            query = query.where(AuditEntry.patient_id == patient_id)
        if actor_id is not None:
            query = query.where(AuditEntry.actor_id == actor_id)
        if until is not None:
            query = query.where(AuditEntry.at < until)
        if before is not None:
            query = query.where(AuditEntry.id < before)
        async with self._database.transaction() as session:
            rows = (await session.scalars(query)).all()
            await self.record(session, actor, Action.AUDIT_READ, patient_id=patient_id)
        return [_record(row) for row in rows]

    async def accesses(
        self, actor: Actor, patient_id: str, *, limit: int = 50, before: int | None = None
    ) -> list[AuditRecord]:
        """List what others did with a person's data, newest first, for the person themselves; arguments as `entries`.
        What the platform does by itself is left out.

        Raises:
            Forbidden: it is not the actor's own.
        """
        require(actor, Action.PEOPLE_READ_ACCESSES, patient_id=patient_id)
        nobody_else = [*actor.own, ""]
        query = (
            select(AuditEntry)
            .where(AuditEntry.patient_id == patient_id, AuditEntry.actor_id.not_in(nobody_else))
            .order_by(AuditEntry.id.desc())
            .limit(min(limit, 200))
        )
        if before is not None:
            query = query.where(AuditEntry.id < before)
        async with self._database.transaction() as session:
            rows = (await session.scalars(query)).all()
            await self.record(session, actor, Action.PEOPLE_READ_ACCESSES, patient_id=patient_id)
        return [_record(row) for row in rows]


def _record(row: AuditEntry) -> AuditRecord:
    return AuditRecord(
        row.id, row.at, row.actor_id, row.actor_roles, row.action, row.patient_id, row.subject, row.reason or ""
    )
