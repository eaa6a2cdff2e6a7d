"""How fast studies are forwarded into a PACS, beside a bare client into the same one.

nice python -m benchmarks.imaging [--instances 200] [--rounds 3] [--json]

Both send uncompressed CT slices of 512 x 512 (about 530 kB) by STOW-RS into one Orthanc, ten a request and four
requests at once, in turns. The bare client posts bytes that it holds in memory; ours claims rows, decrypts from the
store, and writes down what arrived.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from backend import migrations
from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.imaging import StowAddress
from backend.security.keyring import KeyRing
from backend.security.policy import SYSTEM
from benchmarks.stow import store
from tests.support.clinic import build_clinic
from tests.support.forwarding import Case, submitted_case
from tests.support.imaging import as_file, ct_slice, folder_store, imaging_on, of_patient, streamed
from tests.support.orthanc import AUTHORIZATION, running_orthanc

_SETTLED = timedelta(minutes=2)
_EDGE = 512
_WARMING = 40
_TARGET = 0.9


def ct_files(series: int, count: int, accession: str) -> list[bytes]:
    """Make slices of the size of a real CT; noise, which no PACS treats otherwise than an image."""
    noise = np.random.default_rng(series).integers(0, 4096, (_EDGE, _EDGE), dtype=np.uint16)
    files = []
    for number in range(1, count + 1):
        pixels = np.roll(noise, number, axis=0).tobytes()
        changes = of_patient("王小明", accession=accession) | {"Rows": _EDGE, "Columns": _EDGE, "PixelData": pixels}
        files.append(as_file(ct_slice(number, series=series, **changes)))
    return files


async def ours(case: Case, files: Sequence[bytes]) -> float:
    """Forward files that the store has; gives instances a second, from the queue to the last answer written down."""
    for file in files:
        await case.imaging.receive(case.machine, streamed(file, len(file)))
    before = [view.total for view in await case.imaging.transfers(SYSTEM, case.id)]
    await case.clinic.pass_time(_SETTLED)
    await case.hear()
    begun = time.perf_counter()
    await case.imaging.forward_waiting()
    seconds = time.perf_counter() - begun
    view = await case.transfer()
    if not view.arrived == view.total == sum(before) + len(files):
        raise RuntimeError(f"{view.arrived} of {view.total} arrived")
    return len(files) / seconds


async def measure(instances: int, rounds: int) -> dict[str, object]:
    """Let both send in turns."""
    install_key_ring(KeyRing({1: bytes(range(32))}, bytes(range(32, 64))))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite+aiosqlite:///{folder / 'imaging.db'}"
        await migrations.upgrade(url)
        database = Database(url)
        clinic = build_clinic(database, Clock(), folder / "files")
        await clinic.furnish()
        imaging = imaging_on(clinic, folder_store(folder))
        token = (await imaging.register_stow_sender(SYSTEM, clinic.township, "CT")).token
        machine = await imaging.sender_of_token(token)
        if machine is None:
            raise RuntimeError("no machine may send")
        case = await submitted_case(clinic, imaging, machine)
        async with running_orthanc() as orthanc:
            address = StowAddress(orthanc.url, AUTHORIZATION)
            await imaging.register_destination(SYSTEM, clinic.hospital, "PACS", address)
            await case.assign()
            await store(orthanc.url, AUTHORIZATION, ct_files(1, _WARMING, case.number))  # warm
            figures: dict[str, list[float]] = {"bare": [], "ours": []}
            for one in range(rounds):
                series = 2 + 2 * one
                figures["bare"].append(
                    await store(orthanc.url, AUTHORIZATION, ct_files(series, instances, case.number))
                )
                figures["ours"].append(await ours(case, ct_files(series + 1, instances, case.number)))
        imaging.close()
        await database.close()
    medians = {name: statistics.median(values) for name, values in figures.items()}
    return {
        "instances": instances,
        "instances_per_second": figures,
        "median": medians,
        "ratio": medians["ours"] / medians["bare"],
        "target": _TARGET,
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.instances, arguments.rounds))
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>22}  {value}")


if __name__ == "__main__":
    main()
