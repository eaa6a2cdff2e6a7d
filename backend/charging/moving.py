"""The moves of a charge, forward and back, each with what it owes the outside world from then on."""

import logging

from sqlalchemy.ext.asyncio import AsyncSession

from backend.charging.desk import EXPIRY_TIMER, SLOW_TIMER, ChargeDesk, own_split, read_split, write_split
from backend.charging.rules import (
    GRACE,
    HELD_FOR,
    HELD_WHILE_UNCLEAR,
    INSURANCE_LANE,
    PENDING,
    UNDOES,
    UNPAID,
    ChargeState,
    Move,
    OrderState,
    Reason,
    StepKind,
    StepState,
    kept_lines,
    payment_lines,
    settlement_lines,
)
from backend.charging.tables import Charge, ChargeOrder
from backend.errors import DomainError
from backend.insurance.coverage import Split
from backend.money import to_fen
from backend.payment.payments import Payment
from backend.scheduling import BookingState
from backend.security.policy import SYSTEM

log = logging.getLogger(__name__)

_MAY_HAVE_ARRIVED = (StepState.SENT, StepState.UNCLEAR, StepState.DONE)
_GONE = (ChargeState.CLOSING, ChargeState.CLOSED, ChargeState.REVERSING, ChargeState.REVERSED)


