"""Taking studies in by STOW-RS, beside Orthanc in the same run; and the memory of the server while a large one passes.

    nice python -m benchmarks.intake [--instances 200] [--rounds 5] [--megabytes 1000] [--json]

`qiaoyi serve` as a process with its defaults, and Orthanc with its DICOMweb plug-in, get series of 512 x 512 CT of
about 560 kB in turns from one bare client: ten a request, four requests at once. Each turn begins when the product has
compressed what it took before, so that nothing of that runs beside either. What is answered as stored is synchronised
to the disk and indexed, with both; the product has encrypted it, too. Then the product takes a study of `--megabytes`,
and compresses it in the background; the highest memory of its main process and of all its processes together is read
meanwhile.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
from contextlib import suppress
from pathlib import Path

from backend import migrations
from backend.security.policy import SYSTEM
from backend.seed import demo_id, seed
from benchmarks.orthanc import AUTHORIZATION, running_orthanc
from benchmarks.product import Product, running_product
from benchmarks.slices import ct_series
from benchmarks.stow import store, until_compressed
from qiaoyi.house import open_house
from qiaoyi.settings import load

_PATIENT = "Wang^Xiaoming=王^小明"
_WARMING = 40
_TARGETS = {"ratio": 1.0, "peak_megabytes": 400}
_WATCH_SECONDS = 0.2


async def run(instances: int, rounds: int, megabytes: int) -> dict[str, object]:
    """Let both take series in, in turns; then let the large study pass."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        async with open_house(load(data=data)) as house:
            await migrations.upgrade(house.settings.database)
            await seed(house.database, house.people, house.scheduling)
            centre = (await house.people.practitioner(demo_id("DOC-01"))).institution_id
            token = (await house.imaging.register_stow_sender(SYSTEM, centre, "CT")).token
        async with running_product(data) as product, running_orthanc() as orthanc:
            peers = {
                "qiaoyi": (f"{product.url}/dicomweb", f"Bearer {token}"),
                "orthanc": (orthanc.url, AUTHORIZATION),
            }
            figures: dict[str, list[float]] = {name: [] for name in peers}
            for number in range(rounds + 1):
                files = ct_series(instances if number else _WARMING, "", _PATIENT)
                await until_compressed(data)
                for name, (url, authorization) in peers.items():
                    os.sync()  # what one wrote is not to be waited for by the other
                    reached = await store(url, authorization, files)
                    if number:
                        figures[name].append(reached)
            orthanc.kill()
            memory = await _pass(product, *peers["qiaoyi"], megabytes)
    medians = {name: round(statistics.median(values), 1) for name, values in figures.items()}
    return {
        "instances": instances,
        "instances_per_second": {name: [round(one, 1) for one in values] for name, values in figures.items()},
        "median": medians,
        "ratio": round(medians["qiaoyi"] / medians["orthanc"], 2),
        **memory,
        "targets": _TARGETS,
        "load": os.getloadavg()[0],
    }


async def _pass(product: Product, url: str, authorization: str, megabytes: int) -> dict[str, float]:
    """Let one study go in, and be compressed."""
    [one] = ct_series(1, "", _PATIENT)
    files = ct_series(round(megabytes * 1e6 / len(one)), "", _PATIENT)
    highest = {"peak_megabytes": 0.0, "peak_megabytes_of_all_processes": 0.0}

    async def watch() -> None:
        while True:
            main, *others = [_resident_megabytes(process_id) for process_id in _family(product.process_id)]
            highest["peak_megabytes"] = max(highest["peak_megabytes"], main)
            everyone = max(highest["peak_megabytes_of_all_processes"], main + sum(others))
            highest["peak_megabytes_of_all_processes"] = everyone
            await asyncio.sleep(_WATCH_SECONDS)

    watching = asyncio.create_task(watch())
    reached = await store(url, authorization, files)
    await until_compressed(product.data)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    passed = sum(map(len, files)) / 1e6
    return {
        "megabytes": round(passed),
        "in_one_study": round(reached, 1),
        **{name: round(value) for name, value in highest.items()},
    }


def _family(process_id: int) -> list[int]:
    """Give a process and all that it has started, itself first."""
    found = [process_id]
    for one in found:
        for listed in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, listed.read_text().split())
    return found


def _resident_megabytes(process_id: int) -> float:
    with suppress(OSError):
        pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = asyncio.run(run(options.instances, options.rounds, options.megabytes))
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:32} {value}")


if __name__ == "__main__":
    main()
