"""How a charge ends: cancelled, settled after the consultation, undone, or decided by a person."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from backend.charging.desk import own_split, read_split
from backend.charging.paying import Paying
from backend.charging.rules import (
    INSURANCE_LANE,
    OF_A_VISIT,
    PENDING,
    UNPAID,
    ChargeState,
    Move,
    Reason,
    StepKind,
    StepState,
)
from backend.charging.tables import Charge, ChargeStep
from backend.charging.views import ChargeView
from backend.consultation.rules import require_text
from backend.db import after_commit
from backend.errors import IllegalMove
from backend.events import Event
from backend.insurance.coverage import ZERO, Split
from backend.money import to_fen
from backend.payment.payments import FAILED_REFUNDS
from backend.scheduling import BookingState
from backend.security.policy import Action, Actor

Decision = Literal["bear", "reverse", "again", "waive"]

HEARD = (
    "consultation.completed",
    "consultation.cancelled",
    "consultation.given_back",
    "booking.cancelled",
    "booking.changed",
    "booking.no_show",
)
_SETTLING = "医保正在结算，现在还不能撤销，请等它回话。"
_PAID_ALONE = "这次没有用医保，费用由个人支付。"


class Ending(Paying):
    """The part of `ChargingService` about ends."""

    async def cancel(self, actor: Actor, charge_id: str, reason: str = "") -> ChargeView:
        """Take it back: unpaid, the time is given back and nothing is taken; paid, the booking is cancelled and
        everything paid is given back. Cancelled twice is cancelled once.

        Raises:
            IllegalMove: the consultation has begun, or it is settled.
        """
        async with self._database.transaction() as session:
            charge = await self._locked(session, charge_id)
            await self._allow(session, actor, Action.CHARGE_CANCEL, charge)
            if charge.state in UNPAID:
                await self._close(session, charge, Reason.CANCELLED)
            elif charge.state is ChargeState.CONFIRMED:
                booking = await self._scheduling.booking(charge.consultation_id)
                if booking is not None and booking.state is BookingState.ACTIVE:
                    await self._consultations.cancel_booking(actor, charge.consultation_id, reason)
                await self._reverse(session, charge, Reason.CANCELLED)
            elif charge.state in (ChargeState.SETTLING, ChargeState.SETTLED, ChargeState.DISPUTED):
                raise IllegalMove("会诊已经做完，费用不能取消了。对费用有疑问，请回复“人工”。")
            return await self._view(session, charge)

    async def _on_event(self, event: Event) -> None:
        """Follow what becomes of the consultation."""
        async with self._database.transaction() as session:
            charge = await self._open_charge(session, event.payload["consultation_id"])
            if charge is None:
                return
            if event.type == "consultation.completed":
                if charge.state is ChargeState.CONFIRMED:
                    await self._complete(session, charge)
            elif event.type == "booking.changed":
                if charge.state is ChargeState.CONFIRMED:
                    await self._follow_booking(charge)
            elif await self._is_its_end(charge, event):
                await self._end(session, charge, event)

    async def _is_its_end(self, charge: Charge, event: Event) -> bool:
        """Tell whether what ended is what this charge is for, and not what an earlier one was for."""
        if event.type == "consultation.cancelled":
            return True
        if event.type == "consultation.given_back":
            return bool(event.payload["expert_id"] == charge.expert_id)
        booking = await self._scheduling.booking(charge.consultation_id)
        return booking is None or booking.state is not BookingState.ACTIVE

    async def _complete(self, session: AsyncSession, charge: Charge) -> None:
        self._move(charge, Move.COMPLETE)
        if charge.insured:
            await self._add_step(session, charge, StepKind.SETTLE)
        else:
            await self._settle(session, charge, own_split(charge.fee, charge.why_not or _PAID_ALONE))

    async def _follow_booking(self, charge: Charge) -> None:
        booking = await self._scheduling.booking(charge.consultation_id)
        if booking is not None:
            charge.slot_id, charge.starts_at = booking.slot_id, booking.starts_at

    async def _end(self, session: AsyncSession, charge: Charge, event: Event) -> None:
        own = event.payload.get("actor_id") in (charge.patient_id, event.payload.get("speaker_id"))
        reason = Reason.CANCELLED if own else Reason.CARE_CANCELLED
        if charge.state in UNPAID:
            if event.type in ("consultation.cancelled", "consultation.given_back"):
                await self._close(session, charge, reason)
        elif charge.state is ChargeState.CONFIRMED:
            if event.type == "booking.no_show":
                await self._reverse(session, charge, Reason.NO_SHOW, kept=charge.no_show_fee)
            else:
                await self._reverse(session, charge, reason)

    # by a person

    async def decide(self, actor: Actor, charge_id: str, decision: Decision, reason: str) -> ChargeView:
        """Decide as an administrator: the platform bears the difference, everything is reversed, or a step that was
        refused is tried again: a refund that the provider does not know under its number, all else under a new one;
        one that is not answered is asked about at once. `waive`: that the insurer forgets a visit without a settlement
        is waited for no longer. It is audited with its reason.

        Raises:
            InvalidInput: no reason. IllegalMove: it does not wait for this decision.
        """
        why = require_text(reason, "原因", longest=200)
        async with self._database.transaction() as session:
            charge = await self._locked(session, charge_id)
            await self._allow(session, actor, Action.CHARGE_DECIDE, charge)
            await self._record(session, actor, f"charge.decide_{decision}", charge, why)
            if decision == "bear":
                await self._bear(session, charge)
            elif decision == "reverse":
                if charge.state is ChargeState.SETTLING and not settlement_stalls(await self._steps(session, charge)):
                    raise IllegalMove(_SETTLING)
                await self._reverse(session, charge, Reason.DECIDED)
            elif decision == "waive":
                await self._waive(session, charge)
            else:
                await self._try_again(session, charge)
            await self._look_again(session, charge)
            return await self._view(session, charge)

    async def _bear(self, session: AsyncSession, charge: Charge) -> None:
        """Let the platform pay what the patient was not quoted."""
        quoted, otherwise = read_split(charge.quote), read_split(charge.settled)
        silent = charge.state is ChargeState.SETTLING and settlement_stalls(await self._steps(session, charge))
        if (charge.state is not ChargeState.DISPUTED and not silent) or quoted is None:
            raise IllegalMove("这笔费用没有在等人核对。")
        if otherwise is None or not charge.settlement:
            split = Split(ZERO, ZERO, ZERO, quoted.cash, "", ("医保没有结算，差额由平台承担。",))
            await self._undo_insurance(session, charge)
        else:
            lines = (*otherwise.lines, "超出原来告诉您的部分由平台承担。")
            split = Split(
                otherwise.insurance, otherwise.account, otherwise.subsidy, quoted.cash, otherwise.table, lines
            )
        borne = charge.fee - to_fen(split.total)
        if borne < 0:
            raise IllegalMove("医保结算的钱比会诊费还多，只能全部撤销。")
        await self._settle(session, charge, split, borne)

    async def _try_again(self, session: AsyncSession, charge: Charge) -> None:
        refused = await self._steps(session, charge, states=[StepState.REFUSED])
        stalled = [step for step in await self._steps(session, charge, states=PENDING) if step.stalled_at]
        if not refused and not stalled:
            raise IllegalMove("没有被拒绝或者没有回话的步骤，不用再试。")
        for step in stalled:
            step.due_at = self._clock.now()
        charge.attention = Reason.NONE
        for step in refused:
            if step.kind is StepKind.REFUND and step.code not in FAILED_REFUNDS:
                # An earlier try may still arrive: under another number it would be given back twice.
                step.state, step.due_at = StepState.UNCLEAR, self._clock.now()
            else:
                step.state = StepState.DROPPED
        after_commit(session, self._wake)
        await session.flush()
        if any(step.lane == INSURANCE_LANE for step in refused):
            await self._undo_insurance(session, charge)
        await self._give_back(session, charge)

    async def _waive(self, session: AsyncSession, charge: Charge) -> None:
        steps = await self._steps(session, charge)
        if not may_waive(charge, steps):
            raise IllegalMove("没有可以不再等的步骤。")
        for step in steps:
            if step.kind in OF_A_VISIT and step.state in (*PENDING, StepState.REFUSED):
                self._end_step(step, StepState.DROPPED, step.code or "waived")
        if charge.attention is Reason.UNDOING_REFUSED:
            charge.attention = Reason.NONE
        await self._try_shut(session, charge)


def settlement_stalls(steps: Sequence[ChargeStep]) -> bool:
    """Tell whether the insurer has not said for too long what became of the settlement."""
    return any(step.kind is StepKind.SETTLE and step.state in PENDING and step.stalled_at for step in steps)


def may_waive(charge: Charge, steps: Sequence[ChargeStep]) -> bool:
    """Tell whether nothing but a visit without a settlement is left at the insurer, and it does not forget it."""
    owed = [step for step in steps if step.lane == INSURANCE_LANE and step.state in (*PENDING, StepState.REFUSED)]
    stuck = any(step.stalled_at or step.state is StepState.REFUSED for step in owed)
    return stuck and charge.state is not ChargeState.QUOTING and all(step.kind in OF_A_VISIT for step in owed)
