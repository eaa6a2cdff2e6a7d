"""What every use case of charging needs: finding a charge under its lock, moving it, its steps, and telling of it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.charging.calls import Outward
from backend.charging.rules import (
    INSURANCE_LANE,
    OPEN,
    PENDING,
    ChargeState,
    Move,
    Reason,
    StepKind,
    StepState,
    moved,
)
from backend.charging.tables import Charge, ChargeOrder, ChargeStep
from backend.charging.views import ChargeView
from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database, after_commit
from backend.errors import DomainError, NotFound
from backend.events import EventBus
from backend.ids import new_id
from backend.insurance.coverage import Split
from backend.insurance.insurer import Insurer
from backend.ledger import LedgerService
from backend.money import said, to_fen, to_yuan
from backend.payment.payments import Payments
from backend.people import PeopleService
from backend.scheduling import SchedulingService
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, require
from backend.timers import Timers

EXPIRY_TIMER = "charging.expires"
SLOW_TIMER = "charging.slow"


class PayerOf(Protocol):
    """Gives what the payment provider calls a person (an openid); empty where it knows them not."""

    async def __call__(self, person_id: str) -> str: ...


class PaymentDown(DomainError):
    """The payment provider gives no answer."""

    code = "payment_down"
    sentence = "微信支付现在没有回答，请过一会儿再点一次。如果已经付了，不用再付，我们会查到的。"


class ChargeDesk:
    """Base of the groups of use cases that make up `ChargingService`; none of its methods is public.

    Every change begins with `_locked`: whoever has the charge's row may change the charge, its steps and its orders.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        scheduling: SchedulingService,
        consultations: ConsultationService,
        ledger: LedgerService,
        insurer: Insurer,
        payments: Payments,
        payer_of: PayerOf,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._scheduling = scheduling
        self._consultations = consultations
        self._ledger = ledger
        self._insurer = insurer
        self._payments = payments
        self._payer_of = payer_of
        self._outward = Outward(insurer, payments)

    def _wake(self) -> None:
        """Tell the worker that there is something to do."""

    # charges

    async def _locked(self, session: AsyncSession, charge_id: str) -> Charge:
        """Find a charge, and keep others from changing it until the transaction ends."""
        query = select(Charge).where(Charge.id == charge_id).with_for_update()
        charge: Charge | None = await session.scalar(query.execution_options(populate_existing=True))
        if charge is None:
            raise NotFound("没有找到这笔费用。")
        return charge

    async def _open_charge(self, session: AsyncSession, consultation_id: str) -> Charge | None:
        query = select(Charge).where(Charge.open_for == consultation_id).with_for_update()
        charge: Charge | None = await session.scalar(query.execution_options(populate_existing=True))
        return charge

    async def _allow(self, session: AsyncSession, actor: Actor, action: Action, charge: Charge) -> None:
        """Ask the policy, and write the audit entry."""
        case = await self._consultations.reference(charge.consultation_id)
        require(
            actor,
            action,
            patient_id=charge.patient_id,
            participants=() if case is None else case.participants,
            institution_id=None if case is None else case.institution_id,
        )
        await self._record(session, actor, action, charge)

    async def _record(self, session: AsyncSession, actor: Actor, action: str, charge: Charge, reason: str = "") -> None:
        subject = f"charge:{charge.id}"
        await self._audit.record(session, actor, action, patient_id=charge.patient_id, subject=subject, reason=reason)

    def _move(self, charge: Charge, move: Move, reason: Reason | None = None) -> None:
        charge.state = moved(charge.state, move)
        if reason is not None:
            charge.reason = reason
        charge.open_for = charge.consultation_id if charge.state in OPEN else None

    async def _publish(self, session: AsyncSession, type_: str, charge: Charge, **payload: Any) -> None:
        await self._consultations.publish_meeting(
            session,
            charge.consultation_id,
            type_,
            charge_id=charge.id,
            number=charge.number,
            state=charge.state.value,
            reason=(charge.attention or charge.reason).value,
            expert_id=charge.expert_id,
            **payload,
        )

    # steps

    async def _add_step(
        self,
        session: AsyncSession,
        charge: Charge,
        kind: StepKind,
        lane: str = INSURANCE_LANE,
        *,
        amount: int = 0,
        after: timedelta = timedelta(),
    ) -> ChargeStep:
        now = self._clock.now()
        step = ChargeStep(
            charge_id=charge.id,
            lane=lane,
            kind=kind,
            number=new_id(),
            state=StepState.TODO,
            amount=amount,
            made_at=now,
            due_at=now + after,
        )
        session.add(step)
        await session.flush()
        after_commit(session, self._wake)
        return step

    def _end_step(self, step: ChargeStep, state: StepState, code: str = "") -> None:
        step.state, step.code, step.done_at = state, code, self._clock.now()
        step.due_at = step.leased_until = step.silent_since = step.stalled_at = None

    async def _steps(
        self, session: AsyncSession, charge: Charge, *kinds: StepKind, states: Collection[StepState] = tuple(StepState)
    ) -> list[ChargeStep]:
        query = select(ChargeStep).where(ChargeStep.charge_id == charge.id, ChargeStep.state.in_(states))
        if kinds:
            query = query.where(ChargeStep.kind.in_(kinds))
        return list(await session.scalars(query.order_by(ChargeStep.id)))

    async def _is_quiet(self, session: AsyncSession, charge: Charge) -> bool:
        """Tell whether nothing is to be done for it any more, and nobody has to look at it."""
        counted = select(func.count(ChargeStep.id)).where(
            ChargeStep.charge_id == charge.id,
            ChargeStep.state.in_([*PENDING, StepState.REFUSED]),
            ChargeStep.kind.in_(_OWED),
        )
        return not await session.scalar(counted)

    async def _orders(self, session: AsyncSession, charge: Charge) -> list[ChargeOrder]:
        query = select(ChargeOrder).where(ChargeOrder.charge_id == charge.id)
        return list(await session.scalars(query.order_by(ChargeOrder.made_at, ChargeOrder.number)))

    # showing

    async def _view(self, session: AsyncSession, charge: Charge) -> ChargeView:
        refunds = await self._steps(session, charge, StepKind.REFUND, states=[*PENDING, StepState.DONE])
        orders = await self._orders(session, charge)
        return ChargeView(
            id=charge.id,
            number=charge.number,
            consultation_id=charge.consultation_id,
            patient_id=charge.patient_id,
            state=charge.state,
            reason=charge.reason,
            attention=charge.attention,
            insured=charge.insured,
            why_not=charge.why_not,
            fee=to_yuan(charge.fee),
            tariff=charge.tariff,
            quote=read_split(charge.quote),
            settled=read_split(charge.settled),
            paid=to_yuan(sum(order.received for order in orders)),
            refunding=to_yuan(sum(step.amount for step in refunds if step.state in PENDING)),
            refunded=to_yuan(sum(step.amount for step in refunds if step.state is StepState.DONE)),
            kept=to_yuan(charge.kept),
            slot_id=charge.slot_id,
            starts_at=charge.starts_at,
            expires_at=charge.expires_at,
            made_at=charge.made_at,
            paid_at=charge.paid_at,
            settled_at=charge.settled_at,
            closed_at=charge.closed_at,
            slow=charge.slow and charge.state is ChargeState.QUOTING,
        )

    def _today(self) -> datetime:
        return self._clock.today()


