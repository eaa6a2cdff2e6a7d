"""How fast studies are forwarded into a PACS, beside a bare client into the same one.

nice python -m benchmarks.imaging [--instances 200] [--rounds 3] [--json]

Both send uncompressed CT slices of 512 x 512 (about 560 kB) by STOW-RS into one Orthanc, ten a request and four
requests at once, in turns. The bare client posts bytes that it holds in memory; ours claims rows, decrypts from the
store, and writes down what arrived.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

from backend import migrations
from backend.imaging import StowAddress
from backend.security.policy import SYSTEM, Actor
from benchmarks.consultation import Asked, asked_expert
from benchmarks.orthanc import AUTHORIZATION, running_orthanc
from benchmarks.slices import ct_series
from benchmarks.stow import store
from qiaoyi.house import House, open_house
from qiaoyi.settings import load

_SETTLED = timedelta(minutes=2)
_PATIENT = "Wang^Xiaoming=王^小明"
_WARMING = 40
_TARGET = 0.9


async def ours(house: House, case: Asked, machine: Actor, files: Sequence[bytes]) -> float:
    """Forward files that the store has; gives instances a second, from the queue to the last answer written down."""
    for file in files:
        await house.imaging.receive(machine, _whole(file))
    before, _ = await _totals(house, case)
    house.clock.advance(_SETTLED)
    await _catch_up(house)
    begun = time.perf_counter()
    await house.imaging.forward_waiting()
    seconds = time.perf_counter() - begun
    total, arrived = await _totals(house, case)
    if not arrived == total == before + len(files):
        raise RuntimeError(f"{arrived} of {total} arrived")
    return len(files) / seconds


async def measure(instances: int, rounds: int) -> dict[str, object]:
    """Let both send in turns."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_house(load(data=Path(folder))) as house, running_orthanc() as orthanc:
            await migrations.upgrade(house.settings.database)
            case = await asked_expert(house)
            token = (await house.imaging.register_stow_sender(SYSTEM, case.institution_id, "CT")).token
            machine = await house.imaging.sender_of_token(token)
            if machine is None or case.expert.institution_id is None:
                raise RuntimeError("no machine may send, or nobody gets it")
            address = StowAddress(orthanc.url, AUTHORIZATION)
            await house.imaging.register_destination(SYSTEM, case.expert.institution_id, "PACS", address)
            await case.take(house)
            await _catch_up(house)

            def files(count: int) -> list[bytes]:
                return ct_series(count, case.number, _PATIENT)

            await store(orthanc.url, AUTHORIZATION, files(_WARMING))
            await ours(house, case, machine, files(_WARMING))
            figures: dict[str, list[float]] = {"bare": [], "ours": []}
            for _ in range(rounds):
                figures["bare"].append(await store(orthanc.url, AUTHORIZATION, files(instances)))
                figures["ours"].append(await ours(house, case, machine, files(instances)))
    medians = {name: statistics.median(values) for name, values in figures.items()}
    return {
        "instances": instances,
        "instances_per_second": figures,
        "median": medians,
        "ratio": medians["ours"] / medians["bare"],
        "target": _TARGET,
    }


async def _whole(file: bytes) -> AsyncIterator[bytes]:
    yield file


async def _catch_up(house: House) -> None:
    """Let what is due happen, and everybody hear of it."""
    while await house.timers.fire() or await house.events.dispatch():
        pass


async def _totals(house: House, case: Asked) -> tuple[int, int]:
    """Give how many instances are to go, and how many have arrived."""
    views = await house.imaging.transfers(SYSTEM, case.id)
    return sum(view.total for view in views), sum(view.arrived for view in views)


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
