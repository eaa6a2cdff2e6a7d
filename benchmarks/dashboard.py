"""The dashboard over a million consultations: how long its questions take, on SQLite or on the database of --url.

python -m benchmarks.dashboard [--consultations 1000000] [--url mysql+asyncmy://…] [--json]

The facts are spread over a year, 60 institutions and 20 departments. What is timed is what the page asks: the figures
of a year, of a year and one region, and of a month; and the rows behind the rarest number.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from backend import migrations
from backend.analytics import Behind, Span
from backend.analytics.service import add_up
from backend.analytics.tables import ConsultationFact
from backend.db import Base, Database
from backend.ids import new_id
from backend.security.policy import Actor, Role
from qiaoyi.house import House, open_house
from qiaoyi.settings import load

_BATCH = 5_000
_YEAR = 365
_FIRST = date(2025, 1, 1)
_INSTITUTIONS = [f"{number:032x}" for number in range(60)]
_DEPARTMENTS = [f"department_{number:02}" for number in range(20)]
_TIMES = 7
_ADMINISTRATOR = Actor("f" * 32, frozenset({Role.ADMINISTRATOR}))


async def fill(database: Database, consultations: int) -> None:
    """Add so many cases with their facts, then the sums."""
    chance = random.Random(20261122)
    cases = Base.metadata.tables["consultations"]
    for first in range(0, consultations, _BATCH):
        rows = [_rows(number, chance) for number in range(first, min(first + _BATCH, consultations))]
        async with database.transaction() as session:
            await session.execute(insert(cases), [case for case, _ in rows])
            await session.execute(insert(ConsultationFact), [fact for _, fact in rows])
    async with database.transaction() as session:
        await add_up(session)


def _rows(number: int, chance: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    day = _FIRST + timedelta(days=chance.randrange(_YEAR))
    at = datetime(day.year, day.month, day.day, 2, tzinfo=UTC) + timedelta(seconds=chance.randrange(36_000))
    answered = chance.random() < 0.97
    seconds = min(int(chance.lognormvariate(5.8, 0.9)), 20_000)
    case = {
        "id": new_id(),
        "number": f"HZ{day:%Y%m%d}-{number:07}",
        "status": "completed",
        "urgency": "routine",
        "department_code": chance.choice(_DEPARTMENTS),
        "patient_id": f"{number // 3:032x}",
        "speaker_id": f"{number // 3:032x}",
        "institution_id": chance.choice(_INSTITUTIONS),
        "doctor_id": "d" * 32,
        "expert_id": "e" * 32,
        "opened_at": at,
        "submitted_at": at,
        "closed_at": at + timedelta(days=1),
    }
    fact = {
        "consultation_id": case["id"],
        "day": day,
        "institution_id": case["institution_id"],
        "department_code": case["department_code"],
        "asked_at": at,
        "completed": answered,
        "answer_seconds": seconds if answered else None,
        "agreed": chance.random() < 0.96 if chance.random() < 0.7 else None,
        "stars": chance.choice((5, 5, 5, 4, 4, 3)) if chance.random() < 0.5 else None,
    }
    return case, fact


async def _median(asking: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        await asking()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times), 3)


async def ask(house: House) -> dict[str, float]:
    """Give the seconds that each question takes, the median of seven."""
    last = _FIRST + timedelta(days=_YEAR - 1)
    year, month = Span(_FIRST, last), Span(last - timedelta(days=29), last)
    region = Span(_FIRST, last, _INSTITUTIONS[:10])
    analytics = house.analytics
    return {
        "figures of a year": await _median(lambda: analytics.figures(_ADMINISTRATOR, year)),
        "figures of a year, ten institutions": await _median(lambda: analytics.figures(_ADMINISTRATOR, region)),
        "figures of a month": await _median(lambda: analytics.figures(_ADMINISTRATOR, month)),
        "year's count": await _median(lambda: analytics.asked_in_year(_ADMINISTRATOR, year)),
        "rows behind: late": await _median(lambda: analytics.behind(_ADMINISTRATOR, year, Behind.LATE)),
        "rows behind: disagreed, ten institutions": await _median(
            lambda: analytics.behind(_ADMINISTRATOR, region, Behind.DISAGREED)
        ),
        "queue": await _median(lambda: house.consultations.queue(_ADMINISTRATOR)),
    }


async def run(consultations: int, url: str) -> dict[str, object]:
    """Fill a database and ask."""
    with tempfile.TemporaryDirectory() as folder:
        given = {"database_url": url} if url else {}
        async with open_house(load(data=Path(folder), **given)) as house:
            await migrations.upgrade(house.settings.database)
            began = time.perf_counter()
            await fill(house.database, consultations)
            filled = round(time.perf_counter() - began, 1)
            return {"consultations": consultations, "filled_seconds": filled, "seconds": await ask(house)}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--consultations", type=int, default=1_000_000)
    parser.add_argument("--url", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = asyncio.run(run(options.consultations, options.url))
    print(json.dumps(result, indent=None if options.json else 2, ensure_ascii=False))


if __name__ == "__main__":
    main()
