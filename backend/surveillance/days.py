"""Days: on which the platform ran, so that no cases and no platform are told apart; and when alarms are looked for."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import LOCAL_ZONE, Clock, local
from backend.db import Database, after_commit
from backend.surveillance.facts import EVERY_CASE
from backend.surveillance.rules import HOURS_THAT_COUNT
from backend.surveillance.tables import SurveillanceDay, SyndromeFact
from backend.timers import Timers

HOUR_TIMER = "surveillance.hour"
DAY_TIMER = "surveillance.day"

LOOKED_FOR_AT = time(7, 30)
"""When the alarms of the day before are looked for: people read of them in the morning."""

LOOKED_BACK = timedelta(days=7)
"""Days that nobody has looked at yet are looked at for so long, when the platform was down in the morning."""

_HOUR = timedelta(hours=1)


class Days:
    """Counts the hours in which the platform runs, by a timer of which there is one however many processes run."""

    def __init__(self, database: Database, clock: Clock, timers: Timers) -> None:
        self._database = database
        self._clock = clock
        self._timers = timers
        self.wake = asyncio.Event()
        timers.on(HOUR_TIMER, self._on_hour)
        timers.on(DAY_TIMER, self._on_day)

    async def begin(self) -> None:
        """Count from now on, once this process is up."""
        async with self._database.transaction() as session:
            await self._timers.set(session, HOUR_TIMER, "", self._clock.now())

    async def _on_hour(self, _payload: Mapping[str, Any]) -> None:
        now = local(self._clock.now())
        async with self._database.transaction() as session:
            row = await session.get(SurveillanceDay, now.date(), with_for_update=True)
            if row is None:
                row = SurveillanceDay(day=now.date(), hours=0, last_hour=-1)
                session.add(row)
                morning = datetime.combine(row.day, LOOKED_FOR_AT, LOCAL_ZONE)
                await self._timers.set(session, DAY_TIMER, row.day.isoformat(), morning, day=row.day.isoformat())
            if row.last_hour != now.hour:
                row.hours, row.last_hour = row.hours + 1, now.hour
            await self._timers.set(session, HOUR_TIMER, "", now.replace(minute=0, second=0, microsecond=0) + _HOUR)

    async def _on_day(self, payload: Mapping[str, Any]) -> None:
        day = date.fromisoformat(payload["day"])
        waiting = (
            SurveillanceDay.assessed_at.is_(None),
            SurveillanceDay.day < day,
            SurveillanceDay.day >= day - LOOKED_BACK,
        )
        async with self._database.transaction() as session:
            await session.execute(update(SurveillanceDay).where(*waiting).values(due_at=self._clock.now()))
            after_commit(session, self.wake.set)

    async def due(self) -> list[date]:
        """Give the days whose alarms shall be looked for, the oldest first."""
        query = select(SurveillanceDay.day).where(SurveillanceDay.due_at.is_not(None)).order_by(SurveillanceDay.day)
        async with self._database.reading() as session:
            return list(await session.scalars(query))

    async def take(self, session: AsyncSession, day: date) -> bool:
        """Note that the alarms of a day were looked for, in the caller's transaction; False where somebody else did."""
        row = await session.get(SurveillanceDay, day, with_for_update=True, populate_existing=True)
        if row is None or row.due_at is None:
            return False
        row.due_at, row.assessed_at = None, self._clock.now()
        return True

    async def known(self, first: date, last: date) -> frozenset[date]:
        """Give the days of a span on which counts are known, and which are over.

        Of the time before the hours were counted, a day on which somebody opened a case is one.
        """
        over = min(last, self.yesterday)
        span: list[ColumnElement[bool]] = [SurveillanceDay.day >= first, SurveillanceDay.day <= over]
        ran = select(SurveillanceDay.day).where(*span, SurveillanceDay.hours >= HOURS_THAT_COUNT)
        begun = select(SurveillanceDay.day).order_by(SurveillanceDay.day).limit(1)
        async with self._database.reading() as session:
            days = set(await session.scalars(ran))
            before = await session.scalar(begun)
            opened = select(SyndromeFact.day).where(
                SyndromeFact.syndrome == EVERY_CASE, SyndromeFact.day.between(first, over)
            )
            if before is not None:
                opened = opened.where(SyndromeFact.day < before)
            return frozenset(days | set(await session.scalars(opened.distinct())))

    @property
    def yesterday(self) -> date:
        """The last day that is over."""
        return self._clock.today().date() - timedelta(days=1)