class Moving(ChargeDesk):
    """What moves a charge. Each method is a part of the caller's transaction, which holds the charge's lock."""

    # forward

    async def _quote(self, session: AsyncSession, charge: Charge, split: Split) -> None:
        """Tell the patient what is to be paid; where nothing is, the time is booked at once."""
        charge.quote = write_split(split)
        self._move(charge, Move.QUOTE)
        await self._timers.cancel(session, SLOW_TIMER, charge.id)
        if not await self._hold(session, charge):
            await self._close(session, charge, Reason.SLOT_GONE)
            return
        await self._publish(session, "charge.quoted", charge)
        if split.cash == 0 and not await self._confirm(session, charge):
            await self._close(session, charge, Reason.SLOT_GONE)

    async def _quote_own(self, session: AsyncSession, charge: Charge, why: str) -> None:
        """Go on without insurance: what it knows already is taken back, and the patient pays the whole."""
        charge.insured, charge.why_not = False, why
        await self._undo_insurance(session, charge)
        await self._quote(session, charge, own_split(charge.fee, why))

    async def _hold(self, session: AsyncSession, charge: Charge) -> bool:
        """Hold the slot for as long as one may pay; tell whether it is to be had."""
        now = self._clock.now()
        charge.expires_at = min(now + HELD_FOR, charge.starts_at)
        try:
            await self._scheduling.hold(charge.slot_id, charge.consultation_id, charge.expires_at + GRACE)
        except DomainError:
            return False
        await self._timers.set(session, EXPIRY_TIMER, charge.id, charge.expires_at, charge_id=charge.id)
        return True

    async def _confirm(self, session: AsyncSession, charge: Charge) -> bool:
        """Book the time of a charge that is paid; tell whether the consultation has a time now."""
        other = await self._open_charge(session, charge.consultation_id)
        if other is not None and other.id != charge.id:
            return False
        try:
            booking = await self._consultations.book(SYSTEM, charge.consultation_id, charge.slot_id)
        except DomainError as error:
            log.info("paid, but not booked: charge=%s code=%s", charge.id, error.code)
            there = await self._scheduling.booking(charge.consultation_id)
            if there is None or there.state is not BookingState.ACTIVE or there.expert_id != charge.expert_id:
                return False
            booking = there  # it was booked meanwhile, by its doctor
            await self._scheduling.let_go(charge.consultation_id)
        charge.slot_id, charge.starts_at = booking.slot_id, booking.starts_at
        charge.paid_at = self._clock.now()
        self._move(charge, Move.CONFIRM, Reason.NONE)
        await self._timers.cancel(session, EXPIRY_TIMER, charge.id)
        await self._publish(session, "charge.confirmed", charge)
        return True

    async def _received(self, session: AsyncSession, charge: Charge, order: ChargeOrder, payment: Payment) -> None:
        """Take up that an order was paid, once however often it is told, whatever became of the charge meanwhile."""
        if order.state is OrderState.PAID:
            return
        if payment.amount <= 0:
            log.error("a payment of nothing: order=%s", order.number)
            return
        unclear = any(one.state is OrderState.OPEN for one in await self._orders(session, charge))
        order.state, order.received = OrderState.PAID, payment.amount
        order.transaction, order.paid_at = payment.transaction, payment.paid_at or self._clock.now()
        await self._drop(session, charge, order.number, StepKind.WATCH, StepKind.CLOSE)
        lines = payment_lines(payment.amount)
        await self._ledger.post(f"pay:{order.number}", "payment", f"charge:{charge.id}", lines)
        await self._publish(session, "charge.paid", charge, amount=payment.amount)
        in_time = charge.state is ChargeState.CLOSING and charge.reason is Reason.EXPIRED and unclear
        if charge.state in UNPAID or in_time:
            await self._paid(session, charge, right=payment.amount == order.amount)
        elif charge.state in (ChargeState.CLOSING, ChargeState.CLOSED):
            late = charge.reason if charge.state is ChargeState.CLOSING else Reason.PAID_LATE
            await self._reverse(session, charge, late)
        await self._give_back(session, charge)

    async def _paid(self, session: AsyncSession, charge: Charge, *, right: bool) -> None:
        if not right:
            await self._reverse(session, charge, Reason.WRONG_AMOUNT)
        elif await self._confirm(session, charge):
            await self._close_orders(session, charge)
        else:
            await self._reverse(session, charge, Reason.SLOT_GONE)

    async def _settle(self, session: AsyncSession, charge: Charge, split: Split, borne: int = 0) -> None:
        """Post who has paid what of the fee, and give back what the patient has paid too much."""
        charge.settled = write_split(split)
        charge.settled_at = charge.settled_at or self._clock.now()
        charge.attention = await self._refusal(session, charge)
        self._move(charge, Move.SETTLE, Reason.NONE)
        lines = settlement_lines(charge.institution_id, split, borne)
        if lines:
            charge.posting = f"settle:{charge.visit}"
            await self._ledger.post(charge.posting, "settlement", f"charge:{charge.id}", lines)
        await self._publish(session, "charge.settled", charge)
        await self._give_back(session, charge)

    async def _dispute(self, session: AsyncSession, charge: Charge, reason: Reason) -> None:
        """Let a person look at it; where it is the settlement, that person decides what becomes of the charge."""
        charge.attention = reason
        if reason in (Reason.SETTLED_OTHERWISE, Reason.SETTLEMENT_REFUSED):
            self._move(charge, Move.DISPUTE)
        await self._publish(session, "charge.disputed", charge)

    # back

    async def _close(self, session: AsyncSession, charge: Charge, reason: Reason) -> None:
        """End a charge that nobody has paid, as far as is known here: its orders are closed, or found paid, first."""
        self._move(charge, Move.CLOSE, reason)
        await self._forget_timers(session, charge)
        if not await self._close_orders(session, charge):
            await self._orders_clear(session, charge)
        elif reason is Reason.EXPIRED:
            try:
                until = self._clock.now() + HELD_WHILE_UNCLEAR
                await self._scheduling.hold(charge.slot_id, charge.consultation_id, until)
            except DomainError:
                log.info("not held any longer: charge=%s", charge.id)
        else:
            await self._let_go(session, charge)

    async def _close_orders(self, session: AsyncSession, charge: Charge) -> bool:
        """See that no open order of a charge can be paid any more; tell whether there are any."""
        still_open = [one for one in await self._orders(session, charge) if one.state is OrderState.OPEN]
        closing = {step.lane for step in await self._steps(session, charge, StepKind.CLOSE, states=PENDING)}
        for order in still_open:
            await self._drop(session, charge, order.number, StepKind.WATCH)
            if order.number not in closing:
                await self._add_step(session, charge, StepKind.CLOSE, order.number)
        return bool(still_open)

    async def _orders_clear(self, session: AsyncSession, charge: Charge) -> None:
        """Go on with closing once it is certain that nothing was paid."""
        await self._undo_insurance(session, charge)
        await self._let_go(session, charge)
        await self._publish(session, "charge.lapsed", charge)
        await self._try_shut(session, charge)

    async def _reverse(self, session: AsyncSession, charge: Charge, reason: Reason, kept: int = 0) -> None:
        """Undo everything, and give everything back but `kept` fen."""
        self._move(charge, Move.REVERSE, reason)
        charge.attention = await self._refusal(session, charge)
        await self._forget_timers(session, charge)
        orders = await self._orders(session, charge)
        charge.kept = min(kept, sum(order.received for order in orders))
        if charge.kept:
            lines = kept_lines(charge.institution_id, charge.kept)
            await self._ledger.post(f"kept:{charge.id}", "no_show_fee", f"charge:{charge.id}", lines)
        await self._close_orders(session, charge)
        await self._let_go(session, charge)
        await self._undo_insurance(session, charge)
        if charge.posting and not charge.settlement:
            await self._take_posting_back(session, charge)
        await self._give_back(session, charge)
        await self._try_shut(session, charge)

    async def _undo_insurance(self, session: AsyncSession, charge: Charge) -> None:
        """Take back what the insurer knows, or may know: what may have arrived is made certain first, for the steps of
        a lane are done in their order."""
        steps = [step for step in await self._steps(session, charge) if step.lane == INSURANCE_LANE]
        for step in steps:
            asked_only = step.kind in (StepKind.ELIGIBILITY, StepKind.PRESETTLE)
            if (
                step.state in PENDING
                and step.kind not in UNDOES.values()
                and (asked_only or step.state is StepState.TODO)
            ):
                self._end_step(step, StepState.DROPPED)
        for kind, undoing in UNDOES.items():
            known = any(step.kind is kind and step.state in _MAY_HAVE_ARRIVED for step in steps)
            undone = any(step.kind is undoing and step.state is not StepState.DROPPED for step in steps)
            if known and not undone:
                await self._add_step(session, charge, undoing)

    async def _take_posting_back(self, session: AsyncSession, charge: Charge) -> None:
        for posting in await self._ledger.of(f"charge:{charge.id}"):
            if posting.key == charge.posting:
                await self._ledger.reverse(f"unsettle:{charge.visit}", "settlement_reversed", posting)
        charge.posting = ""

    async def _give_back(self, session: AsyncSession, charge: Charge) -> None:
        """Refund what was paid beyond what the charge may keep, of the last orders first: a second payment comes back
        as the whole that it was."""
        orders = [one for one in await self._orders(session, charge) if one.received]
        refunds = [
            step for step in await self._steps(session, charge, StepKind.REFUND) if step.state is not StepState.DROPPED
        ]
        surplus = sum(order.received for order in orders) - sum(step.amount for step in refunds) - _keeps(charge)
        for order in sorted(orders, key=lambda one: (one.paid_at or one.made_at, one.number), reverse=True):
            left = order.received - sum(step.amount for step in refunds if step.lane == order.number)
            part = min(left, surplus)
            if part > 0:
                surplus -= part
                step = await self._add_step(session, charge, StepKind.REFUND, order.number, amount=part)
                await self._publish(session, "charge.refunding", charge, amount=part, refund=step.number)

    async def _try_shut(self, session: AsyncSession, charge: Charge) -> None:
        """End a charge for which nothing is left to do."""
        if charge.state not in (ChargeState.CLOSING, ChargeState.REVERSING) or not await self._is_quiet(
            session, charge
        ):
            return
        reversing = charge.state is ChargeState.REVERSING
        self._move(charge, Move.SHUT)
        charge.closed_at = self._clock.now()
        if reversing:
            await self._publish(session, "charge.reversed", charge)

    # small things

    async def _refusal(self, session: AsyncSession, charge: Charge) -> Reason:
        """Give why a person has to look at a charge whose settlement is decided: a step that was refused, or is not
        answered."""
        steps = await self._steps(session, charge, states=[*PENDING, StepState.REFUSED])
        refused = {step.kind for step in steps if step.state is StepState.REFUSED}
        if StepKind.REFUND in refused:
            return Reason.REFUND_FAILED
        if refused:
            return Reason.UNDOING_REFUSED
        return Reason.NO_ANSWER if any(step.stalled_at for step in steps) else Reason.NONE

    async def _look_again(self, session: AsyncSession, charge: Charge) -> None:
        """See whether it still is, or now is, the silence of others that a person has to look at."""
        if charge.attention in (Reason.NONE, Reason.NO_ANSWER):
            charge.attention = await self._refusal(session, charge)

    async def _drop(self, session: AsyncSession, charge: Charge, lane: str, *kinds: StepKind) -> None:
        for step in await self._steps(session, charge, *kinds, states=PENDING):
            if step.lane == lane:
                self._end_step(step, StepState.DROPPED)

    async def _forget_timers(self, session: AsyncSession, charge: Charge) -> None:
        await self._timers.cancel(session, EXPIRY_TIMER, charge.id)
        await self._timers.cancel(session, SLOW_TIMER, charge.id)

    async def _let_go(self, session: AsyncSession, charge: Charge) -> None:
        """Give the held time back, unless it is held for another charge of the same consultation by now."""
        if await self._open_charge(session, charge.consultation_id) is None:
            await self._scheduling.let_go(charge.consultation_id)


def _keeps(charge: Charge) -> int:
    """What of the patient's money a charge may keep, in fen."""
    if charge.state in _GONE:
        return charge.kept
    split = read_split(charge.settled if charge.state is ChargeState.SETTLED else charge.quote)
    return 0 if split is None else to_fen(split.cash)
