"""The dashboard over a million consultations: how long its answers take, on SQLite or the database of --url.

python -m benchmarks.dashboard [--consultations 1000000] [--url mysql+asyncmy://…] [--json]

The facts are spread over a year, 60 institutions in six regions and 20 departments; the secondary indexes of the cases
are made when all are in, and the sums by `add_up`. What is timed is what the page asks, as the page asks it: over HTTP
on loopback, signed in, twenty times each, one after the other.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import Connection, insert, text

from backend import migrations
from backend.analytics.counting import add_up
from backend.console.rules import time_step, totp
from backend.db import Base, Database
from backend.limits import MemoryRateLimits
from backend.security.policy import SYSTEM, Role
from data.departments import departments
from miniprogram_api.console.application import console_routes
from qiaoyi.console import InvitationPictures, console_context
from qiaoyi.house import House, open_house
from qiaoyi.settings import load

_BATCH = 20_000
_YEAR = 365
_FIRST = date(2025, 1, 1)
_LAST = _FIRST + timedelta(days=_YEAR - 1)
_PLACES = 60
_REGIONS = 6
_DEPARTMENTS = list(departments())[:20]
_TIMES = 20
_TARGET_SECONDS = 1.0
_NAME, _PASSWORD = "测量", "小桥流水人家，二〇二六年"
_SPAN = {"since": _FIRST.isoformat(), "until": _LAST.isoformat()}
_MONTH = {"since": (_LAST - timedelta(days=29)).isoformat(), "until": _LAST.isoformat()}
_PLACE = {"institution_id": f"{7:032x}"}
_REGION = {"region": "区3"}
_PART = {"department_code": _DEPARTMENTS[3]}
_QUESTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "figures of a year": ("/figures", _SPAN),
    "figures of a year, a region": ("/figures", _SPAN | _REGION),
    "figures of a year, an institution": ("/figures", _SPAN | _PLACE),
    "figures of a year, a department": ("/figures", _SPAN | _PART),
    "figures of a year, an institution and a department": ("/figures", _SPAN | _PLACE | _PART),
    "figures of a month": ("/figures", _MONTH),
    "rows behind: answered, the slowest first": ("/figures/rows", _SPAN | {"which": "answered"}),
    "rows behind: late": ("/figures/rows", _SPAN | {"which": "late"}),
    "rows behind: disagreed, a region": ("/figures/rows", _SPAN | _REGION | {"which": "disagreed"}),
    "rows behind: reckoned, a department": ("/figures/rows", _SPAN | _PART | {"which": "reckoned"}),
    "queue": ("/queue", {}),
    "cases": ("/consultations", {}),
    "cases: the last digits of a number": ("/consultations", {"number": "1231-0000042"}),
    "cases: digits that no number has": ("/consultations", {"number": "99999999"}),
}


async def fill(database: Database, consultations: int) -> None:
    """Add so many cases with their facts, then the sums."""
    chance = random.Random(20261122)
    # The tables, not their classes: of these each pattern of empty columns would be a statement of its own.
    cases, facts = (Base.metadata.tables[name] for name in ("consultations", "consultation_facts"))
    indexes = list(cases.indexes)

    def drop(connection: Connection) -> None:
        for index in indexes:
            index.drop(connection)

    def make(connection: Connection) -> None:
        for index in indexes:
            index.create(connection)

    async with database.engine.begin() as connection:
        await connection.run_sync(drop)
    for first in range(0, consultations, _BATCH):
        rows = list(_rows(range(first, min(first + _BATCH, consultations)), chance))
        async with database.transaction() as session:
            await session.execute(insert(cases), [case for case, _ in rows])
            await session.execute(insert(facts), [fact for _, fact in rows])
    async with database.engine.begin() as connection:
        await connection.run_sync(make)
    async with database.transaction() as session:
        await add_up(session)
        if not database.is_sqlite:
            await session.execute(text("ANALYZE TABLE consultations, consultation_facts, daily_figures"))


def _rows(numbers: range, chance: random.Random) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for number in numbers:
        day = _FIRST + timedelta(days=chance.randrange(_YEAR))
        at = datetime(day.year, day.month, day.day, 2, tzinfo=UTC) + timedelta(seconds=chance.randrange(36_000))
        completed = chance.random() < 0.97
        place = chance.randrange(_PLACES)
        case = {
            "id": f"{number:032x}",
            "number": f"HZ{day:%Y%m%d}-{number:07}",
            "status": "completed" if completed else "cancelled",
            "urgency": "routine",
            "department_code": chance.choice(_DEPARTMENTS),
            "patient_id": f"{number // 3:032x}",
            "speaker_id": f"{number // 3:032x}",
            "institution_id": f"{place:032x}",
            "doctor_id": f"d{place:031x}",
            "expert_id": f"e{place % 20:031x}",
            "opened_at": at,
            "submitted_at": at,
            "closed_at": at + timedelta(days=1),
        }
        yield case, _fact(case, day, completed, chance)


def _fact(case: dict[str, Any], day: date, completed: bool, chance: random.Random) -> dict[str, Any]:
    known = completed and chance.random() < 0.95
    metres = chance.randrange(20_000, 400_000)
    return {
        "consultation_id": case["id"],
        "day": day,
        "institution_id": case["institution_id"],
        "department_code": case["department_code"],
        "asked_at": case["submitted_at"],
        "completed": completed,
        "answer_seconds": min(int(chance.lognormvariate(5.8, 0.9)), 20_000) if completed else None,
        "agreed": chance.random() < 0.96 if completed and chance.random() < 0.7 else None,
        "stars": chance.choice((5, 5, 5, 4, 4, 3)) if completed and chance.random() < 0.5 else None,
        "metres_instead": metres if known else None,
        "metres_gone": 10_000 if known else None,
        "fen_instead": metres // 40 + 8_000 if known else None,
        "fen_spent": 6_000 if known else None,
    }


@asynccontextmanager
async def served(house: House) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """Give a browser at the console of the house, signed in, and the address of its API."""
    nobody: Any = None  # no invitation is drawn here, and no channel asked
    context = console_context(house, InvitationPictures(nobody, nobody), nobody, MemoryRateLimits(), dict)
    application = web.Application()
    application.add_routes(console_routes(context))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    link = await house.console.create_account(SYSTEM, _NAME, Role.ADMINISTRATOR)
    secret = (await house.console.enrolment(link.code)).totp_secret
    await house.console.enrol(link.code, _PASSWORD, totp(secret, time_step(house.clock.now())))
    house.clock.advance(timedelta(seconds=31))  # a code is good for one use
    code = totp(secret, time_step(house.clock.now()))
    token, _ = await house.console.sign_in(_NAME, _PASSWORD, code, "127.0.0.1", "")
    try:
        async with aiohttp.ClientSession(headers={"Cookie": f"qiaoyi-console={token}"}) as http:
            yield http, f"http://127.0.0.1:{runner.addresses[0][1]}/console/api"
    finally:
        await runner.cleanup()


async def ask(http: aiohttp.ClientSession, url: str) -> dict[str, dict[str, float]]:
    """Give of each question the seconds until its whole answer is there: the median and the 95th percentile."""
    found = {}
    for name, (path, query) in _QUESTIONS.items():
        times = []
        for _ in range(_TIMES):
            began = time.perf_counter()
            async with http.get(url + path, params=query) as answer:
                await answer.read()
                answer.raise_for_status()
            times.append(time.perf_counter() - began)
        p95 = statistics.quantiles(times, n=20)[-1]
        found[name] = {"p50": round(statistics.median(times), 3), "p95": round(p95, 3)}
    return found


async def run(consultations: int, url: str) -> dict[str, object]:
    """Fill a database and ask."""
    with tempfile.TemporaryDirectory() as folder:
        given = {"database_url": url} if url else {}
        async with open_house(load(data=Path(folder), **given)) as house:
            await migrations.upgrade(house.settings.database)
            for number in range(_PLACES):
                await house.people.put_institution(
                    SYSTEM, f"{number:032x}", code=f"T{number}", name=f"{number}号卫生院", kind="township",
                    region=f"区{number % _REGIONS}", address="-", latitude=28.0 + number / 100, longitude=114.0,
                )  # fmt: skip
            began = time.perf_counter()
            await fill(house.database, consultations)
            filled = round(time.perf_counter() - began, 1)
            async with served(house) as (http, address):
                load_before = os.getloadavg()[0]
                seconds = await ask(http, address)
            return {
                "consultations": consultations,
                "database": "SQLite" if house.database.is_sqlite else "MariaDB",
                "filled_seconds": filled,
                "load": [round(load_before, 1), round(os.getloadavg()[0], 1)],
                "target_p95": _TARGET_SECONDS,
                "missed": [name for name, one in seconds.items() if one["p95"] > _TARGET_SECONDS],
                "seconds": seconds,
            }


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
