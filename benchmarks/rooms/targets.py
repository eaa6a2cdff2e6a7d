"""What the figures are held against."""

from typing import Any

_CORE_SECONDS = 0.08
_TIMES_JANUS = 1.8
_ROOMS = 8
_LATENCY_MS = 150.0
_FROZEN_SECONDS = 1.0
_FRAMES_IN_BAD_WEATHER = 14.0
_GROWTH_MB = 2.0


def judged(result: dict[str, Any]) -> dict[str, bool]:
    """Which targets are reached, of those that were measured."""
    targets = {}
    if "cost" in result:
        cost, janus = result["cost"]["ours"], result["cost"].get("janus")
        targets["core-seconds a room-second at most 0.08"] = cost["core_seconds_a_room_second"] <= _CORE_SECONDS
        if janus is not None:
            ratio = cost["core_seconds_a_room_second"] / janus["core_seconds_a_room_second"]
            targets["at most 1.8 times Janus"] = ratio <= _TIMES_JANUS
        targets["latency p95 at most 150 ms"] = cost["latency_p95_ms"] <= _LATENCY_MS
    if "capacity" in result:
        targets["at least 8 rooms in one process"] = result["capacity"]["rooms"] >= _ROOMS
    if "weather" in result:
        seen = result["weather"]
        targets["no freeze over 1 s in bad weather"] = seen["longest_gap_seconds"] <= _FROZEN_SECONDS
        targets["at least 14 frames/s in bad weather"] = seen["frames_a_second_least"] >= _FRAMES_IN_BAD_WEATHER
    if "memory" in result:
        memory = result["memory"]
        targets["memory does not grow"] = memory["growth_mb"] <= _GROWTH_MB
        targets["nothing is left of who has gone"] = not memory["left_over"]
    return targets
