"""The audit log: what an entry adds to a use case, and how fast the whole log is verified.

    python -m benchmarks.audit [--entries 100000] [--json]

One entry in twenty has a reason in words, which is encrypted. The figure of the append is the difference between
transactions of one small write with an entry and without, in turns, on SQLite in a file (with fsync).
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation.tables import ConsultationNumber
from backend.db import Base, Database, install_key_ring
from backend.migrations import import_tables
from backend.security.audit import AuditLog
from backend.security.audit_heads import HeadFolder
from backend.security.keyring import KeyRing
from backend.security.policy import Actor, Role

_DOCTOR = Actor("1" * 32, frozenset({Role.EXPERT}))
_TRANSACTIONS = 300
_AT_ONCE = 2_000


async def measure(entries: int, folder: Path) -> dict[str, float]:
    """Give the figures: `append_ms` (median added), `sealed_per_second`, `verified_per_second`."""
    ring = KeyRing({1: bytes(range(32))}, bytes(range(32, 64)))
    install_key_ring(ring)
    database = Database(f"sqlite+aiosqlite:///{folder / 'audit.db'}")
    import_tables()
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    audit = AuditLog(database, Clock(), HeadFolder(folder / "heads", ring))
    try:
        append_ms = await _append(database, audit)
        for start in range(0, entries, _AT_ONCE):
            async with database.transaction() as session:
                for number in range(start, min(start + _AT_ONCE, entries)):
                    await _record(audit, session, number)
        begun = time.perf_counter()
        sealed = await audit.seal()
        sealing = time.perf_counter() - begun
        begun = time.perf_counter()
        report = await audit.verify()
        verifying = time.perf_counter() - begun
    finally:
        await database.close()
    if not report.ok or report.unsealed:
        raise SystemExit("the log does not verify")
    return {
        "append_ms": round(append_ms, 3),
        "entries": report.entries,
        "sealed_per_second": round(sealed / sealing),
        "verified_per_second": round(report.entries / verifying),
    }


async def _append(database: Database, audit: AuditLog) -> float:
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * _TRANSACTIONS):
        with_entry = bool(number % 2)
        begun = time.perf_counter()
        async with database.transaction() as session:
            await session.execute(insert(ConsultationNumber).values(day=f"{number:08}", last=1))
            if with_entry:
                await _record(audit, session, number)
        taken[with_entry].append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken[True]) - statistics.median(taken[False])


async def _record(audit: AuditLog, session: AsyncSession, number: int) -> None:
    await audit.record(
        session,
        _DOCTOR,
        "consultation.read_record",
        patient_id=f"{number % 1000:032x}",
        subject=f"consultation:{number:032x}",
        reason="患者要求复诊" if number % 20 == 0 else "",
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(options.entries, Path(folder)))
    if options.json:
        print(json.dumps(figures))
        return
    print(f"append: {figures['append_ms']} ms added to a transaction (median)")
    print(f"seal:   {figures['sealed_per_second']} entries a second")
    print(f"verify: {figures['verified_per_second']} entries a second, of {figures['entries']}")


if __name__ == "__main__":
    main()
