"""Where a charge begins: a time is held, the fee read from the tariff, and insurance asked what it pays."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.charging.desk import EXPIRY_TIMER, SLOW_TIMER
from backend.charging.rules import GRACE, HELD_FOR, SLOW_AFTER, UNPAID, ChargeState, Reason, StepKind
from backend.charging.tables import Charge
from backend.charging.views import ChargeView
from backend.charging.worker import Worker
from backend.clock import local
from backend.consultation import CaseReference
from backend.errors import Conflict, IllegalMove, NotFound
from backend.ids import new_id
from backend.money import to_fen
from backend.people import InstitutionView
from backend.scheduling import BookingState, SlotView
from backend.security.policy import SYSTEM, Action, Actor, require
from data.insurance.tariffs import tariff_for

_VISIT_LENGTH = 30  # ipt_otp_no of the national platform
_NO_IDENTITY = "还没有登记身份证号，这次先按自费算。登记后下次就能用医保。"
_NO_CODE = "专家的医院还不能用医保，这次按自费算。"
_OWN_CHOICE = "您选了自己先付。要找医保报销，会诊后请问医院的医保窗口。"
_BOOKED = "这次会诊已经约好了时间，要换时间请选“改时间”。"
_ELSEWHERE = "刚刚有人在为这次会诊付费，请刷新后再看。"


class Opening(Worker):
    """The part of `ChargingService` before anything is paid."""

    async def begin(self, actor: Actor, consultation_id: str, slot_id: str) -> ChargeView:
        """Hold a slot for the patient and ask insurance what it pays of it. Another slot of the same consultation: the
        hold moves and the charge stays.

        Raises:
            Conflict: somebody else has the slot, or a time is booked already. NotFound: no such slot of this expert.
            IllegalMove: the consultation cannot be booked now.
        """
        async with self._database.transaction() as session:
            charge = await self._begin(session, actor, consultation_id, slot_id)
            await self._record(session, actor, Action.CHARGE_BEGIN, charge)
            return await self._view(session, charge)

    async def begin_without_insurance(self, actor: Actor, consultation_id: str, slot_id: str) -> ChargeView:
        """The same, paid by the patient alone; a charge whose insurer has not answered is paid so from here on.

        Raises: as `begin`.
        """
        async with self._database.transaction() as session:
            charge = await self._begin(session, actor, consultation_id, slot_id)
            await self._record(session, actor, Action.CHARGE_BEGIN, charge, "without insurance")
            if charge.state is ChargeState.QUOTING:
                await self._quote_own(session, charge, _OWN_CHOICE)
            return await self._view(session, charge)

    async def _begin(self, session: AsyncSession, actor: Actor, consultation_id: str, slot_id: str) -> Charge:
        case = await self._consultations.reference(consultation_id)
        if case is None:
            raise NotFound("没有找到这次会诊。")
        require(
            actor,
            Action.CHARGE_BEGIN,
            patient_id=case.patient_id,
            participants=case.participants,
            institution_id=case.institution_id,
        )
        await self._consultations.bookable_slots(SYSTEM, case.id, limit=1)  # raises where it cannot be booked now
        slot = await self._scheduling.slot(slot_id)
        if slot.expert_id != case.expert_id:
            raise NotFound("这个时间不是负责专家的，请重新选择。")
        earlier = await self._earlier(session, case)
        if earlier is not None:
            return await self._moved_hold(session, earlier, slot)
        return await self._made(session, case, slot)

    async def _earlier(self, session: AsyncSession, case: CaseReference) -> Charge | None:
        """Give the charge that the consultation has and keeps; one of a booking or an expert that is no more is undone
        first.

        Raises:
            Conflict: a time is booked, or being settled.
        """
        booking = await self._scheduling.booking(case.id)
        if booking is not None and booking.state is BookingState.ACTIVE:
            raise Conflict(_BOOKED)
        charge = await self._open_charge(session, case.id)
        if charge is None:
            return None
        if charge.state in UNPAID and charge.expert_id == case.expert_id:
            return charge
        if charge.state in UNPAID:
            await self._close(session, charge, Reason.CARE_CANCELLED)
        elif charge.state is ChargeState.CONFIRMED:
            await self._reverse(session, charge, Reason.CANCELLED)
        else:
            raise Conflict("这次会诊的费用正在结算，请稍后再看。")
        await session.flush()
        return None

    async def _moved_hold(self, session: AsyncSession, charge: Charge, slot: SlotView) -> Charge:
        if charge.expires_at <= self._clock.now():
            raise IllegalMove("付钱的时间到了，这个时间已经放回去，请稍等一下再重新选。")
        if slot.id != charge.slot_id:
            await self._scheduling.hold(slot.id, charge.consultation_id, charge.expires_at + GRACE)
            charge.slot_id, charge.starts_at = slot.id, slot.starts_at
        return charge

    async def _made(self, session: AsyncSession, case: CaseReference, slot: SlotView) -> Charge:
        now = self._clock.now()
        expires_at = min(now + HELD_FOR, slot.starts_at)
        await self._scheduling.hold(slot.id, case.id, expires_at + GRACE)
        expert = await self._people.practitioner(case.expert_id or "")
        institution = await self._people.institution(expert.institution_id)
        tariff = tariff_for(institution.region, local(now).date())
        counted = await session.scalar(select(func.count(Charge.id)).where(Charge.consultation_id == case.id))
        why_not = await self._why_not_insured(case.patient_id, institution)
        charge = Charge(
            id=new_id(),
            number=f"FY{case.number[2:]}-{(counted or 0) + 1}",
            consultation_id=case.id,
            open_for=case.id,
            patient_id=case.patient_id,
            expert_id=expert.id,
            institution_id=institution.id,
            state=ChargeState.QUOTING,
            reason=Reason.NONE,
            attention=Reason.NONE,
            slot_id=slot.id,
            starts_at=slot.starts_at,
            visit=new_id()[:_VISIT_LENGTH],
            insured=not why_not,
            fee=to_fen(tariff.fee(institution.level, expert.title)),
            service=f"远程会诊（{expert.title}）" if expert.title else "远程会诊",
            tariff=tariff.code,
            no_show_fee=to_fen(tariff.no_show_fee),
            kept=0,
            slow=False,
            settlement="",
            posting="",
            made_at=now,
            expires_at=expires_at,
        )
        try:
            async with session.begin_nested():
                session.add(charge)
                await session.flush()
        except IntegrityError:
            raise Conflict(_ELSEWHERE) from None
        if why_not:
            await self._quote_own(session, charge, why_not)
            return charge
        await self._timers.set(session, EXPIRY_TIMER, charge.id, expires_at, charge_id=charge.id)
        await self._timers.set(session, SLOW_TIMER, charge.id, now + SLOW_AFTER, charge_id=charge.id)
        await self._add_step(session, charge, StepKind.ELIGIBILITY)
        return charge

    async def _why_not_insured(self, patient_id: str, institution: InstitutionView) -> str:
        """Give why the insurer need not be asked; empty where it has to be."""
        if not institution.insurance_code:
            return _NO_CODE
        return "" if await self._people.identity_index_of(patient_id) else _NO_IDENTITY

    async def _on_expiry(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            charge = await self._locked(session, payload["charge_id"])
            if charge.state in UNPAID and charge.expires_at <= self._clock.now():
                await self._close(session, charge, Reason.EXPIRED)

    async def _on_slow(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            charge = await self._locked(session, payload["charge_id"])
            if charge.state is ChargeState.QUOTING:
                charge.slow = True
                await self._publish(session, "charge.delayed", charge)
