"""Pre-settlement: milliseconds from a question to the insurer's checked answer, at a steady rate.

    nice python -m benchmarks.presettlement [--rate 50] [--seconds 20] [--json]

The sandbox plays the insurer in a process of its own, over loopback; the house's side is the adapter with its message
log on SQLite (`synchronous=FULL`), which is written before each message and after each answer. Questions come at fixed
moments whatever becomes of the ones before, and are measured from the moment at which they were due.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from backend import migrations
from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.insurance.coverage import Fee
from backend.insurance.insurer import InsurerRefused, InsurerUnclear, InsurerUnreachable, Visit
from backend.insurance.national import NationalInsurer
from backend.insurance.settings import InsurerSettings
from backend.security.keyring import open_key_file
from data.demo import demo
from qiaoyi.local import starting_sandbox
from sandbox.insurer.envelope import LOCAL_KEY

_TARGETS = {"p95_ms": 50.0}
_VISITS = 40
_INSTITUTION = "H99990200001"


@dataclass(frozen=True)
class Figures:
    """What the questions took. `core_ms`: processor time of the house's process for one of them; `load`: the machine's,
    over the last minute."""

    rate: int
    questions: int
    failed: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float
    core_ms: float
    load: float


async def measure(rate: int, seconds: int) -> Figures:
    """Start both sides, register visits, and ask."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = _free_port()
        install_key_ring(open_key_file(folder / "keys.json"))
        address = f"sqlite+aiosqlite:///{folder}/qiaoyi.db"
        await migrations.upgrade(address)
        settings = InsurerSettings(url=f"http://127.0.0.1:{port}/insurer/api", institution=_INSTITUTION, key=LOCAL_KEY)
        database, clock = Database(address), Clock()
        insurer = NationalInsurer(database, clock, settings)
        async with starting_sandbox(port, f"http://127.0.0.1:{port}/nobody", folder, folder) as ready:
            await ready
            try:
                visits = [await _registered(insurer, clock, number) for number in range(_VISITS)]
                return await _asked(insurer, visits, rate, rate * seconds)
            finally:
                await insurer.close()
                await database.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _registered(insurer: NationalInsurer, clock: Clock, number: int) -> Visit:
    patient = demo().patients[number % 4]
    person = await insurer.person(patient.id_number, patient.name, message=f"person {number}")
    fees = (Fee("远程会诊", Decimal("200.00")),)
    visit = Visit(f"V{number}", person.number, _INSTITUTION, "tertiary", "remote_consultation", clock.now(), fees)
    await insurer.register(visit, message=f"register {number}")
    await insurer.upload(visit, message=f"upload {number}")
    return visit


async def _asked(insurer: NationalInsurer, visits: list[Visit], rate: int, questions: int) -> Figures:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    failed = 0

    async def ask(number: int, due: float) -> None:
        nonlocal failed
        try:
            await insurer.presettle(visits[number % len(visits)], message=f"presettle {number}")
        except (InsurerRefused, InsurerUnclear, InsurerUnreachable):
            failed += 1
        took.append((loop.time() - due) * 1000)

    core = time.process_time()
    began = loop.time() + 0.1
    async with asyncio.TaskGroup() as group:
        for number in range(questions):
            due = began + number / rate
            await asyncio.sleep(due - loop.time())
            group.create_task(ask(number, due))
    spent = (time.process_time() - core) * 1000 / questions
    cuts = statistics.quantiles(took, n=100)
    return Figures(
        rate=rate,
        questions=questions,
        failed=failed,
        p50_ms=round(cuts[49], 1),
        p95_ms=round(cuts[94], 1),
        p99_ms=round(cuts[98], 1),
        worst_ms=round(max(took), 1),
        core_ms=round(spent, 1),
        load=round(os.getloadavg()[0], 1),
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.rate, arguments.seconds))
    if arguments.json:
        print(json.dumps({**asdict(figures), "targets": _TARGETS}))
        return
    for name, value in asdict(figures).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
