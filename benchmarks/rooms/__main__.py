"""Rooms of three: core-seconds a second of room, pictures a second, how old they are.

The server runs in this process, the people in processes of their own, two rooms each.

    python -m benchmarks.rooms [--rooms 1] [--seconds 20] [--json]
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import socket
import statistics
import time
from typing import Any

from aiohttp import web

from benchmarks.rooms.client import SETTLE, meet
from media.signalling import Rooms
from media.tokens import Pass, Role, TokenMint

_PEOPLE = ("patient", "doctor", "expert")
_ROOMS_A_PROCESS = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rooms", description=__doc__)
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = asyncio.run(measure(arguments.rooms, arguments.seconds))
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:32s} {value:10.3f}" if isinstance(value, float) else f"{name:32s} {value:10}")


async def measure(rooms: int, seconds: float) -> dict[str, Any]:
    """Serve so many rooms for so many seconds; what they cost and what their people saw."""
    mint = TokenMint(b"k" * 32, time.time)
    served = Rooms(mint)
    application = web.Application()
    application.router.add_get("/rooms", served.handler)
    runner = web.AppRunner(application)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/rooms"
    running = asyncio.create_task(served.run())
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    people = []
    for first in range(0, rooms, _ROOMS_A_PROCESS):
        tokens = {
            f"{room}-{person}": mint.mint(Pass(f"room{room}", f"{room}-{person}", Role.HOST, person, "", 4e9))
            for room in range(first, min(first + _ROOMS_A_PROCESS, rooms))
            for person in _PEOPLE
        }
        people.append(context.Process(target=meet, args=(url, tokens, seconds, results), daemon=True))
    for process in people:
        process.start()
    await asyncio.sleep(SETTLE)
    before, began = _cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    used, took = _cpu() - before, time.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counted = [await asyncio.to_thread(results.get, True, 60) for _ in people]
    for process in people:
        await asyncio.to_thread(process.join, 20)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await runner.cleanup()
    return _summary(rooms, used / took, memory, [row for rows in counted for row in rows])


def _summary(rooms: int, cores: float, memory: float, seen: list[dict[str, Any]]) -> dict[str, Any]:
    ages = sorted(age for row in seen for age in row["ages"])
    return {
        "rooms": rooms,
        "core_seconds_a_room_second": cores / rooms,
        "resident_mb": memory,
        "streams": len(seen),
        "frames_a_second_least": min((row["rate"] for row in seen), default=0.0),
        "longest_gap_seconds": max((row["gap"] for row in seen), default=0.0),
        "latency_p50_ms": 1000 * statistics.median(ages) if ages else 0.0,
        "latency_p95_ms": 1000 * ages[int(len(ages) * 0.95)] if ages else 0.0,
    }


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
