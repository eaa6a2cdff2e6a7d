"""Erasure: what is a person's own is destroyed, what the law makes one keep is kept, and goes when its time is over.

《个人信息保护法》 article 47. First the rows go, in one transaction that also cuts the addresses off; then the person's
key, with which all older copies of them go. A process that is killed at any moment leaves either everything or a timer
that brings it to its end.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.charging.rules import ChargeState
from backend.charging.tables import Charge
from backend.clock import Clock
from backend.consultation.rules import RUNNING
from backend.consultation.tables import Consultation
from backend.db import Database, key_ring
from backend.dispensing.rules import OPEN
from backend.dispensing.tables import MedicineOrder, RefillRequest
from backend.errors import Conflict, NotFound
from backend.events import EventBus
from backend.files import FileStore
from backend.ids import new_id
from backend.messaging.tables import Contact
from backend.people.tables import Relative
from backend.prescription.rules import State
from backend.prescription.tables import Prescription
from backend.rights.amendment_rules import AmendmentState
from backend.rights.destroying import Destroying
from backend.rights.holdings import Class
from backend.rights.rules import (
    COOLING_OFF,
    EVIDENCE_YEARS,
    MONEY_YEARS,
    RECORD_YEARS,
    Blocker,
    ErasureState,
    Overview,
    years_after,
)
from backend.rights.tables import Amendment, Erasure
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, require
from backend.timers import Timers

log = logging.getLogger(__name__)

ERASE_TIMER, KEY_TIMER, END_TIMER = "rights.erase", "rights.destroy_key", "rights.end_of_keeping"

_PRESCRIPTIONS_RUNNING = frozenset({State.DRAFT, State.SIGNED, State.VALID, State.PARTLY_DISPENSED})
_CHARGES_OVER = frozenset({ChargeState.SETTLED, ChargeState.CLOSED, ChargeState.REVERSED})
_UNFINISHED = "还有没办完的事，办完才能删除资料。"
_TOO_LATE = "资料已经删掉了，不能再反悔。"


class Erasures:
    """Takes requests, waits, destroys, and destroys the rest when its time is over."""

    def __init__(
        self, database: Database, clock: Clock, events: EventBus, timers: Timers, audit: AuditLog, files: FileStore
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._destroying = Destroying(files)
        timers.on(ERASE_TIMER, self._on_due)
        timers.on(KEY_TIMER, self._on_key)
        timers.on(END_TIMER, self._on_end)

    async def overview(self, actor: Actor, patient_id: str) -> Overview:
        """Tell what an erasure would mean; the read is audited.

        Raises:
            Forbidden: the patient is neither the actor nor somebody for whom they speak.
        """
        require(actor, Action.PEOPLE_ERASE, patient_id=patient_id)
        async with self._database.transaction() as session:
            subject = f"person:{patient_id}"
            await self._audit.record(session, actor, Action.PEOPLE_READ, patient_id=patient_id, subject=subject)
            pending = await _pending(session, patient_id)
            blockers = await _blockers(session, patient_id)
            record_until, money_until = await _kept_until(session, patient_id)
        return Overview(blockers, pending.due_at if pending else None, record_until, money_until)

    async def ask(self, actor: Actor, patient_id: str) -> datetime:
        """Take the request and give when it will happen; asked twice, it stays as it was first asked.

        Raises:
            Forbidden: as in `overview`.
            Conflict: something has to be finished first.
        """
        require(actor, Action.PEOPLE_ERASE, patient_id=patient_id)
        async with self._database.transaction() as session:
            pending = await _pending(session, patient_id)
            if pending is not None:
                return pending.due_at
            if await _blockers(session, patient_id):
                raise Conflict(_UNFINISHED)
            now = self._clock.now()
            row = Erasure(
                id=new_id(),
                patient_id=patient_id,
                open_for=patient_id,
                asked_by=actor.person_id,
                state=ErasureState.ASKED,
                asked_at=now,
                due_at=now + COOLING_OFF,
            )
            try:
                async with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                raise Conflict from None
            await self._timers.set(session, ERASE_TIMER, row.id, row.due_at, erasure_id=row.id)
            await self._record(session, actor, row, "asked")
            return row.due_at

    async def take_back(self, actor: Actor, patient_id: str) -> None:
        """Forget the request.

        Raises:
            Forbidden: as in `overview`.
            NotFound: there is none that can be taken back.
        """
        require(actor, Action.PEOPLE_ERASE, patient_id=patient_id)
        async with self._database.transaction() as session:
            row = await _pending(session, patient_id)
            if row is None:
                raise NotFound(_TOO_LATE)
            row.state, row.open_for = ErasureState.TAKEN_BACK, None
            await self._timers.cancel(session, ERASE_TIMER, row.id)
            await self._record(session, actor, row, "taken back")

    async def pending(self, actor: Actor) -> list[str]:
        """Give the patients among the actor's own whose erasure can still be taken back."""
        async with self._database.reading() as session:
            query = select(Erasure.patient_id).where(Erasure.open_for.in_(actor.own)).order_by(Erasure.asked_at)
            return list(await session.scalars(query))

    async def repeat(self) -> int:
        """Destroy again what came back: of whom the key was destroyed, but whose rows are there, because the database
        was restored from an older backup. Give how many persons that were."""
        people = key_ring().people
        gone = list(people.destroyed()) if people is not None else []
        async with self._database.reading() as session:
            came_back = await self._destroying.came_back(session, gone)
        for person_id in came_back:
            async with self._database.transaction() as session:
                await self._erase(session, await self._begun_again(session, person_id))
        return len(came_back)

    async def _begun_again(self, session: AsyncSession, person_id: str) -> Erasure:
        """Give an erasure of somebody in place of those that the restored database knows of."""
        known = delete(Erasure).where(Erasure.patient_id == person_id, Erasure.state != ErasureState.TAKEN_BACK)
        await session.execute(known)
        now = self._clock.now()
        row = Erasure(
            id=new_id(), patient_id=person_id, asked_by="", state=ErasureState.ASKED, asked_at=now, due_at=now
        )
        session.add(row)
        await session.flush()
        return row

    async def _on_due(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            row = await session.get(Erasure, payload["erasure_id"], with_for_update=True)
            if row is None or row.state is not ErasureState.ASKED:
                return
            if await _blockers(session, row.patient_id):  # begun since it was asked for: that comes first
                again = self._clock.now() + COOLING_OFF / 7
                await self._timers.set(session, ERASE_TIMER, row.id, again, erasure_id=row.id)
                return
            await self._erase(session, row)

    async def _erase(self, session: AsyncSession, row: Erasure) -> None:
        """Let the rows go. What is kept waits for its end, the key for the end of this transaction."""
        now = self._clock.now()
        row.record_until, row.money_until = await _kept_until(session, row.patient_id)
        await self._destroying.rows(session, row.patient_id, Class.OWN)
        await self._destroying.tidy(session, row.patient_id, row.asked_by, keeps_record=row.record_until is not None)
        if row.record_until is None:
            await self._destroying.rows(session, row.patient_id, Class.RECORD)
        row.state, row.open_for, row.erased_at = ErasureState.ROWS_GONE, None, now
        await self._timers.set(session, KEY_TIMER, row.id, now, erasure_id=row.id)
        await self._record(session, SYSTEM, row, "erased")

    async def _on_key(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            row = await session.get(Erasure, payload["erasure_id"], with_for_update=True)
            if row is None or row.state is not ErasureState.ROWS_GONE:
                return
            # What a turn that was under way wrote after the rows had gone.
            await self._destroying.rows(session, row.patient_id, Class.OWN)
            people = key_ring().people
            if people is not None:
                people.destroy(row.patient_id)  # committed or not, it is done, and may be done again
            row.state = ErasureState.ERASED
            await self._record(session, SYSTEM, row, "key destroyed")
            await self._wait(session, row)
            if row.asked_by not in ("", row.patient_id):
                await self._events.publish(session, "erasure.finished", erasure_id=row.id, asked_by=row.asked_by)

    async def is_reachable(self, person_id: str) -> bool:
        """Tell whether somebody has an address: who asked for a relative's erasure may be gone since. It stays until
        the caller's transaction ends."""
        query = select(Contact.id).where(Contact.person_id == person_id).limit(1).with_for_update()
        async with self._database.transaction() as session:
            return await session.scalar(query) is not None

    async def _on_end(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            row = await session.get(Erasure, payload["erasure_id"], with_for_update=True)
            if row is None or row.state is not ErasureState.ERASED:
                return
            now = self._clock.now()
            if row.record_until is not None and row.record_until <= now:
                await self._destroying.rows(session, row.patient_id, Class.RECORD)
                await self._destroying.forget_identity(session, row.patient_id)
                row.record_until = None
                await self._record(session, SYSTEM, row, "record's time over")
            if row.money_until is not None and row.money_until <= now:
                await self._destroying.rows(session, row.patient_id, Class.MONEY)
                row.money_until = None
                await self._record(session, SYSTEM, row, "accounts' time over")
            await self._wait(session, row)

    async def _wait(self, session: AsyncSession, row: Erasure) -> None:
        """Wait for the next end, or remove what is left once there is none."""
        evidence_until = years_after(row.asked_at, EVIDENCE_YEARS)
        ends = [end for end in (row.record_until, row.money_until) if end is not None]
        if not ends and evidence_until <= self._clock.now():
            await self._record(session, SYSTEM, row, "over")
            await session.flush()
            await self._destroying.rows(session, row.patient_id, Class.EVIDENCE)
            return
        due_at = min(ends, default=evidence_until)
        await self._timers.set(session, END_TIMER, row.id, due_at, erasure_id=row.id)

    async def _record(self, session: AsyncSession, actor: Actor, row: Erasure, what: str) -> None:
        subject = f"erasure:{row.id}"
        await self._audit.record(
            session, actor, Action.PEOPLE_ERASE, patient_id=row.patient_id, subject=subject, reason=what
        )


async def _pending(session: AsyncSession, patient_id: str) -> Erasure | None:
    found: Erasure | None = await session.scalar(
        select(Erasure).where(Erasure.open_for == patient_id).with_for_update()
    )
    return found


async def _blockers(session: AsyncSession, patient_id: str) -> tuple[Blocker, ...]:
    of_patient = {
        Blocker.CONSULTATION: select(Consultation.id).where(
            Consultation.patient_id == patient_id, Consultation.status.in_(RUNNING)
        ),
        Blocker.PRESCRIPTION: select(Prescription.id).where(
            Prescription.patient_id == patient_id, Prescription.state.in_(_PRESCRIPTIONS_RUNNING)
        ),
        Blocker.REFILL: select(RefillRequest.id).where(
            RefillRequest.patient_id == patient_id, RefillRequest.answered_at.is_(None)
        ),
        Blocker.ORDER: select(MedicineOrder.id).where(
            MedicineOrder.patient_id == patient_id, MedicineOrder.state.in_(OPEN)
        ),
        Blocker.CHARGE: select(Charge.id).where(Charge.patient_id == patient_id, Charge.state.not_in(_CHARGES_OVER)),
        Blocker.AMENDMENT: select(Amendment.id).where(
            Amendment.patient_id == patient_id, Amendment.state == AmendmentState.ASKED
        ),
        Blocker.RELATIVES: select(Relative.person_id).where(Relative.speaker_id == patient_id),
    }
    return tuple([one for one, query in of_patient.items() if await session.scalar(query.limit(1)) is not None])


async def _kept_until(session: AsyncSession, patient_id: str) -> tuple[datetime | None, datetime | None]:
    closed = func.max(func.coalesce(Consultation.closed_at, Consultation.opened_at), type_=Consultation.opened_at.type)
    last_visit = await session.scalar(select(closed).where(Consultation.patient_id == patient_id))
    paid = func.max(func.coalesce(Charge.closed_at, Charge.made_at), type_=Charge.made_at.type)
    last_charge = await session.scalar(select(paid).where(Charge.patient_id == patient_id))
    return (
        years_after(last_visit, RECORD_YEARS) if last_visit else None,
        years_after(last_charge, MONEY_YEARS) if last_charge else None,
    )