_OWED = tuple(kind for kind in StepKind if kind is not StepKind.WATCH)


def write_split(split: Split) -> dict[str, Any]:
    """Give who pays what as it is kept: whole fen."""
    parts = {name: to_fen(getattr(split, name)) for name in ("insurance", "account", "subsidy", "cash")}
    return {**parts, "table": split.table, "lines": list(split.lines)}


def read_split(kept: dict[str, Any] | None) -> Split | None:
    """Give who pays what in yuan, from what is kept."""
    if kept is None:
        return None
    insurance, account, subsidy, cash = (to_yuan(kept[name]) for name in ("insurance", "account", "subsidy", "cash"))
    return Split(insurance, account, subsidy, cash, kept["table"], tuple(kept["lines"]))


def explained(split: Split, by: Split | None) -> Split:
    """Give a split with the explanation of another that shares alike: an insurer says who pays what, and not why."""
    return split if by is None or by.parts != split.parts else replace(split, lines=by.lines)


def own_split(fee: int, why: str) -> Split:
    """Give a fee that the patient pays alone, and why."""
    whole = to_yuan(fee)
    lines = (f"费用一共{said(whole)}。", why, f"您要付{said(whole)}。")
    return Split(Decimal("0.00"), Decimal("0.00"), Decimal("0.00"), whole, "", lines)
