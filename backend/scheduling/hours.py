"""Changing when an expert takes consultations: weekly hours, single days, absences; and seeing it all.

Experts and administrators change schedules by the same use cases. A change locks the schedule's version. A booking that
the change would leave outside the hours is told with `BookedTimes`, and stands as it is only where the caller says that
they know of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import LOCAL_ZONE
from backend.errors import Conflict, InvalidInput, NotFound
from backend.ids import new_id
from backend.scheduling.plans import read_plan
from backend.scheduling.rules import Span, WeeklyHours, check_day, check_week
from backend.scheduling.slots import EXTEND_TIMER, Slots
from backend.scheduling.tables import (
    Absence,
    Booking,
    BookingState,
    DayHours,
    ScheduleVersion,
    WeeklyHoursRow,
)
from backend.scheduling.views import AbsenceView, BookingView, ScheduleView
from backend.security.policy import Action, Actor, require

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_FARTHEST = timedelta(days=366)
_LONGEST_REASON = 200


class ScheduleChanged(Conflict):
    """Somebody else has changed the schedule since it was read."""

    code = "schedule_changed"
    sentence = "这位专家的排班刚刚被别人改过。您的改动还没有保存，请看过最新的排班再保存。"


class BookedTimes(Conflict):
    """The change would leave bookings outside the hours; nothing has been changed."""

    code = "booked_times"
    sentence = "改动的时间里有已经约好的会诊，请先看看涉及哪些人。"

    def __init__(self, bookings: Sequence[BookingView]) -> None:
        super().__init__()
        self.bookings = tuple(bookings)


@dataclass(frozen=True)
class Knowing:
    """What whoever changes a schedule has seen.

    Args:
        version: of the schedule that they read; None where they change it whatever it was.
        bookings: those that may stay outside the hours, for they will be talked about.
    """

    version: int | None = None
    bookings: Collection[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Away:
    """A time in which an expert is to be away, and why; the reason may be empty."""

    span: Span
    reason: str = field(default="", repr=False)


@dataclass(frozen=True)
class Change:
    """What is to be different about a schedule.

    Args:
        week: the hours of every week; None leaves them.
        days: hours of single days instead of the week's (none: the day is free); None gives a day the week's again.
        away: times in which they are away.
        back: absences that are none any more.
    """

    week: Iterable[WeeklyHours] | None = None
    days: Mapping[date, Iterable[WeeklyHours] | None] = field(default_factory=dict)
    away: Sequence[Away] = ()
    back: Collection[str] = field(default_factory=frozenset)


_NOTHING_SEEN = Knowing()


class Hours(Slots):
    """The part of `SchedulingService` about who changes when an expert has time."""

    async def schedule(self, actor: Actor, expert_id: str, from_: date, until: date) -> ScheduleView:
        """Give the schedule of an expert, with what is special on the days [`from_`, `until`).

        Raises:
            NotFound: no such expert. Forbidden: the actor may not see whose times these are.
        """
        await self._allow(actor, Action.SCHEDULING_READ_SCHEDULE, expert_id)
        begin, end = (datetime.combine(day, time(), LOCAL_ZONE) for day in (from_, until))
        async with self._database.transaction() as session:
            held = await session.get(ScheduleVersion, expert_id, populate_existing=True)
            plan = await read_plan(session, expert_id, begin)
            absences = await session.scalars(
                select(Absence)
                .where(Absence.expert_id == expert_id, Absence.ends_at > begin)
                .order_by(Absence.starts_at, Absence.id)
            )
            booked = await session.scalars(
                select(Booking)
                .where(
                    Booking.expert_id == expert_id,
                    Booking.state.in_([BookingState.ACTIVE, BookingState.KEPT]),
                    Booking.starts_at >= begin,
                    Booking.starts_at < end,
                )
                .order_by(Booking.starts_at)
            )
            view = ScheduleView(
                expert_id=expert_id,
                version=held.version if held else 0,
                week=tuple(plan.week),
                days={day: tuple(hours) for day, hours in plan.days.items() if from_ <= day < until},
                absences=tuple(AbsenceView(one.id, one.starts_at, one.ends_at, one.reason) for one in absences),
                bookings=tuple(BookingView.of(one) for one in booked),
            )
            await self._audit.record(session, actor, Action.SCHEDULING_READ_SCHEDULE, subject=f"expert:{expert_id}")
        return view

    async def set_week(
        self, actor: Actor, expert_id: str, week: Iterable[WeeklyHours], knowing: Knowing = _NOTHING_SEEN
    ) -> None:
        """Replace the weekly hours of an expert; see `change`."""
        await self.change(actor, expert_id, Change(week=tuple(week)), knowing)

    async def set_days(
        self,
        actor: Actor,
        expert_id: str,
        days: Mapping[date, Iterable[WeeklyHours] | None],
        knowing: Knowing = _NOTHING_SEEN,
    ) -> None:
        """Give single days hours of their own (none: the day is free); with None a day has the week's again."""
        await self.change(actor, expert_id, Change(days=days), knowing)

    async def add_absence(
        self,
        actor: Actor,
        expert_id: str,
        starts_at: datetime,
        ends_at: datetime,
        reason: str = "",
        knowing: Knowing = _NOTHING_SEEN,
    ) -> None:
        """Let an expert be away. Free slots in that time go; booked ones stay, for somebody has to talk about them."""
        await self.change(actor, expert_id, Change(away=(Away(Span(starts_at, ends_at), reason),)), knowing)

    async def remove_absence(
        self, actor: Actor, expert_id: str, absence_id: str, knowing: Knowing = _NOTHING_SEEN
    ) -> None:
        """Let an expert be there after all: the slots of that time can be had again."""
        await self.change(actor, expert_id, Change(back=frozenset({absence_id})), knowing)

    async def change(self, actor: Actor, expert_id: str, change: Change, knowing: Knowing = _NOTHING_SEEN) -> None:
        """Change when an expert takes consultations, all of it or nothing.

        Free slots follow at once; booked ones stay as they are.

        Raises:
            Forbidden: the times are somebody else's. NotFound: no such expert, or no such absence of theirs.
            InvalidInput: hours that cannot be (see `rules.check_week`), a day that is over or more than a year ahead,
                an absence that does not end after it begins, or whose reason is too long.
            ScheduleChanged, BookedTimes: see there; nothing was changed.
        """
        wanted = self._checked(change)
        async with self._changing(actor, _actions(wanted), expert_id, knowing) as session:
            if wanted.week is not None:
                await _put_week(session, expert_id, wanted.week)
            await _put_days(session, expert_id, wanted.days)
            session.add_all(
                Absence(
                    id=new_id(),
                    expert_id=expert_id,
                    starts_at=one.span.starts_at,
                    ends_at=one.span.ends_at,
                    reason=one.reason,
                )
                for one in wanted.away
            )
            await _drop_absences(session, expert_id, wanted.back)

    # inside

    def _checked(self, change: Change) -> Change:
        today = self._clock.today().date()
        if any(not today <= day <= today + _FARTHEST for day in change.days):
            raise InvalidInput("只能改今天到一年以内的日子。")
        for one in change.away:
            if one.span.ends_at <= one.span.starts_at:
                raise InvalidInput("请假的结束时间要晚于开始时间。")
            if len(one.reason) > _LONGEST_REASON:
                raise InvalidInput(f"请假原因最多{_LONGEST_REASON}个字。")
        return Change(
            week=None if change.week is None else check_week(change.week),
            days={day: None if hours is None else check_day(day, hours) for day, hours in change.days.items()},
            away=[Away(one.span, one.reason.strip()) for one in change.away],
            back=change.back,
        )

    async def _allow(self, actor: Actor, action: Action, expert_id: str) -> None:
        expert = await self._people.practitioner(expert_id)
        require(actor, action, participants=[expert_id], institution_id=expert.institution_id)

    @asynccontextmanager
    async def _changing(
        self, actor: Actor, actions: Sequence[Action], expert_id: str, knowing: Knowing
    ) -> "AsyncIterator[AsyncSession]":
        """Change the rows of a plan inside; afterwards the free slots follow, and no booking was left out unseen."""
        for action in actions:
            await self._allow(actor, action, expert_id)
        now = self._clock.now()
        async with self._database.transaction() as session:
            await self._count_up(session, expert_id, knowing.version)
            before = await read_plan(session, expert_id, now)
            yield session
            await session.flush()
            # The slots first: whoever is booking one at this moment is waited for, and seen by what reads after it.
            await self._make_again(session, expert_id)
            after = await read_plan(session, expert_id, now)
            booked = await session.scalars(
                select(Booking)
                .where(Booking.expert_id == expert_id, Booking.state == BookingState.ACTIVE, Booking.starts_at > now)
                .order_by(Booking.starts_at)
                .with_for_update()
            )
            spans = [(one, Span(one.starts_at, one.ends_at)) for one in booked if one.id not in knowing.bookings]
            left_out = [BookingView.of(one) for one, span in spans if before.covers(span) and not after.covers(span)]
            if left_out:
                raise BookedTimes(left_out)
            await self._timers.set(session, EXTEND_TIMER, "daily", self._clock.today() + timedelta(days=1))
            for action in actions:
                await self._audit.record(session, actor, action, subject=f"expert:{expert_id}")

    async def _count_up(self, session: AsyncSession, expert_id: str, seen: int | None) -> None:
        now = self._clock.now()
        query = select(ScheduleVersion).where(ScheduleVersion.expert_id == expert_id).with_for_update()
        row = await session.scalar(query.execution_options(populate_existing=True))
        if row is None:
            try:
                async with session.begin_nested():
                    session.add(ScheduleVersion(expert_id=expert_id, version=1, changed_at=now))
            except IntegrityError:
                raise ScheduleChanged from None
            if seen not in (None, 0):
                raise ScheduleChanged
            return
        if seen not in (None, row.version):
            raise ScheduleChanged
        row.version, row.changed_at = row.version + 1, now
        await session.flush()


