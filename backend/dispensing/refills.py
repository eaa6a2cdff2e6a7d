"""Requests to be prescribed the same once more: a patient with a chronic disease asks, the prescriber answers."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.rules import require_text
from backend.dispensing.context import DispensingContext, items_of
from backend.dispensing.tables import RefillRequest
from backend.dispensing.views import RefillView
from backend.errors import Conflict, Forbidden, IllegalMove, NotFound
from backend.ids import new_id
from backend.prescription import State
from backend.security.policy import SYSTEM, Action, Actor, allowed, require

_MOST_LISTED = 50


class Refills(DispensingContext):
    """The part of `DispensingService` about prescribing once more (国卫办医发〔2021〕17号 长期处方管理规范)."""

    async def ask_refill(self, actor: Actor, prescription_id: str, note: str = "") -> RefillView:
        """Ask the doctor, as the patient, to prescribe the same once more; while one request is open it is that one.

        Args:
            note: how the patient has been, in their own words.

        Raises:
            IllegalMove: it is no prescription for a chronic disease, or nothing of it was handed out yet.
        """
        said = require_text(note, "近况", longest=300, required=False)
        async with self._database.transaction() as session:
            prescription = await self._prescriptions.prescription(actor, prescription_id)
            require(actor, Action.DISPENSING_ORDER, patient_id=prescription.patient_id)
            if not prescription.chronic:
                raise IllegalMove("这张不是慢病处方，不能直接续开。还不舒服的话，请重新问诊。")
            if prescription.state not in (State.DISPENSED, State.PARTLY_DISPENSED, State.EXPIRED):
                raise IllegalMove(f"这张处方现在是“{prescription.state.label}”，还不用续开。")
            row = RefillRequest(
                id=new_id(),
                prescription_id=prescription.id,
                open_for=prescription.id,
                consultation_id=prescription.consultation_id,
                patient_id=prescription.patient_id,
                practitioner_id=prescription.prescriber_id,
                note=said,
                requested_by=actor.person_id,
                requested_at=self._clock.now(),
            )
            try:
                async with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                query = select(RefillRequest).where(RefillRequest.open_for == prescription.id)
                return await self._refill_view((await session.scalars(query)).one())
            await self._told_refill(session, actor, row, "requested")
            return await self._refill_view(row)

    async def refills(self, actor: Actor) -> list[RefillView]:
        """Give the open requests to the actor as a prescriber, the oldest first; each read is audited."""
        async with self._database.transaction() as session:
            query = select(RefillRequest).where(
                RefillRequest.practitioner_id == (actor.practitioner_id or ""), RefillRequest.answered_at.is_(None)
            )
            rows = (await session.scalars(query.order_by(RefillRequest.requested_at).limit(_MOST_LISTED))).all()
            for row in rows:
                await self._record_refill(session, actor, "refill.read", row)
            return [await self._refill_view(row) for row in rows]

    async def refill(self, actor: Actor, refill_id: str) -> RefillView:
        """Give one request to its patient or to the doctor who is asked; the read is audited."""
        async with self._database.transaction() as session:
            row = await self._refill(session, actor, refill_id)
            await self._record_refill(session, actor, "refill.read", row)
            return await self._refill_view(row)

    async def answer_refill(self, actor: Actor, refill_id: str, *, agreed: bool, reason: str = "") -> RefillView:
        """Answer a request as the doctor who is asked; who agrees writes the new prescription afterwards.

        Args:
            reason: why not; needed where the doctor does not agree, for the patient reads it.

        Raises:
            Conflict: it was answered otherwise.
        """
        said = require_text(reason, "原因", longest=300, required=not agreed)
        async with self._database.transaction() as session:
            row = await self._refill(session, actor, refill_id, lock=True)
            if actor.practitioner_id != row.practitioner_id:
                raise Forbidden
            if row.answered_at is not None:
                if row.agreed is not agreed:
                    raise Conflict("这个续方请求已经答复过了。")
                return await self._refill_view(row)
            row.answered_at, row.agreed, row.reason, row.open_for = self._clock.now(), agreed, said, None
            await self._told_refill(session, actor, row, "answered", agreed=agreed)
            return await self._refill_view(row)

    async def _refill(
        self, session: AsyncSession, actor: Actor, refill_id: str, *, lock: bool = False
    ) -> RefillRequest:
        row = await session.get(RefillRequest, refill_id, with_for_update=lock, populate_existing=True)
        if row is None or not allowed(
            actor, Action.DISPENSING_READ, patient_id=row.patient_id, participants=[row.practitioner_id]
        ):
            raise NotFound("没有找到这个续方请求。")
        return row

    async def _refill_view(self, row: RefillRequest) -> RefillView:
        prescription = await self._prescriptions.prescription(SYSTEM, row.prescription_id)
        return RefillView(
            id=row.id,
            prescription_id=row.prescription_id,
            consultation_id=row.consultation_id,
            patient_id=row.patient_id,
            patient_name=prescription.document["patient"]["name"],
            medicines=tuple(item.text for item in items_of(prescription)),
            note=row.note,
            requested_at=row.requested_at,
            agreed=row.agreed,
            reason=row.reason,
        )

    async def _told_refill(
        self, session: AsyncSession, actor: Actor, row: RefillRequest, what: str, **more: bool
    ) -> None:
        await self._record_refill(session, actor, f"refill.{what}", row)
        await self._events.publish(
            session,
            f"refill.{what}",
            refill_id=row.id,
            prescription_id=row.prescription_id,
            consultation_id=row.consultation_id,
            patient_id=row.patient_id,
            practitioner_id=row.practitioner_id,
            actor_id=actor.person_id,
            **more,
        )

    async def _record_refill(self, session: AsyncSession, actor: Actor, action: str, row: RefillRequest) -> None:
        subject = f"refill:{row.id}"
        await self._audit.record(session, actor, action, patient_id=row.patient_id, subject=subject)
