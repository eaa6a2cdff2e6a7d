"""The measures: what a room costs, how many fit, what bad weather does, whether memory grows."""

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Protocol, Self

from benchmarks.rooms.crowd import PEOPLE, Crowd, Door
from benchmarks.rooms.ours import OurServer
from benchmarks.rooms.process import core_seconds, resident_mb
from benchmarks.rooms.sent import Encoded

_ROOMS_A_PROCESS = 4
_LOOK, _LOOKS = 4.0, 4
_SETTLE = 1.0
_KEEPS_UP = 14.5
_TOO_LATE_MS = 150.0
_COMINGS_TOLD = 10


class Server(Protocol):
    """A server in a process of its own, as a context."""

    door: Door
    pid: int

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


def cost(server: Server, encoded: Encoded, rooms: int, seconds: float) -> dict[str, float]:
    """``rooms`` for so many ``seconds``: core-seconds of the server a second of room, and what people saw."""
    with server, ExitStack() as stack:
        crowds = [stack.enter_context(Crowd(server.door, encoded)) for _ in range(math.ceil(rooms / _ROOMS_A_PROCESS))]
        for room in range(rooms):
            crowds[room // _ROOMS_A_PROCESS].tell("enter", room)
        seen, used = _watched(server, crowds, seconds)
        return {
            "core_seconds_a_room_second": used / rooms,
            "resident_mb": resident_mb(server.pid),
            "streams": float(len(seen)),
            **_summary(seen),
        }


def capacity(encoded: Encoded, most: int) -> dict[str, Any]:
    """Rooms are added one by one until one is refused, or until pictures fall behind; how many kept up, and the end."""
    kept_up: dict[str, Any] = {"rooms": 0, "ended_by": "most"}
    with OurServer(guarded=True) as server, ExitStack() as stack:
        crowds: list[Crowd] = []
        for room in range(most):
            if room % _ROOMS_A_PROCESS == 0:
                crowds.append(stack.enter_context(Crowd(server.door, encoded)))
            try:
                crowds[-1].tell("enter", room)
            except (ConnectionRefusedError, TimeoutError) as error:
                return kept_up | {"ended_by": str(error) or "nobody came in"}
            looked = _keeping_up(server, crowds)
            if looked is None:
                return kept_up | {"ended_by": "pictures fell behind"}
            kept_up |= {"rooms": room + 1, **looked}
    return kept_up


def _keeping_up(server: Server, crowds: Sequence[Crowd]) -> dict[str, float] | None:
    """What people see, in a look in which every picture keeps up; ``None`` where none of some looks is like that, so
    that it was not the neighbours on this machine."""
    for _ in range(_LOOKS):
        seen, used = _watched(server, crowds, _LOOK)
        summary = _summary(seen)
        if summary["frames_a_second_least"] >= _KEEPS_UP and summary["latency_p95_ms"] <= _TOO_LATE_MS:
            return {"cores": used, **summary}
    return None


def weather(encoded: Encoded, seconds: float) -> dict[str, float]:
    """One room, everybody behind a way that loses and delays packets."""
    with OurServer() as server, Crowd(server.door, encoded, bad_weather=True) as crowd:
        crowd.tell("enter", 0)
        seen, used = _watched(server, [crowd], seconds)
        return {
            "core_seconds_a_room_second": used,
            **_summary(seen),
            "sounds_lost_most": max(row["sounds_lost"] for row in seen),
            "pictures_stopped": sum(row["voices_alone"] for row in seen) / (PEOPLE - 1),
        }


def comings(encoded: Encoded, cycles: int) -> dict[str, Any]:
    """Three people enter a room, see each other and leave, so many times. Resident MB on the way (the first third
    warms up), and what is left of connections when everybody has gone."""
    resident = []
    with OurServer() as server, Crowd(server.door, encoded) as crowd:
        crowd.tell("come_and_go", range(1))
        at_first = server.left_over()
        each = max(1, cycles // _COMINGS_TOLD)
        for first in range(1, cycles, each):
            crowd.tell("come_and_go", range(first, min(first + each, cycles)))
            resident.append(resident_mb(server.pid))
        left = server.left_over()
    warm = resident[len(resident) // 3]
    return {
        "cycles": cycles,
        "resident_mb": [round(value, 1) for value in resident],
        "growth_mb": resident[-1] - warm,
        "left_over": {name: more for name, count in left.items() if (more := count - at_first.get(name, 0)) > 0},
    }


def _watched(server: Server, crowds: Sequence[Crowd], seconds: float) -> tuple[list[dict[str, Any]], float]:
    """What people see in so many seconds, and the cores that the server uses meanwhile."""
    time.sleep(_SETTLE)
    for crowd in crowds:
        crowd.tell("begin")
    used, began = core_seconds(server.pid), time.monotonic()
    time.sleep(seconds)
    used, took = core_seconds(server.pid) - used, time.monotonic() - began
    return [row for crowd in crowds for row in crowd.tell("rows")], used / took


def _summary(seen: list[dict[str, Any]]) -> dict[str, float]:
    ages = sorted(age for row in seen for age in row["ages"])
    return {
        "frames_a_second_least": min(row["rate"] for row in seen),
        "longest_gap_seconds": max(row["gap"] for row in seen),
        "latency_p50_ms": 1000 * ages[len(ages) // 2],
        "latency_p95_ms": 1000 * ages[int(len(ages) * 0.95)],
    }
