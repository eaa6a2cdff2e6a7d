"""Reading from the tables when experts take consultations."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import local
from backend.scheduling.rules import Plan, Span, WeeklyHours, clock_text
from backend.scheduling.tables import Absence, DayHours, WeeklyHoursRow


async def read_plan(session: AsyncSession, expert_id: str, from_: datetime) -> Plan:
    """Give the plan of an expert as it is from the day of `from_` on."""
    return (await read_plans(session, [expert_id], from_))[expert_id]


async def read_plans(session: AsyncSession, expert_ids: Collection[str], from_: datetime) -> dict[str, Plan]:
    """Give the plans of these experts as they are from the day of `from_` on; what is over is left out."""
    weeks, days = await read_weeks(session, expert_ids), await _read_days(session, expert_ids, local(from_).date())
    away: dict[str, list[Span]] = {}
    rows = await session.execute(
        select(Absence.expert_id, Absence.starts_at, Absence.ends_at).where(
            Absence.expert_id.in_(expert_ids), Absence.ends_at > from_
        )
    )
    for expert_id, starts_at, ends_at in rows:
        away.setdefault(expert_id, []).append(Span(starts_at, ends_at))
    return {one: Plan(weeks.get(one, []), days.get(one, {}), away.get(one, [])) for one in expert_ids}


async def read_weeks(session: AsyncSession, expert_ids: Collection[str]) -> dict[str, list[WeeklyHours]]:
    """Give the weekly hours of those of the experts who have any, in order."""
    rows = await session.scalars(
        select(WeeklyHoursRow)
        .where(WeeklyHoursRow.expert_id.in_(expert_ids))
        .order_by(WeeklyHoursRow.weekday, WeeklyHoursRow.start_minute)
    )
    weeks: dict[str, list[WeeklyHours]] = {}
    for row in rows:
        start, end = clock_text(row.start_minute), clock_text(row.end_minute)
        hours = WeeklyHours(row.weekday, start, end, row.slot_minutes, row.on_holidays)
        weeks.setdefault(row.expert_id, []).append(hours)
    return weeks


async def _read_days(
    session: AsyncSession, expert_ids: Collection[str], first: date
) -> dict[str, dict[date, list[WeeklyHours]]]:
    # A day earlier: what begins before midnight may still be running.
    query = select(DayHours).where(DayHours.expert_id.in_(expert_ids), DayHours.day >= first - timedelta(days=1))
    found: dict[str, dict[date, list[WeeklyHours]]] = {}
    for row in await session.scalars(query.execution_options(populate_existing=True)):
        hours = [WeeklyHours(row.day.weekday(), clock_text(a), clock_text(b), minutes) for a, b, minutes in row.hours]
        found.setdefault(row.expert_id, {})[row.day] = hours
    return found
