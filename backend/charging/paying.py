"""How the patient pays: one open order at a time, and what the provider says counts."""

import asyncio
import logging
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.charging.calls import Answer, Done, Refused
from backend.charging.desk import PaymentDown, read_split
from backend.charging.opening import Opening
from backend.charging.rules import (
    CALL_TIMEOUT,
    PENDING,
    WATCH_EVERY,
    ChargeState,
    Move,
    OrderState,
    StepKind,
)
from backend.charging.tables import Charge, ChargeOrder, ChargeStep
from backend.charging.views import ChargeView
from backend.errors import Conflict, IllegalMove
from backend.ids import new_id
from backend.money import to_fen
from backend.payment.payments import (
    Notification,
    Order,
    Payment,
    PaymentRefused,
    PaymentUnclear,
    PaymentUnreachable,
    Refund,
)
from backend.security.policy import Action, Actor

log = logging.getLogger(__name__)

_PAID = "这笔钱已经付过了，不用再付。"
_EXPIRED = "付钱的时间到了，这个时间已经放回去，请重新选时间。"
_NO_ACCOUNT = "请在微信里打开这个页面再付钱。"


class Paying(Opening):
    """The part of `ChargingService` about paying. `prepay` and `refresh` speak with the provider, so they are called
    outside of any transaction."""

    async def prepay(self, actor: Actor, charge_id: str) -> Mapping[str, str]:
        """Give what the actor's WeChat needs to pay; whoever pays, there is one open order at a time.

        Raises:
            IllegalMove: there is nothing to pay, or not any more. Conflict: it was paid a moment ago. PaymentDown: the
                provider gives no answer.
        """
        payer = await self._payer_of(actor.person_id)
        if not payer:
            raise IllegalMove(_NO_ACCOUNT)
        order = await self._order_for(actor, charge_id)
        if isinstance(order, int):
            await self._perform(order, now=True)  # another one's order: it is closed, or found paid
            order = await self._order_for(actor, charge_id)
        if isinstance(order, int):
            raise PaymentDown
        asked = Order(
            number=order.number,
            description="远程会诊费",
            amount=order.amount,
            payer=payer,
            expires_at=order.expires_at,
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                return await self._payments.prepay(asked)
        except (PaymentUnreachable, PaymentUnclear, TimeoutError):
            raise PaymentDown from None
        except PaymentRefused as refused:
            log.warning("prepay refused: order=%s code=%s", order.number, refused.code)
            await self.refresh(actor, charge_id)
            raise PaymentDown from None

    async def _order_for(self, actor: Actor, charge_id: str) -> ChargeOrder | int:
        """Give the actor's open order, made where there is none; the step that closes another one's first."""
        async with self._database.transaction() as session:
            charge = await self._locked(session, charge_id)
            await self._allow(session, actor, Action.CHARGE_PAY, charge)
            self._require_payable(charge)
            still_open = [one for one in await self._orders(session, charge) if one.state is OrderState.OPEN]
            own = next((one for one in still_open if one.payer_id == actor.person_id), None)
            if own is not None and len(still_open) == 1 and not await self._closing(session, charge):
                return own
            if still_open:
                await self._close_orders(session, charge)
                return (await self._closing(session, charge))[0].id
            return await self._new_order(session, charge, actor)

    def _require_payable(self, charge: Charge) -> None:
        if charge.state in (ChargeState.CONFIRMED, ChargeState.SETTLING, ChargeState.SETTLED):
            raise Conflict(_PAID)
        if charge.state not in (ChargeState.QUOTED, ChargeState.AWAITING_PAYMENT):
            raise IllegalMove(f"这笔费用现在是“{charge.state.label}”，不能付钱。")
        if charge.expires_at <= self._clock.now():
            raise IllegalMove(_EXPIRED)

    async def _closing(self, session: AsyncSession, charge: Charge) -> list[ChargeStep]:
        return await self._steps(session, charge, StepKind.CLOSE, states=PENDING)

    async def _new_order(self, session: AsyncSession, charge: Charge, actor: Actor) -> ChargeOrder:
        quoted = read_split(charge.quote)
        if quoted is None or quoted.cash <= 0:
            raise IllegalMove("这笔费用不用付钱。")
        order = ChargeOrder(
            number=new_id(),
            charge_id=charge.id,
            payer_id=actor.person_id,
            amount=to_fen(quoted.cash),
            state=OrderState.OPEN,
            received=0,
            transaction="",
            made_at=self._clock.now(),
            expires_at=charge.expires_at,
        )
        session.add(order)
        if charge.state is ChargeState.QUOTED:
            self._move(charge, Move.ASK_PAYMENT)
        await self._add_step(session, charge, StepKind.WATCH, order.number, after=WATCH_EVERY)
        return order

    async def refresh(self, actor: Actor, charge_id: str) -> ChargeView:
        """Ask the provider now what became of the open orders and refunds, and give the charge as it stands then."""
        async with self._database.transaction() as session:
            charge = await self._locked(session, charge_id)
            await self._allow(session, actor, Action.CHARGE_READ, charge)
            kinds = (StepKind.WATCH, StepKind.CLOSE, StepKind.REFUND)
            pending = [step.id for step in await self._steps(session, charge, *kinds, states=PENDING)]
        for step_id in pending:
            await self._perform(step_id, now=True)
        async with self._database.reading() as session:
            return await self._view(session, await session.get_one(Charge, charge_id))

    async def notified(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take what the provider tells by itself. What comes twice changes nothing.

        Raises:
            ForgedNotification: it is not the provider's, or not for us; nothing has moved.
        """
        await self.take(self._payments.read(headers, body))

    async def take(self, notification: Notification) -> None:
        """Take up a notification that was verified."""
        about = notification.about
        async with self._database.transaction() as session:
            if isinstance(about, Payment):
                await self._told_of_payment(session, about)
            else:
                await self._told_of_refund(session, about)

    async def _told_of_payment(self, session: AsyncSession, payment: Payment) -> None:
        query = select(ChargeOrder.charge_id).where(ChargeOrder.number == payment.number)
        charge_id = await session.scalar(query)
        if charge_id is None or payment.state != "paid":
            log.warning("notification of no use: order=%s state=%s", payment.number, payment.state)
            return
        charge = await self._locked(session, charge_id)
        order = await session.get_one(ChargeOrder, payment.number, populate_existing=True)
        await self._received(session, charge, order, payment)
        await self._try_shut(session, charge)
        await self._look_again(session, charge)

    async def _told_of_refund(self, session: AsyncSession, refund: Refund) -> None:
        query = select(ChargeStep.charge_id, ChargeStep.id).where(ChargeStep.number == refund.number)
        found = (await session.execute(query)).one_or_none()
        if found is None:
            log.warning("notification of no use: refund=%s", refund.number)
            return
        charge = await self._locked(session, found.charge_id)
        step = await session.get_one(ChargeStep, found.id, populate_existing=True)
        if refund.state != "processing":
            answer: Answer = Done(refund) if refund.state == "done" else Refused(refund.state)
            await self._answered(session, charge, step, answer, step.state, step.attempts)
