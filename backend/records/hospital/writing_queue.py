"""The queue of what is written to hospitals, and the memory of what is there: all that changes these tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update

from backend.clock import Clock
from backend.db import Database, after_commit
from backend.ids import new_id
from backend.records.hospital.writing_bundle import Draft, Key
from backend.records.hospital.writing_rules import LEASE, Verdict, WriteState
from backend.records.hospital_tables import HospitalRow
from backend.records.writeback_tables import HospitalResource, HospitalWriteback
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, require

_AGAIN = (WriteState.DEAD, WriteState.UNKNOWN_PATIENT)


@dataclass(frozen=True)
class Claimed:
    """A row that one process works on.

    Args:
        asked: how often something had happened when it was claimed.
        fault, attempts: of the try before: why it failed, and how often in a row for that reason.
    """

    hospital_id: str
    consultation_id: str
    patient_id: str
    claim: str
    asked: int
    fault: str
    attempts: int


@dataclass(frozen=True)
class Known:
    """What a hospital has of a consultation, as far as we know: identifiers there, and what each says."""

    remote_ids: Mapping[Key, str]
    digests: Mapping[Key, str]

    def digest(self, key: Key) -> str | None:
        """Give what a resource says there; None where it is not there."""
        return self.digests.get(key)


@dataclass(frozen=True)
class QueueView:
    """How many consultations stand where at a hospital, and for which reason."""

    hospital_id: str
    state: WriteState
    fault: str
    count: int


class WriteQueue:
    """Rows that wait, their claims, and what came of them."""

    def __init__(self, database: Database, clock: Clock, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    async def add(
        self, hospitals: Sequence[str], consultation_id: str, patient_id: str, wake: Callable[[], None]
    ) -> None:
        """Let these hospitals hear of a consultation, in the caller's transaction where there is one."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            for hospital_id in hospitals:
                row = await session.get(HospitalWriteback, (hospital_id, consultation_id), with_for_update=True)
                if row is None:
                    session.add(
                        HospitalWriteback(
                            hospital_id=hospital_id,
                            consultation_id=consultation_id,
                            patient_id=patient_id,
                            state=WriteState.WAITING,
                            due_at=now,
                        )
                    )
                    continue
                row.asked += 1
                if row.due_at is None:  # else it waits, or is being written: `asked` tells then
                    row.state, row.fault, row.attempts, row.due_at = WriteState.WAITING, "", 0, now
            after_commit(session, wake)

    async def hospitals_with_work(self) -> list[str]:
        """Give the active hospitals for which something is due."""
        query = (
            select(HospitalWriteback.hospital_id)
            .join(HospitalRow, HospitalRow.id == HospitalWriteback.hospital_id)
            .where(HospitalRow.active, HospitalWriteback.due_at <= self._clock.now())
            .distinct()
        )
        async with self._database.reading() as session:
            return list(await session.scalars(query))

    async def claim(self, hospital_id: str) -> Claimed | None:
        """Take the oldest that is due at a hospital; None where there is none."""
        now = self._clock.now()
        query = (
            select(HospitalWriteback)
            .where(HospitalWriteback.hospital_id == hospital_id, HospitalWriteback.due_at <= now)
            .order_by(HospitalWriteback.due_at)
            .limit(1)
        )
        async with self._database.transaction() as session:
            row = await session.scalar(query.with_for_update(skip_locked=True))
            if row is None:
                return None
            row.claim, row.due_at = new_id(), now + LEASE
            return Claimed(
                row.hospital_id,
                row.consultation_id,
                row.patient_id,
                row.claim,
                row.asked,
                row.fault,
                row.attempts,
            )

    async def settle(self, claimed: Claimed, verdict: Verdict) -> None:
        """Write down what became of a try, unless its lease ended and another is at it."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            key = (claimed.hospital_id, claimed.consultation_id)
            row = await session.get_one(HospitalWriteback, key, with_for_update=True, populate_existing=True)
            if row.claim != claimed.claim:
                return
            row.attempts = 0 if not verdict.fault else row.attempts + 1 if row.fault == verdict.fault else 1
            row.claim, row.state, row.fault = None, verdict.state, verdict.fault
            row.due_at = None if verdict.pause is None else now + verdict.pause
            if row.asked != claimed.asked and row.due_at is None:
                row.state, row.fault, row.attempts, row.due_at = WriteState.WAITING, "", 0, now

    async def written(self, claimed: Claimed) -> Known:
        """Give what the hospital has of the consultation, as far as we know."""
        query = select(HospitalResource).where(
            HospitalResource.hospital_id == claimed.hospital_id,
            HospitalResource.consultation_id == claimed.consultation_id,
        )
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return Known(
            {(row.type, row.resource_id): row.remote_id for row in rows},
            {(row.type, row.resource_id): row.digest for row in rows},
        )

    async def note(self, claimed: Claimed, noted: Sequence[tuple[Draft, str, str]], *, wrote: bool) -> None:
        """Remember what a hospital has.

        Args:
            noted: drafts with their identifiers there, and the digest of what they say there ("" where not known).
            wrote: something was sent, which is audited.
        """
        now = self._clock.now()
        async with self._database.transaction() as session:
            for draft, remote_id, digest in noted:
                key = (claimed.hospital_id, *draft.key)
                row = await session.get(HospitalResource, key)
                if row is None:
                    type_, resource_id = draft.key
                    row = HospitalResource(hospital_id=claimed.hospital_id, type=type_, resource_id=resource_id)
                    session.add(row)
                row.consultation_id, row.remote_id = claimed.consultation_id, remote_id
                row.digest, row.written_at = digest, now
            if wrote:
                subject = f"hospital:{claimed.hospital_id}"
                await self._audit.record(
                    session, SYSTEM, Action.RECORDS_WRITE_BACK, patient_id=claimed.patient_id, subject=subject
                )

    async def resend(self, actor: Actor, hospital_id: str) -> int:
        """Let everything of a hospital wait again that is not tried any more; give how many. Raises Forbidden."""
        require(actor, Action.RECORDS_MANAGE_HOSPITALS)
        changes = {"state": WriteState.WAITING, "fault": "", "attempts": 0, "due_at": self._clock.now()}
        async with self._database.transaction() as session:
            mended = await session.execute(
                update(HospitalWriteback)
                .where(HospitalWriteback.hospital_id == hospital_id, HospitalWriteback.state.in_(_AGAIN))
                .values(**changes)
            )
            await self._audit.record(session, actor, Action.RECORDS_MANAGE_HOSPITALS, subject=f"hospital:{hospital_id}")
            count: int = mended.rowcount  # type: ignore[attr-defined]  # of an UPDATE
            return count

    async def standing(self, actor: Actor) -> list[QueueView]:
        """Give how much stands where, by hospital. Raises Forbidden."""
        require(actor, Action.RECORDS_MANAGE_HOSPITALS)
        columns = (HospitalWriteback.hospital_id, HospitalWriteback.state, HospitalWriteback.fault)
        how_many = func.count().label("how_many")
        query = select(*columns, how_many).group_by(*columns).order_by(*columns)
        async with self._database.reading() as session:
            return [
                QueueView(row.hospital_id, row.state, row.fault, row.how_many) for row in await session.execute(query)
            ]