def _actions(change: Change) -> list[Action]:
    """Give what whoever makes a change has to be allowed to do; a change of nothing is one of the hours."""
    is_about_absences = bool(change.away or change.back)
    is_about_hours = change.week is not None or bool(change.days) or not is_about_absences
    return [
        *([Action.SCHEDULING_SET_WEEK] if is_about_hours else []),
        *([Action.SCHEDULING_ADD_ABSENCE] if is_about_absences else []),
    ]


async def _put_week(session: AsyncSession, expert_id: str, week: Iterable[WeeklyHours]) -> None:
    await session.execute(delete(WeeklyHoursRow).where(WeeklyHoursRow.expert_id == expert_id))
    session.add_all(
        WeeklyHoursRow(
            expert_id=expert_id,
            weekday=hours.weekday,
            start_minute=hours.start_minute,
            end_minute=hours.end_minute,
            slot_minutes=hours.slot_minutes,
            on_holidays=hours.on_holidays,
        )
        for hours in week
    )


async def _put_days(session: AsyncSession, expert_id: str, days: Mapping[date, Iterable[WeeklyHours] | None]) -> None:
    await session.execute(delete(DayHours).where(DayHours.expert_id == expert_id, DayHours.day.in_(days)))
    session.add_all(
        DayHours(
            expert_id=expert_id,
            day=day,
            hours=[[one.start_minute, one.end_minute, one.slot_minutes] for one in hours],
        )
        for day, hours in days.items()
        if hours is not None
    )


async def _drop_absences(session: AsyncSession, expert_id: str, absences: Collection[str]) -> None:
    for absence_id in absences:
        gone = await session.execute(delete(Absence).where(Absence.id == absence_id, Absence.expert_id == expert_id))
        if gone.rowcount != 1:  # type: ignore[attr-defined]  # of a DELETE
            raise NotFound("没有找到这次请假，可能已经取消了。")
