"""Counts of invented people, as days of use would leave them."""

from datetime import date, timedelta

from sqlalchemy import insert

from backend.db import Database
from backend.ids import new_id
from backend.surveillance.facts import EVERY_CASE
from backend.surveillance.tables import SurveillanceDay, SyndromeFact

SYNDROME = "fever_respiratory"


async def add_cases(database: Database, day: date, area: str, count: int, syndrome: str = SYNDROME) -> None:
    """Add so many cases of a syndrome."""
    keys = [new_id() for _ in range(count)]
    rows = [
        {"case_key": key, "day": day, "area": area, "syndrome": kind} for key in keys for kind in (EVERY_CASE, syndrome)
    ]
    if rows:
        async with database.transaction() as session:
            await session.execute(insert(SyndromeFact), rows)


async def platform_ran(database: Database, first: date, last: date) -> None:
    """Let the platform have run on every day of a span, and nobody have looked for alarms."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    async with database.transaction() as session:
        session.add_all(SurveillanceDay(day=day, hours=24, last_hour=23) for day in days)
