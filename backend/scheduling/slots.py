"""The slots that are made from hours and absences."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database
from backend.errors import NotFound
from backend.ids import new_id
from backend.people import PeopleService
from backend.scheduling.plans import read_plan, read_plans, read_weeks
from backend.scheduling.rules import HORIZON, Plan, Span, WeeklyHours
from backend.scheduling.tables import (
    Absence,
    ScheduleHorizon,
    Slot,
    SlotState,
    WeeklyHoursRow,
)
from backend.scheduling.views import Availability, SlotView
from backend.security.audit import AuditLog
from backend.timers import Timers

EXTEND_TIMER = "scheduling.extend"
_MOST_SLOTS = 100


class Slots:
    """The part of `SchedulingService` about when experts have time."""

    def __init__(
        self, database: Database, clock: Clock, timers: Timers, audit: AuditLog, people: PeopleService
    ) -> None:
        self._database = database
        self._clock = clock
        self._timers = timers
        self._audit = audit
        self._people = people
        timers.on(EXTEND_TIMER, self._on_extend)

    # slots

    async def week(self, expert_id: str) -> list[WeeklyHours]:
        """Give the weekly hours of an expert, in order."""
        async with self._database.reading() as session:
            return (await read_weeks(session, [expert_id])).get(expert_id, [])

    async def slots(self, expert_id: str, from_: datetime, until: datetime, limit: int = 20) -> list[SlotView]:
        """Give the free slots of an expert that begin in [`from_`, `until`) and not before now, in order.

        Args:
            limit: at most so many, 1 to 100.
        """
        await self.make_slots([expert_id])
        async with self._database.reading() as session:
            rows = await session.scalars(
                select(Slot)
                .where(
                    Slot.expert_id == expert_id,
                    Slot.state == SlotState.FREE,
                    Slot.starts_at >= max(from_, self._clock.now()),
                    Slot.starts_at < until,
                )
                .order_by(Slot.starts_at)
                .limit(min(max(limit, 1), _MOST_SLOTS))
            )
            return [SlotView.of(row) for row in rows]

    async def slot(self, slot_id: str) -> SlotView:
        """Give one slot.

        Raises:
            NotFound: there is none with this identifier.
        """
        async with self._database.reading() as session:
            row = await session.get(Slot, slot_id)
        if row is None:
            raise NotFound("没有找到这个时间，请重新选择。")
        return SlotView.of(row)

    async def is_available(self, expert_id: str, at: datetime) -> bool:
        """Tell whether an expert works at `at`: in the weekly hours, not away, in no booked slot."""
        return (await self.availability([expert_id], at))[expert_id].on_duty

    async def next_free(self, expert_id: str, from_: datetime) -> datetime | None:
        """Give the beginning of the first free slot of an expert at or after `from_`, if there is one."""
        return (await self.availability([expert_id], from_))[expert_id].next_free

    async def availability(self, expert_ids: Collection[str], at: datetime) -> dict[str, Availability]:
        """Give, for each of the experts, whether they work at `at` and when their next slot is free."""
        if not expert_ids:
            return {}
        await self.make_slots(expert_ids)
        async with self._database.reading() as session:
            plans = await read_plans(session, expert_ids, at)
            away = await session.scalars(
                select(Absence.expert_id).where(
                    Absence.expert_id.in_(expert_ids), Absence.ends_at > at, Absence.starts_at <= at
                )
            )
            busy = await session.scalars(
                select(Slot.expert_id).where(
                    Slot.expert_id.in_(expert_ids),
                    Slot.state == SlotState.BOOKED,
                    Slot.starts_at <= at,
                    Slot.starts_at > at - timedelta(days=1),
                    Slot.ends_at > at,
                )
            )
            free = await session.execute(
                select(Slot.expert_id, func.min(Slot.starts_at))
                .where(Slot.expert_id.in_(expert_ids), Slot.state == SlotState.FREE, Slot.starts_at >= at)
                .group_by(Slot.expert_id)
            )
            unavailable = {*away, *busy}
            first_free = dict(free.all())
        return {
            expert_id: Availability(
                on_duty=expert_id not in unavailable and plans[expert_id].in_hours(at),
                next_free=first_free.get(expert_id),
            )
            for expert_id in expert_ids
        }

    async def make_slots(self, expert_ids: Collection[str]) -> None:
        """Make the slots of the coming 14 days for those of the experts whose slots do not reach that far yet."""
        enough = self._clock.today() + HORIZON
        async with self._database.reading() as session:
            made = await session.scalars(
                select(ScheduleHorizon.expert_id).where(
                    ScheduleHorizon.expert_id.in_(expert_ids), ScheduleHorizon.made_until >= enough
                )
            )
            missing = sorted(set(expert_ids) - set(made))
        if not missing:
            return
        async with self._database.transaction() as session:
            for expert_id in missing:
                await self._make(session, expert_id)

    # inside

    async def _make_again(self, session: AsyncSession, expert_id: str) -> None:
        await session.execute(
            delete(Slot).where(
                Slot.expert_id == expert_id,
                Slot.state == SlotState.FREE,
                Slot.starts_at >= self._clock.now(),
            )
        )
        await self._make(session, expert_id)

    async def _make(self, session: AsyncSession, expert_id: str) -> None:
        now = self._clock.now()
        until = self._clock.today() + HORIZON
        plan = await read_plan(session, expert_id, now)
        taken = await self._standing(session, expert_id, plan)
        fresh = [span for span in plan.spans(now, until) if not any(span.overlaps(other) for other in taken)]
        try:
            async with session.begin_nested():
                session.add_all(
                    Slot(
                        id=new_id(),
                        expert_id=expert_id,
                        starts_at=span.starts_at,
                        ends_at=span.ends_at,
                        state=SlotState.FREE,
                    )
                    for span in fresh
                )
                horizon = await session.get(ScheduleHorizon, expert_id)
                if horizon is None:
                    session.add(ScheduleHorizon(expert_id=expert_id, made_until=until))
                else:
                    horizon.made_until = until
                await session.flush()
        except IntegrityError:
            # Another process made the same slots in the same moment; they are there, which is all that was wanted.
            return

    async def _standing(self, session: AsyncSession, expert_id: str, plan: Plan) -> list[Span]:
        """Give the spans of the slots that stay; free ones that the plan has no more go: a holiday may be announced."""
        existing = await session.execute(
            select(Slot.id, Slot.state, Slot.starts_at, Slot.ends_at).where(
                Slot.expert_id == expert_id, Slot.ends_at > self._clock.now()
            )
        )
        stay, gone = [], []
        for slot_id, state, starts_at, ends_at in existing:
            span = Span(starts_at, ends_at)
            if state is SlotState.FREE and not plan.covers(span):
                gone.append(slot_id)
            else:
                stay.append(span)
        if gone:
            await session.execute(delete(Slot).where(Slot.id.in_(gone), Slot.state == SlotState.FREE))
        return stay

    async def _on_extend(self, _payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            experts = (await session.scalars(select(WeeklyHoursRow.expert_id).distinct())).all()
            await self.make_slots(experts)
            await self._timers.set(session, EXTEND_TIMER, "daily", self._clock.today() + timedelta(days=1))
