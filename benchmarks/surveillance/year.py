"""Disease surveillance over a year of a county: how long its questions take, what they hold, how often it alarms.

python -m benchmarks.surveillance [--cases 100000] [--areas 20] [--url mysql+asyncmy://…] [--json]

Cases are drawn by a Poisson distribution whose mean is smaller at weekends, each syndrome with its share, areas of
different size. Into the year one outbreak a month is put, in one area: four days of 8, 14, 20 and 12 more cases. What
is timed is what the page and the morning ask: a syndrome over sixty days and a year, the alarms of one day, and the
alarms of the whole year at once (nobody asks for that; it counts how often a year would alarm).
"""

import argparse
import asyncio
import json
import resource
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from backend import migrations
from backend.db import Database
from backend.security.policy import Actor, Role
from backend.surveillance.facts import EVERY_CASE
from backend.surveillance.rules import WHOLE, DayCount
from backend.surveillance.service import SurveillanceService
from backend.surveillance.tables import SurveillanceDay, SyndromeFact
from data.surveillance import syndromes
from qiaoyi.house import open_house
from qiaoyi.settings import load

_BATCH = 5_000
_YEAR = 365
_SHARES = (0.22, 0.12, 0.03, 0.004, 0.004, 0.006, 0.006, 0.004, 0.003, 0.002, 0.004)
_WEEKEND, _SATURDAY = 0.6, 5
_OUTBREAK = (8, 14, 20, 12)
_EVERY_DAYS = 30
_TIMES = 5
_ADMINISTRATOR = Actor("f" * 32, frozenset({Role.ADMINISTRATOR}))


def rows_of_year(last: date, cases: int, areas: int) -> tuple[list[dict[str, Any]], dict[tuple[str, date], str]]:
    """Give the facts of a year that ends with `last`, and where which outbreak begins."""
    chance = np.random.default_rng(20261122)
    sizes = chance.dirichlet(np.full(areas, 4.0))
    codes = list(syndromes())
    rows: list[dict[str, Any]] = []
    outbreaks: dict[tuple[str, date], str] = {}

    def add(day: date, area: str, syndrome: str, count: int) -> None:
        for _ in range(count):
            known = {"case_key": f"{len(rows):064x}", "day": day, "area": area}
            rows.extend({**known, "syndrome": code} for code in {EVERY_CASE, syndrome})

    for ago in reversed(range(_YEAR)):
        day = last - timedelta(days=ago)
        weight = _WEEKEND if day.weekday() >= _SATURDAY else 1.0
        for number, size in enumerate(sizes):
            mean = cases / _YEAR * size * weight * 7 / (5 + 2 * _WEEKEND)
            for code, share in zip(codes, _SHARES, strict=True):
                add(day, f"第{number + 1}镇", code, int(chance.poisson(mean * share)))
            add(day, f"第{number + 1}镇", EVERY_CASE, int(chance.poisson(mean * (1 - sum(_SHARES)))))
    for month in range(1, _YEAR // _EVERY_DAYS):
        area, code = f"第{month % areas + 1}镇", codes[month % 3]
        begin = last - timedelta(days=_YEAR - month * _EVERY_DAYS)
        outbreaks[area, begin] = code
        for number, count in enumerate(_OUTBREAK):
            add(begin + timedelta(days=number), area, code, count)
    return rows, outbreaks


async def fill(database: Database, rows: list[dict[str, Any]], last: date) -> None:
    """Write the facts, and that the platform ran all year."""
    async with database.transaction() as session:
        session.add_all(SurveillanceDay(day=last - timedelta(days=ago), hours=24, last_hour=23) for ago in range(_YEAR))
    for first in range(0, len(rows), _BATCH):
        async with database.transaction() as session:
            await session.execute(insert(SyndromeFact), rows[first : first + _BATCH])


async def _seconds(asking: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        await asking()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times), 2)


def _megabytes(usage: resource.struct_rusage) -> int:
    """What a process has held at most."""
    return round(usage.ru_maxrss / 1024)


