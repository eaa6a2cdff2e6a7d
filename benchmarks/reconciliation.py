"""Reconciliation: how long a day of many entries takes to compare, and how much memory.

python -m benchmarks.reconciliation [--entries 100000] [--json]
"""

import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import insert

from backend import migrations
from backend.charging.reconciliation import ReconciliationService
from backend.charging.reconciliation_books import Books as BothBooks
from backend.clock import LOCAL_ZONE, Clock
from backend.db import Database, install_key_ring
from backend.insurance.coverage import Split
from backend.insurance.insurer import SettledTotal, Settlement
from backend.ledger import LedgerService, Line
from backend.ledger.tables import LineRow, PostingRow
from backend.payment.payments import BillLine
from backend.security.audit import AuditLog
from backend.security.keyring import KeyRing
from backend.security.policy import SYSTEM

_DAY = date(2026, 11, 23)
_AT = datetime(2026, 11, 23, 12, tzinfo=LOCAL_ZONE)
_PAGE = 1_000
_WRONG_EACH = 1_000  # one of so many differs, as on a bad day
_SPLIT = Split(Decimal(140), Decimal(0), Decimal(0), Decimal(60), "", ())


class Books:
    """The books of both other sides, made while they are read: so many payments, and half as many settlements."""

    def __init__(self, payments: int) -> None:
        self.payments = payments

    async def bill(self, day: date) -> AsyncIterator[Sequence[BillLine]]:
        for first in range(0, self.payments, _PAGE):
            yield [self._line(at) for at in range(first, min(first + _PAGE, self.payments))]

    def _line(self, at: int) -> BillLine:
        return BillLine("payment", f"{at:032x}", f"{at:032x}", 5999 if at % _WRONG_EACH == 7 else 6000, _AT)

    async def totals(self, institution: str, since: date, until: date) -> SettledTotal:
        count = self.payments // 2
        return SettledTotal(count, 20_000 * count, 14_000 * count, 0)

    async def settlements(self, institution: str, day: date) -> AsyncIterator[Sequence[Settlement]]:
        for first in range(0, self.payments // 2, _PAGE):
            numbers = range(first, min(first + _PAGE, self.payments // 2))
            yield [Settlement(f"JS{at}", f"{at:032x}", "", _SPLIT, _AT) for at in numbers]


async def _fill(database: Database, payments: int) -> None:
    institution = f"institution:{1:032x}"
    made: list[tuple[str, str, list[Line]]] = []
    for at in range(payments):
        made.append((f"pay:{at:032x}", "payment", [Line("wechat_pay", 6000), Line("patient", -6000)]))
        if at % 2 == 0:
            lines = [Line("patient", 6000), Line("insurer", 14000), Line(institution, -20000)]
            made.append((f"settle:{at // 2:032x}", "settlement", lines))
    for first in range(0, len(made), _PAGE):
        part = made[first : first + _PAGE]
        async with database.transaction() as session:
            rows = [
                {"id": first + at + 1, "key": key, "kind": kind, "subject": f"charge:{first + at}", "at": _AT}
                for at, (key, kind, _lines) in enumerate(part)
            ]
            await session.execute(insert(PostingRow), rows)
            lines_of = [
                {"posting_id": first + at + 1, "position": place, "account": line.account, "amount": line.amount}
                for at, (_key, _kind, lines) in enumerate(part)
                for place, line in enumerate(lines)
            ]
            await session.execute(insert(LineRow), lines_of)


class OneInstitution(BothBooks):
    """Charges are not filled: the lists are asked of one institution."""

    async def institutions(self) -> list[tuple[str, str]]:
        return [(f"{1:032x}", "H1")]


async def run(entries: int) -> dict[str, object]:
    """Fill a ledger with a day of so many entries, and compare it; give seconds, peak memory and what was found."""
    install_key_ring(KeyRing({1: bytes(range(32))}, bytes(range(32, 64))))
    payments = entries * 2 // 3
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'qiaoyi.db'}"
        await migrations.upgrade(url)
        database, clock = Database(url), Clock(_AT + timedelta(days=1) - datetime.now(LOCAL_ZONE))
        try:
            await _fill(database, payments)
            books: Any = Books(payments)
            nobody, ledger = cast("Any", SimpleNamespace()), LedgerService(database, clock)
            audit = AuditLog(database, clock)
            service = ReconciliationService(database, clock, audit, nobody, ledger, books, books, nobody)
            service._books = OneInstitution(database, nobody, ledger, books, books)
            began, worked = time.monotonic(), time.process_time()
            reports = await service.reconcile(SYSTEM, _DAY)
            seconds, cpu_seconds = time.monotonic() - began, time.process_time() - worked
        finally:
            await database.close()
    return {
        "entries": sum(report.entries for report in reports),
        "differences": sum(sum(report.differences.values()) for report in reports),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = asyncio.run(run(options.entries))
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:<12} {value}")


if __name__ == "__main__":
    main()
