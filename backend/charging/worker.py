"""Does the steps that charges owe: one worker at a step, marked as sent before it is, its answer written down after."""

import asyncio
import contextlib
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.charging.calls import Answer, Call
from backend.charging.outcomes import Outcomes
from backend.charging.rules import LEASE, PENDING, StepKind, StepState
from backend.charging.tables import Charge, ChargeOrder, ChargeStep
from backend.insurance.coverage import Fee
from backend.insurance.insurer import Visit
from backend.money import to_yuan
from backend.security.policy import SYSTEM

_BATCH = 8
_POLL_SECONDS = 1.0


class Worker(Outcomes):
    """The part of `ChargingService` that talks to the outside world."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._awake = asyncio.Event()
        self._clock.on_shift(self._wake)

    def _wake(self) -> None:
        self._awake.set()

    async def run(self) -> None:
        """Do what is due until cancelled."""
        while True:
            self._awake.clear()
            if await self.work() < _BATCH:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), _POLL_SECONDS)

    async def work(self, at_once: int = _BATCH) -> int:
        """Do the steps that are due now, a few at once, the longest due first; give how many were done.

        An answer that never comes is no error: the step stays, and is asked about later.
        """
        async with self._database.reading() as session:
            due = list(await session.scalars(_due(self._clock.now()).limit(at_once)))
        async with asyncio.TaskGroup() as group:
            for step_id in due:
                group.create_task(self._perform(step_id))
        return len(due)

    async def _perform(self, step_id: int, *, now: bool = False) -> None:
        """Do one step, unless somebody else is at it or it is not its turn. Not to be called inside a transaction: what
        is sent has to be written down before.

        Args:
            now: do not wait until it is due.
        """
        taken = await self._take(step_id, now=now)
        if taken is None:
            return
        charge_id, call, before, attempt = taken
        answer: Answer = await self._outward.do(call)
        async with self._database.transaction() as session:
            charge = await self._locked(session, charge_id)
            step = await session.get_one(ChargeStep, step_id, populate_existing=True)
            await self._answered(session, charge, step, answer, before, attempt)

    async def _take(self, step_id: int, *, now: bool) -> tuple[str, Call, StepState, int] | None:
        async with self._database.transaction() as session:
            charge_id = await session.scalar(select(ChargeStep.charge_id).where(ChargeStep.id == step_id))
            charge = await self._locked(session, charge_id or "")
            step = await session.get_one(ChargeStep, step_id, populate_existing=True)
            moment = self._clock.now()
            if step.due_at is None or (step.due_at > moment and not now):
                return None
            if step.leased_until is not None and step.leased_until > moment:
                return None
            lane = [one for one in await self._steps(session, charge, states=PENDING) if one.lane == step.lane]
            if lane[0].id != step.id:
                return None
            before = step.state
            call = await self._call(session, charge, step)
            step.state, step.leased_until = StepState.SENT, moment + LEASE
            step.attempts += 1
            return charge.id, call, before, step.attempts

    async def _call(self, session: AsyncSession, charge: Charge, step: ChargeStep) -> Call:
        """Read what a step needs; one that was sent before is asked about."""
        ask = step.state is not StepState.TODO
        if step.kind in (StepKind.WATCH, StepKind.CLOSE):
            return Call(step.kind, step.number, ask, order=step.lane)
        if step.kind is StepKind.REFUND:
            order = await session.get_one(ChargeOrder, step.lane)
            note = "会诊费退款"
            return Call(
                step.kind,
                step.number,
                ask,
                order=order.number,
                amount=step.amount,
                total=order.received,
                note=note,
            )
        if step.kind is StepKind.ELIGIBILITY:
            identity = await self._people.identity(SYSTEM, charge.patient_id)
            number, name = ("", "") if identity is None else (identity.number, identity.name)
            return Call(step.kind, step.number, ask, identity=number, name=name)
        institution = await self._people.institution(charge.institution_id)
        visit = Visit(
            number=charge.visit,
            person=charge.person_number,
            institution=institution.insurance_code,
            level=institution.level,
            service="remote_consultation",
            at=charge.made_at,
            fees=(Fee(charge.service, to_yuan(charge.fee)),),
        )
        return Call(step.kind, step.number, ask, visit=visit, settlement=charge.settlement)


def _due(now: Any) -> Any:
    """The steps that are due and the first of their lane, that nobody is at."""
    earlier = aliased(ChargeStep)
    waits = exists().where(
        earlier.charge_id == ChargeStep.charge_id,
        earlier.lane == ChargeStep.lane,
        earlier.id < ChargeStep.id,
        earlier.due_at.is_not(None),
    )
    return (
        select(ChargeStep.id)
        .where(
            ChargeStep.due_at <= now,
            or_(ChargeStep.leased_until.is_(None), ChargeStep.leased_until <= now),
            ~waits,
        )
        .order_by(ChargeStep.due_at, ChargeStep.id)
    )
