"""Rooms of three: what they cost beside Janus, how many a process carries, what bad weather does, whether memory grows.

    python -m benchmarks.rooms [--rooms 4] [--seconds 20] [--rounds 3] [--cycles 300] [--figures cost ...] [--json]

The server runs in a process of its own, people in others, four rooms each. Core-seconds are the server's, user and
system. Ours and Janus take turns; of the rounds, the median counts. Without Janus (Debian's package ``janus``) ours is
measured alone.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from typing import Any

from benchmarks.rooms import measures
from benchmarks.rooms.janus import JanusServer, janus_version
from benchmarks.rooms.ours import OurServer
from benchmarks.rooms.pictures import encoded_audio, encoded_video
from benchmarks.rooms.sent import Encoded
from benchmarks.rooms.targets import judged

FIGURES = ("cost", "capacity", "weather", "memory")
_LOOP_SECONDS = 10


def main(given: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rooms", description=__doc__)
    parser.add_argument("--rooms", type=int, default=4, help="rooms at the same time for the cost of one")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cycles", type=int, default=300, help="comings and goings for the growth of memory")
    parser.add_argument("--most", type=int, default=24, help="rooms that are tried at most for the capacity")
    parser.add_argument("--figures", nargs="+", choices=FIGURES, default=FIGURES)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(given)
    result = measured(arguments)
    if arguments.json:
        print(json.dumps(result))
        return
    for name, value in _flat(result):
        print(f"{name:48s} {value:.3f}" if isinstance(value, float) else f"{name:48s} {value}")


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures that were asked for, by name, and which targets they reach."""
    encoded = Encoded(encoded_video(_LOOP_SECONDS, _LOOP_SECONDS), encoded_audio())
    janus = janus_version()
    servers: dict[str, Callable[[], measures.Server]] = {"ours": OurServer}
    if janus is not None:
        servers["janus"] = JanusServer
    result: dict[str, Any] = {
        "janus_version": janus or "not installed: ours is measured alone",
        "picture_kbit_s": sum(map(len, encoded.pictures)) * 8 / 1000 / _LOOP_SECONDS,
        "sound_kbit_s": sum(map(len, encoded.sounds)) * 8 / 1000,
    }
    if "cost" in arguments.figures:
        rounds = [
            {name: measures.cost(make(), encoded, arguments.rooms, arguments.seconds) for name, make in servers.items()}
            for _ in range(arguments.rounds)
        ]
        result["cost"] = {"rooms": arguments.rooms} | {name: _median([r[name] for r in rounds]) for name in servers}
    if "weather" in arguments.figures:
        result["weather"] = measures.weather(encoded, arguments.seconds)
    if "capacity" in arguments.figures:
        result["capacity"] = measures.capacity(encoded, arguments.most)
    if "memory" in arguments.figures:
        result["memory"] = measures.comings(encoded, arguments.cycles)
    return result | {"targets": judged(result)}


def _median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(row[name] for row in rounds) for name in rounds[0]}


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows = []
    for name, value in values.items():
        rows += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]
    return rows


if __name__ == "__main__":
    main()
