"""Reminders to take medicines: a plan, one message for everything of a moment, and what the person answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock, local
from backend.consultation import ConsultationService
from backend.db import Database
from backend.dispensing.reminders_rules import (
    MOST_LINES,
    WORTH_SAYING,
    Course,
    DoseState,
    Due,
    PlanLine,
    checked,
    due_between,
    later,
    next_due,
)
from backend.dispensing.reminders_tables import MedicineDose, MedicineLine, MedicinePlan, ReminderClock
from backend.errors import Forbidden, InvalidInput, NotFound
from backend.events import EventBus
from backend.ids import new_id
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, allowed
from backend.timers import Timers

DUE_TIMER = "medicine.due"
AGAIN_TIMER = "medicine.again"

_AS_PRESCRIBED = (MedicineLine.since, MedicineLine.plan_id, MedicineLine.position)
_NO_SUCH = "没有找到这次吃药提醒。"


@dataclass(frozen=True)
class LineView:
    """A medicine that somebody is reminded of, `times` of day in China, `first` to `last` day."""

    id: str
    name: str = field(repr=False)
    how: str = field(repr=False)
    times: tuple[time, ...]
    first: date
    last: date


@dataclass(frozen=True)
class DoseView:
    """A reminder: what is to be taken at `due_at`, and what became of it."""

    id: str
    patient_id: str
    due_at: datetime
    state: DoseState
    lines: tuple[LineView, ...]


@dataclass(frozen=True)
class Adherence:
    """How many reminders were given, and after how many the person said that they had taken it."""

    reminded: int
    taken: int


class ReminderService:
    """Plans of medicines and the reminders of them.

    Raises (besides what each method names):
        Forbidden: the policy refuses. NotFound: no such dose.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        consultations: ConsultationService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._consultations = consultations
        timers.on(DUE_TIMER, self._on_due)
        timers.on(AGAIN_TIMER, self._on_again)

    async def plan(
        self, actor: Actor, patient_id: str, lines: Sequence[PlanLine], start: date, *, origin: str | None = None
    ) -> str:
        """Remind a patient of medicines from a day on, and give the plan's identifier.

        Args:
            lines: one to twenty medicines. start: the first day; moments that have passed are left out.
            origin: what it is made from, such as `prescription:…`: given again, it is the plan that is there.

        Raises:
            InvalidInput: a line breaks a rule (`reminders_rules.checked`), or there are none or too many.
        """
        if not 0 < len(lines) <= MOST_LINES:
            raise InvalidInput(f"一次可以提醒1到{MOST_LINES}种药。", field="lines")
        wanted = [checked(line) for line in lines]
        async with self._database.transaction() as session:
            await self._allow(session, actor, Action.REMINDERS_PLAN, patient_id)
            clock = await self._locked(session, patient_id)
            if origin is not None:
                known = await session.scalar(select(MedicinePlan).where(MedicinePlan.origin == origin))
                if known is not None:
                    return known.id
            plan = MedicinePlan(
                id=new_id(), patient_id=patient_id, origin=origin, made_by=actor.person_id, made_at=self._clock.now()
            )
            session.add(plan)
            await session.flush()
            session.add_all(_row(plan, position, line, start) for position, line in enumerate(wanted))
            await session.flush()
            await self._wait(session, clock)
            return plan.id

    async def lines(self, actor: Actor, patient_id: str) -> list[LineView]:
        """Give the medicines that a patient is still reminded of; the read is audited."""
        async with self._database.transaction() as session:
            await self._allow(session, actor, Action.REMINDERS_READ, patient_id)
            return [line_view(row) for row in await self._running(session, patient_id)]

    async def dose(self, actor: Actor, dose_id: str) -> DoseView:
        """Give one reminder; the read is audited."""
        async with self._database.transaction() as session:
            row = await self._dose(session, actor, Action.REMINDERS_READ, dose_id)
            return await self._dose_view(session, row)

    async def newest_asked(self, actor: Actor, patient_id: str) -> DoseView | None:
        """Give the patient's newest reminder where it waits for an answer and is not old yet; the read is audited."""
        async with self._database.transaction() as session:
            await self._allow(session, actor, Action.REMINDERS_READ, patient_id)
            query = select(MedicineDose).where(
                MedicineDose.patient_id == patient_id, MedicineDose.due_at > self._clock.now() - 3 * WORTH_SAYING
            )
            row = await session.scalar(query.order_by(MedicineDose.due_at.desc()).limit(1))
            return None if row is None or row.state is not DoseState.ASKED else await self._dose_view(session, row)

    async def taken(self, actor: Actor, dose_id: str) -> DoseView:
        """Note that a dose was taken. Said twice is said once."""
        async with self._database.transaction() as session:
            row = await self._dose(session, actor, Action.REMINDERS_ANSWER, dose_id, lock=True)
            await self._answer(session, row, DoseState.TAKEN)
            return await self._dose_view(session, row)

    async def put_off(self, actor: Actor, dose_id: str) -> datetime | None:
        """Remind of a dose again in half an hour, and give when; None where it is late enough, or was put off three
        times, or was answered already."""
        async with self._database.transaction() as session:
            row = await self._dose(session, actor, Action.REMINDERS_ANSWER, dose_id, lock=True)
            lines = await self._lines_of(session, row)
            at = later(self._clock.now(), any(line.by_night for line in lines), row.put_off)
            if row.state is not DoseState.ASKED or at is None:
                return None
            row.put_off += 1
            await self._timers.set(session, AGAIN_TIMER, row.id, at, dose_id=row.id)
            return at

    async def stop(self, actor: Actor, dose_id: str) -> DoseView:
        """Remind no more of the medicines of a dose; what else the patient takes goes on."""
        async with self._database.transaction() as session:
            row = await self._dose(session, actor, Action.REMINDERS_ANSWER, dose_id, lock=True)
            for line in await self._lines_of(session, row):
                line.stopped_at = line.stopped_at or self._clock.now()
            await self._answer(session, row, DoseState.STOPPED)
            await self._wait(session, await self._locked(session, row.patient_id))
            return await self._dose_view(session, row)

    async def adherence(self, actor: Actor, patient_id: str) -> Adherence:
        """Give how often a patient was reminded, and how often they said that they had taken it; audited. What could
        not be told in time does not count, nor what they stopped."""
        async with self._database.transaction() as session:
            await self._allow(session, actor, Action.REMINDERS_READ, patient_id)
            query = (
                select(MedicineDose.state, func.count(MedicineDose.id))
                .where(MedicineDose.patient_id == patient_id)
                .group_by(MedicineDose.state)
            )
            counts: dict[DoseState, int] = {state: count for state, count in await session.execute(query)}  # noqa: C416
        taken = counts.get(DoseState.TAKEN, 0)
        return Adherence(taken + counts.get(DoseState.ASKED, 0), taken)

    # what timers do

    async def _on_due(self, payload: Mapping[str, Any]) -> None:
        """Remind of the latest moment that has come, and let what is too old go."""
        async with self._database.transaction() as session:
            clock = await self._locked(session, payload["patient_id"])
            now = self._clock.now()
            courses = [_course(row) for row in await self._running(session, clock.patient_id)]
            moments = due_between(courses, clock.reached, now)
            clock.reached = now
            for place, due in enumerate(moments, 1):
                in_time = place == len(moments) and now - due.at <= WORTH_SAYING
                await self._remind(session, clock.patient_id, due, in_time=in_time)
            await self._wait(session, clock)

    async def _remind(self, session: AsyncSession, patient_id: str, due: Due, *, in_time: bool) -> None:
        row = MedicineDose(
            id=new_id(),
            patient_id=patient_id,
            due_at=due.at,
            line_ids=list(due.line_ids),
            state=DoseState.ASKED if in_time else DoseState.MISSED,
        )
        session.add(row)
        await session.flush()
        if in_time:
            await self._tell(session, row)

    async def _on_again(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            row = await session.get(MedicineDose, payload["dose_id"])
            if row is not None and row.state is DoseState.ASKED:
                await self._tell(session, row)

    async def _tell(self, session: AsyncSession, row: MedicineDose) -> None:
        await self._events.publish(
            session, "medicine.due", dose_id=row.id, patient_id=row.patient_id, put_off=row.put_off
        )

    async def _wait(self, session: AsyncSession, clock: ReminderClock) -> None:
        """Set the patient's timer to what is due next."""
        courses = [_course(row) for row in await self._running(session, clock.patient_id)]
        due = next_due(courses, clock.reached)
        if due is None:
            await self._timers.cancel(session, DUE_TIMER, clock.patient_id)
        else:
            await self._timers.set(session, DUE_TIMER, clock.patient_id, due, patient_id=clock.patient_id)

    # inside

    async def _locked(self, session: AsyncSession, patient_id: str) -> ReminderClock:
        query = select(ReminderClock).where(ReminderClock.patient_id == patient_id).with_for_update()
        row = await session.scalar(query.execution_options(populate_existing=True))
        if row is None:
            row = ReminderClock(patient_id=patient_id, reached=self._clock.now())
            session.add(row)
            await session.flush()
        return row

    async def _answer(self, session: AsyncSession, row: MedicineDose, state: DoseState) -> None:
        if row.state is DoseState.ASKED:
            row.state, row.answered_at = state, self._clock.now()
        await self._timers.cancel(session, AGAIN_TIMER, row.id)

    async def _running(self, session: AsyncSession, patient_id: str) -> list[MedicineLine]:
        """Give the lines that may still be due; a day more than needed, for `reached` may lie in yesterday."""
        since = local(self._clock.now()).date() - timedelta(days=1)
        query = select(MedicineLine).where(
            MedicineLine.patient_id == patient_id, MedicineLine.stopped_at.is_(None), MedicineLine.last_day >= since
        )
        return list(await session.scalars(query.order_by(*_AS_PRESCRIBED)))

    async def _lines_of(self, session: AsyncSession, row: MedicineDose) -> list[MedicineLine]:
        query = select(MedicineLine).where(MedicineLine.id.in_(row.line_ids)).order_by(*_AS_PRESCRIBED)
        return list(await session.scalars(query))

    async def _dose(
        self, session: AsyncSession, actor: Actor, action: Action, dose_id: str, *, lock: bool = False
    ) -> MedicineDose:
        query = select(MedicineDose).where(MedicineDose.id == dose_id)
        row = await session.scalar(query.with_for_update() if lock else query)
        if row is None:
            raise NotFound(_NO_SUCH)
        await self._allow(session, actor, action, row.patient_id)
        return row

    async def _dose_view(self, session: AsyncSession, row: MedicineDose) -> DoseView:
        lines = tuple(line_view(line) for line in await self._lines_of(session, row))
        return DoseView(row.id, row.patient_id, row.due_at, row.state, lines)

    async def _allow(self, session: AsyncSession, actor: Actor, action: Action, patient_id: str) -> None:
        """Ask the policy about this patient, whose doctors are those of their consultations; audit it."""
        references = await self._consultations.references_of(patient_id)
        may = allowed(actor, action, patient_id=patient_id) or any(
            allowed(actor, action, participants=one.participants, institution_id=one.institution_id)
            for one in references
        )
        if not may:
            raise Forbidden(action=action.value)
        await self._audit.record(session, actor, action, patient_id=patient_id, subject=f"medicines:{patient_id}")


def _row(plan: MedicinePlan, position: int, line: PlanLine, start: date) -> MedicineLine:
    return MedicineLine(
        id=new_id(),
        plan_id=plan.id,
        position=position,
        patient_id=plan.patient_id,
        name=line.name,
        how=line.how,
        times=[one.isoformat("minutes") for one in line.times],
        first_day=start,
        last_day=start + timedelta(days=line.days - 1),
        every=line.every,
        by_night=line.by_night,
        since=plan.made_at,
    )


def _course(row: MedicineLine) -> Course:
    return Course(row.id, row.since, times_of(row), row.first_day, row.last_day, row.every, row.by_night)


def times_of(row: MedicineLine) -> tuple[time, ...]:
    """Give the times of day of a line."""
    return tuple(time.fromisoformat(one) for one in row.times)


def line_view(row: MedicineLine) -> LineView:
    """Give a line as it is shown."""
    return LineView(row.id, row.name, row.how, times_of(row), row.first_day, row.last_day)