async def measure(service: SurveillanceService, outbreaks: dict[tuple[str, date], str]) -> dict[str, Any]:
    """Ask, and give seconds, megabytes and how often it alarmed."""
    last, codes = service.last_day, list(syndromes())
    first = last - timedelta(days=_YEAR - 1)

    async def of(days: int) -> object:
        return await service.counts(_ADMINISTRATOR, codes[0], last - timedelta(days=days - 1), last)

    began = time.perf_counter()
    await of(60)
    seconds = {"first question, its process begins": round(time.perf_counter() - began, 2)}
    before = _megabytes(resource.getrusage(resource.RUSAGE_SELF))
    seconds["a syndrome, sixty days"] = await _seconds(lambda: of(60))
    seconds["a syndrome, a year"] = await _seconds(lambda: of(_YEAR))
    seconds["alarms of one day"] = await _seconds(lambda: service._answer(codes, last, last))
    # Nothing of ours is asked there: to find it, the process would import it, and all that it imports.
    small = _megabytes(await service._processes.run(resource.getrusage, resource.RUSAGE_SELF))
    began = time.perf_counter()
    found = await service._answer(codes, first, last)
    seconds["alarms of the whole year"] = round(time.perf_counter() - began, 2)
    large = _megabytes(await service._processes.run(resource.getrusage, resource.RUSAGE_SELF))
    return {
        "seconds": seconds,
        "megabytes": {
            "computing process, page and morning": small,
            "computing process, whole year": large,
            "this process, before": before,
            "this process, after": _megabytes(resource.getrusage(resource.RUSAGE_SELF)),
        },
        "alarms": _alarms(found, outbreaks),
    }


def _alarms(found: list[DayCount], outbreaks: dict[tuple[str, date], str]) -> dict[str, Any]:
    begun = {(area, begin, code) for (area, begin), code in outbreaks.items()}
    during = {
        (area, begin + timedelta(days=number), code)
        for area, begin, code in begun
        for number in range(len(_OUTBREAK) + 7)
    }
    raised = [one for one in found if one.methods]
    caught: dict[tuple[str, date, str], int] = {}
    for area, begin, code in begun:
        days = [
            (one.day - begin).days
            for one in raised
            if (one.area, one.syndrome) == (area, code) and 0 <= (one.day - begin).days < len(_OUTBREAK)
        ]
        if days:
            caught[area, begin, code] = min(days) + 1
    hit_days = {(day, code) for _, day, code in during}
    false = [
        one
        for one in raised
        if (one.area, one.day, one.syndrome) not in during
        and not (one.area == WHOLE and (one.day, one.syndrome) in hit_days)
    ]
    return {
        "outbreaks": len(outbreaks),
        "found": len(caught),
        "found on day": dict(sorted(Counter(caught.values()).items())),
        "without an outbreak, in the year": len(false),
        "of them by": dict(sorted(Counter(",".join(one.methods) for one in false).items())),
        "on Mondays": sum(one.day.weekday() == 0 for one in false),
    }


async def run(cases: int, areas: int, url: str) -> dict[str, Any]:
    """Fill a database and ask."""
    with tempfile.TemporaryDirectory() as folder:
        given = {"database_url": url} if url else {}
        async with open_house(load(data=Path(folder), **given)) as house:
            await migrations.upgrade(house.settings.database)
            rows, outbreaks = rows_of_year(house.surveillance.last_day, cases, areas)
            await fill(house.database, rows, house.surveillance.last_day)
            facts = {"cases": sum(not row["syndrome"] for row in rows), "facts": len(rows), "areas": areas}
            del rows
            return facts | await measure(house.surveillance, outbreaks)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--areas", type=int, default=20)
    parser.add_argument("--url", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = asyncio.run(run(options.cases, options.areas, options.url))
    print(json.dumps(result, indent=None if options.json else 2, ensure_ascii=False))
