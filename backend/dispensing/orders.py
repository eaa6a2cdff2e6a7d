"""Orders for medicines: placed by the patient, handled by the pharmacy, each step told on."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.rules import require_text
from backend.dispensing.context import items_of
from backend.dispensing.pharmacies import Pharmacies
from backend.dispensing.rules import (
    ACCEPT_WITHIN,
    ASK_RECEIVED_AFTER,
    OPEN,
    Item,
    Method,
    OrderState,
    OrderStep,
    after,
    lines_in_stock,
)
from backend.dispensing.tables import LineClaim, MedicineOrder
from backend.dispensing.views import OrderView, Presented
from backend.errors import Conflict, IllegalMove, InvalidInput, NotFound
from backend.ids import new_id
from backend.people.rules import valid_mobile
from backend.prescription import PICKUP_DIGITS, PrescriptionView, State
from backend.security.policy import SYSTEM, Action, Actor, require

UNACCEPTED_TIMER = "dispensing.unaccepted"
UNRECEIVED_TIMER = "dispensing.unreceived"
_MOST_LISTED = 50
_TAKEN = "这些药刚刚已经有药店在配了，请看看“我的取药单”。"


class Orders(Pharmacies):
    """The part of `DispensingService` about orders."""

    async def place(
        self,
        actor: Actor,
        prescription_id: str,
        pharmacy_id: str,
        method: Method,
        *,
        address: str = "",
        phone: str = "",
    ) -> OrderView:
        """Order what a pharmacy has of what is left of a prescription.

        Args:
            address, phone: where it goes and whom the courier calls; needed for delivery, else ignored.

        Raises:
            IllegalMove: the prescription cannot be dispensed any more. Conflict: nothing of it is left to order, or
                somebody was quicker. InvalidInput: no address, or no valid telephone. NotFound: no such pharmacy.
        """
        if method is Method.COUNTER:
            raise InvalidInput("柜台取药不用下单，到药店出示处方就行。", field="method")
        where = require_text(address, "收药地址", longest=200) if method is Method.DELIVERY else ""
        call = valid_mobile(phone) if method is Method.DELIVERY else ""
        async with self._database.transaction() as session:
            prescription = await self._prescriptions.prescription(actor, prescription_id)
            require(actor, Action.DISPENSING_ORDER, patient_id=prescription.patient_id)
            row = await self._open(session, actor, prescription, pharmacy_id, method)
            row.address, row.phone = where, call
            await self._timers.set(
                session, UNACCEPTED_TIMER, row.id, row.placed_at + ACCEPT_WITHIN, order_id=row.id, asked=0
            )
            await self._record(session, actor, Action.DISPENSING_ORDER, row)
            await self._publish(session, "dispensing.placed", row, actor)
            return await self._view(session, row)

    async def presented(self, actor: Actor, code: str) -> Presented:
        """Give, to a pharmacist, what is left of the prescription that is shown at the counter; the read is audited.

        Args:
            code: of the paper, or the eight digits of the patient's picture.

        Raises:
            NotFound, IllegalMove, Conflict: as `redeem`.
        """
        require(actor, Action.DISPENSING_HANDLE, institution_id=actor.institution_id or "")
        async with self._database.transaction() as session:
            prescription = await self._presented(code)
            self._require_usable(prescription)
            subject = f"prescription:{prescription.id}"
            await self._audit.record(
                session, actor, Action.DISPENSING_READ, patient_id=prescription.patient_id, subject=subject
            )
            free = await self._free_items(session, prescription)
            if not free:
                raise Conflict(_TAKEN)
            return Presented(prescription.number, prescription.document["patient"]["name"], tuple(free))

    async def redeem(self, actor: Actor, code: str) -> OrderView:
        """Hand out at the counter what is left of the prescription that is shown there, once: what was handed out
        anywhere is not handed out again. The stock follows where the pharmacy keeps one here.

        Args:
            code: as in `presented`.

        Raises:
            NotFound: no prescription has this code. IllegalMove: it was used, revoked, or has expired.
            Conflict: another pharmacy is preparing it.
        """
        pharmacy_id = actor.institution_id or ""
        require(actor, Action.DISPENSING_HANDLE, institution_id=pharmacy_id)
        async with self._database.transaction() as session:
            prescription = await self._presented(code)
            row = await self._open(session, actor, prescription, pharmacy_id, Method.COUNTER)
            row.accepted_by = row.packed_by = actor.practitioner_id
            row.accepted_at = row.packed_at = row.closed_at = row.placed_at
            row.state = OrderState.RECEIVED
            await self._hand_out(session, row, prescription)
            await self._record(session, actor, "dispensing.redeem", row)
            await self._publish(session, "dispensing.received", row, actor)
            return await self._view(session, row)

    async def accept(self, actor: Actor, order_id: str) -> OrderView:
        """Take an order as a pharmacist of the pharmacy; a second one is told who has it.

        Raises:
            Conflict: a colleague has it. IllegalMove: it is not waiting any more.
        """
        async with self._database.transaction() as session:
            row = await self._order(session, actor, order_id, Action.DISPENSING_HANDLE, lock=True)
            if row.state is OrderState.ACCEPTED:
                if row.accepted_by == actor.practitioner_id:
                    return await self._view(session, row)
                first = await self._people.practitioner(row.accepted_by or "")
                raise Conflict(f"{first.name}已经接了这张取药单。")
            row.state = after(row.state, OrderStep.ACCEPT)
            row.accepted_by, row.accepted_at = actor.practitioner_id, self._clock.now()
            await self._timers.cancel(session, UNACCEPTED_TIMER, row.id)
            return await self._told(session, actor, row, "accepted")

    async def refuse(self, actor: Actor, order_id: str, reason: str) -> OrderView:
        """Say as the pharmacy that an order cannot be filled; what it held is free again."""
        said = require_text(reason, "原因", longest=200)
        async with self._database.transaction() as session:
            row = await self._order(session, actor, order_id, Action.DISPENSING_HANDLE, lock=True)
            row.state = after(row.state, OrderStep.REFUSE)
            row.reason = said
            await self._close(session, row)
            return await self._told(session, actor, row, "refused")

    async def cancel(self, actor: Actor, order_id: str, reason: str = "") -> OrderView:
        """Take an order back as the patient, while nothing is packed. Cancelled twice is cancelled once."""
        async with self._database.transaction() as session:
            row = await self._order(session, actor, order_id, Action.DISPENSING_ORDER, lock=True)
            if row.state is OrderState.CANCELLED:
                return await self._view(session, row)
            row.state = after(row.state, OrderStep.CANCEL)
            row.reason = require_text(reason, "原因", longest=200, required=False)
            await self._close(session, row)
            return await self._told(session, actor, row, "cancelled")

    async def pack(self, actor: Actor, order_id: str, *, without: Collection[int] = (), reason: str = "") -> OrderView:
        """Dispense: the pharmacist who calls has checked and packed what is ordered (处方管理办法 第33至37条).

        Args:
            without: lines that cannot be handed out after all; they are free for another pharmacy.
            reason: why, where there are any.

        Raises:
            InvalidInput: nothing would be left, or no reason was given. IllegalMove: it is not being prepared, or the
                prescription cannot be dispensed any more.
        """
        said = require_text(reason, "缺药的原因", longest=200, required=bool(without))
        async with self._database.transaction() as session:
            row = await self._order(session, actor, order_id, Action.DISPENSING_HANDLE, lock=True)
            state = after(row.state, OrderStep.PACK)
            prescription = await self._prescriptions.prescription(SYSTEM, row.prescription_id)
            held = {claim.line for claim in await self._claims(session, row.id)}
            if not held - set(without):
                raise InvalidInput("一种药都没有的话，请点“配不了”。", field="without")
            short = items_of(prescription, held & set(without))
            await self._free(session, row, short)
            await self._has_none(session, row.pharmacy_id, short)
            row.state, row.reason = state, said
            row.packed_by, row.packed_at = actor.practitioner_id, self._clock.now()
            await self._hand_out(session, row, prescription)
            return await self._told(session, actor, row, "packed", short=len(short))

    async def send(self, actor: Actor, order_id: str, carrier: str, tracking_number: str = "") -> OrderView:
        """Say as the pharmacy that the medicines are on their way, and by whom."""
        who = require_text(carrier, "送药方式", longest=40)
        number = require_text(tracking_number, "快递单号", longest=40, required=False)
        async with self._database.transaction() as session:
            row = await self._order(session, actor, order_id, Action.DISPENSING_HANDLE, lock=True)
            if row.method is not Method.DELIVERY:
                raise IllegalMove("这张单是到店自取的，不用发货。")
            row.state = after(row.state, OrderStep.SEND)
            row.carrier, row.tracking_number, row.sent_at = who, number, self._clock.now()
            due_at = row.sent_at + ASK_RECEIVED_AFTER
            await self._timers.set(session, UNRECEIVED_TIMER, row.id, due_at, order_id=row.id)
            return await self._told(session, actor, row, "sent")

    async def receive(self, actor: Actor, order_id: str) -> OrderView:
        """Say that the medicines have come: the patient of what was sent, the pharmacy of what was fetched. Twice is
        once."""
        async with self._database.transaction() as session:
            row = await self._order(session, actor, order_id, Action.DISPENSING_RECEIVE, lock=True)
            if row.state is OrderState.RECEIVED:
                return await self._view(session, row)
            if row.state is OrderState.PACKED and row.method is Method.DELIVERY:
                raise IllegalMove("药还没有发出。")
            row.state = after(row.state, OrderStep.RECEIVE)
            row.closed_at = self._clock.now()
            await self._timers.cancel(session, UNRECEIVED_TIMER, row.id)
            return await self._told(session, actor, row, "received")

    async def order(self, actor: Actor, order_id: str) -> OrderView:
        """Give one order to the patient or to its pharmacy; the read is audited."""
        async with self._database.transaction() as session:
            row = await self._order(session, actor, order_id, Action.DISPENSING_READ)
            await self._record(session, actor, Action.DISPENSING_READ, row)
            return await self._view(session, row)

    async def orders_of(self, actor: Actor, patient_id: str) -> list[OrderView]:
        """Give a patient's orders, the newest first; the read is audited."""
        require(actor, Action.DISPENSING_READ, patient_id=patient_id)
        async with self._database.transaction() as session:
            query = select(MedicineOrder).where(MedicineOrder.patient_id == patient_id)
            rows = (await session.scalars(query.order_by(MedicineOrder.placed_at.desc()).limit(_MOST_LISTED))).all()
            await self._audit.record(session, actor, Action.DISPENSING_READ, patient_id=patient_id)
            return [await self._view(session, row) for row in rows]

    async def queue(self, actor: Actor) -> list[OrderView]:
        """Give what the actor's pharmacy has to do, the oldest first."""
        pharmacy_id = actor.institution_id or ""
        require(actor, Action.DISPENSING_HANDLE, institution_id=pharmacy_id)
        async with self._database.transaction() as session:
            query = select(MedicineOrder).where(MedicineOrder.pharmacy_id == pharmacy_id, MedicineOrder.state.in_(OPEN))
            rows = (await session.scalars(query.order_by(MedicineOrder.placed_at).limit(_MOST_LISTED))).all()
            for row in rows:
                await self._record(session, actor, Action.DISPENSING_READ, row)
            return [await self._view(session, row) for row in rows]

    async def withdraw(self, prescription_id: str) -> None:
        """Cancel, as the platform, what was ordered of a prescription that was revoked."""
        async with self._database.transaction() as session:
            query = select(MedicineOrder).where(
                MedicineOrder.prescription_id == prescription_id,
                MedicineOrder.state.in_((OrderState.PLACED, OrderState.ACCEPTED)),
            )
            for row in await session.scalars(query.with_for_update()):
                row.state = after(row.state, OrderStep.CANCEL)
                row.reason = "医生作废了这张处方"
                await self._close(session, row, lasting=False)
                await self._told(session, SYSTEM, row, "cancelled", revoked=True)

    async def _presented(self, code: str) -> PrescriptionView:
        digits = "".join(code.split())
        if digits.isdecimal() and len(digits) == PICKUP_DIGITS:
            return await self._prescriptions.by_pickup_number(digits)
        return await self._prescriptions.by_code(code)

    def _require_usable(self, prescription: PrescriptionView) -> None:
        if prescription.state not in (State.VALID, State.PARTLY_DISPENSED):
            raise IllegalMove(f"这张处方现在是“{prescription.state.label}”，不能取药。")
        if prescription.valid_until is None or prescription.valid_until <= self._clock.now():
            raise IllegalMove("这张处方过了有效期，剩下的药不能再取，请医生重新开。")

    async def _open(
        self, session: AsyncSession, actor: Actor, prescription: PrescriptionView, pharmacy_id: str, method: Method
    ) -> MedicineOrder:
        self._require_usable(prescription)
        pharmacy = await self._people.institution(pharmacy_id)
        if pharmacy.kind != "pharmacy":
            raise NotFound("没有找到这家药店。")
        free = await self._free_items(session, prescription)
        if not free:
            raise Conflict(_TAKEN)
        stock = (await self._stocks(session, free))[pharmacy_id]
        lines = [item.index for item in free] if method is Method.COUNTER else lines_in_stock(free, stock)[0]
        if not lines:
            raise Conflict("这家药店现在没有这些药了，请再选一家。")
        taken = [item for item in free if item.index in lines]
        counted = select(func.count(MedicineOrder.id)).where(MedicineOrder.prescription_id == prescription.id)
        ordinal = (await session.scalar(counted) or 0) + 1
        row = MedicineOrder(
            id=new_id(),
            number=f"QY{prescription.number[2:]}-{ordinal}",
            prescription_id=prescription.id,
            consultation_id=prescription.consultation_id,
            patient_id=prescription.patient_id,
            pharmacy_id=pharmacy_id,
            method=method,
            state=OrderState.PLACED,
            placed_by=actor.person_id,
            placed_at=self._clock.now(),
            address="",
            phone="",
        )
        try:
            async with session.begin_nested():
                session.add(row)
                await session.flush()
                session.add_all(
                    LineClaim(prescription_id=prescription.id, line=item.index, order_id=row.id) for item in taken
                )
        except IntegrityError:
            raise Conflict(_TAKEN) from None
        if method is Method.COUNTER:
            here = set(lines_in_stock(taken, stock)[0])
            await self._take(session, pharmacy_id, [item for item in taken if item.index in here])
        else:
            await self._take(session, pharmacy_id, taken)
        await self._prescriptions.hold(session, prescription.id)
        return row

    async def _hand_out(self, session: AsyncSession, row: MedicineOrder, prescription: PrescriptionView) -> None:
        """Tell the prescription what was handed out: the whole of it once every line belongs to an order that is
        packed."""
        await session.flush()
        query = (
            select(LineClaim.line)
            .join(MedicineOrder, MedicineOrder.id == LineClaim.order_id)
            .where(LineClaim.prescription_id == prescription.id, MedicineOrder.packed_at.is_not(None))
        )
        given = set(await session.scalars(query))
        whole = given >= {item.index for item in items_of(prescription)}
        await self._prescriptions.hand_out(session, prescription.id, whole=whole)

    async def _close(self, session: AsyncSession, row: MedicineOrder, *, lasting: bool = True) -> None:
        row.closed_at = self._clock.now()
        await self._timers.cancel(session, UNACCEPTED_TIMER, row.id)
        prescription = await self._prescriptions.prescription(SYSTEM, row.prescription_id)
        held = {claim.line for claim in await self._claims(session, row.id)}
        await self._free(session, row, items_of(prescription, held))
        await self._put_back(session, row.pharmacy_id, items_of(prescription, held))
        still = select(LineClaim.line).where(LineClaim.prescription_id == row.prescription_id).limit(1)
        if lasting and await session.scalar(still) is None:
            await self._prescriptions.let_go(session, row.prescription_id)

    async def _free(self, session: AsyncSession, row: MedicineOrder, items: Collection[Item]) -> None:
        lines = [item.index for item in items]
        await session.execute(delete(LineClaim).where(LineClaim.order_id == row.id, LineClaim.line.in_(lines)))

    async def _told(self, session: AsyncSession, actor: Actor, row: MedicineOrder, what: str, **more: Any) -> OrderView:
        await self._record(session, actor, f"dispensing.{what}", row)
        await self._publish(session, f"dispensing.{what}", row, actor, **more)
        return await self._view(session, row)

    async def _on_unaccepted(self, payload: Mapping[str, Any]) -> None:
        """Nobody has taken the order: the pharmacy is asked once more, then the patient is offered another one."""
        async with self._database.transaction() as session:
            row = await session.get_one(MedicineOrder, payload["order_id"], with_for_update=True)
            if row.state is not OrderState.PLACED:
                return
            asked = int(payload["asked"]) + 1
            if asked == 1:
                due_at: datetime = self._clock.now() + ACCEPT_WITHIN
                await self._timers.set(session, UNACCEPTED_TIMER, row.id, due_at, order_id=row.id, asked=asked)
            await self._publish(session, "dispensing.unaccepted", row, SYSTEM, asked=asked)

    async def _on_unreceived(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            row = await session.get_one(MedicineOrder, payload["order_id"])
            if row.state is OrderState.SENT:
                await self._publish(session, "dispensing.unreceived", row, SYSTEM)
