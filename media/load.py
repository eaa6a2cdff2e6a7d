"""How loaded this process is, and whether it may take another room.

A room of three whose pictures have 500 kbit/s costs 0.02 to 0.03 of a core (``python -m benchmarks.rooms``); with 720p
there are three times as many packets. A saturated process serves nobody any
more: packets wait, are asked for again, and make it worse. So new rooms are refused before that. Whoever belongs to a
room that is there may always come.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

ROOMS_A_PROCESS = 12
"""Rooms of 720p that fit into three quarters of a core, with something to spare."""

_CPU_MOST, _CPU_AGAIN = 0.75, 0.6
_LAG_MOST, _LAG_AGAIN = 0.050, 0.025
_WINDOW = 5.0
_TICK = 0.05


@dataclass(frozen=True, slots=True)
class Load:
    """``cpu``: the share of one core that the process used over the last seconds (threads may make it more than 1);
    ``loop_lag``: the seconds by which 95 of 100 wake-ups of its event loop were late at most."""

    cpu: float = 0.0
    loop_lag: float = 0.0


def is_calm(load: Load, calm_before: bool) -> bool:
    """Whether ``load`` leaves room for more. What was too much has to fall well below the limit to be calm again, so
    that a process at the limit does not open and shut its door each second."""
    cpu, lag = (_CPU_MOST, _LAG_MOST) if calm_before else (_CPU_AGAIN, _LAG_AGAIN)
    return load.cpu <= cpu and load.loop_lag <= lag


def may_take_another_room(rooms: int, capacity: int, calm: bool) -> bool:
    """Whether a process that carries ``rooms`` may take one more.

    The first is taken however loaded the process is: its load does not come from rooms, and nobody gains by waiting.
    """
    return rooms < capacity and (calm or rooms == 0)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of ``values`` that at least ``share`` (0–1) of them do not exceed; 0 where there are none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


class Admission:
    """Measures this process while ``run`` runs, and decides about new rooms.

    Args:
        capacity: rooms at most.
    """

    def __init__(self, capacity: int = ROOMS_A_PROCESS) -> None:
        self.capacity = capacity
        self.load = Load()
        self.draining = False
        """Whether no new room is taken whatever the load."""
        self._calm = True

    async def run(self) -> None:
        """Measure until cancelled."""
        lags: deque[float] = deque(maxlen=round(_WINDOW / _TICK))
        used: deque[tuple[float, float]] = deque([(time.monotonic(), time.process_time())], maxlen=lags.maxlen)
        while True:
            due = time.monotonic() + _TICK
            await asyncio.sleep(_TICK)
            now = time.monotonic()
            lags.append(max(0.0, now - due))
            used.append((now, time.process_time()))
            self.observe(Load((used[-1][1] - used[0][1]) / (now - used[0][0]), percentile(lags, 0.95)))

    def observe(self, load: Load) -> None:
        """Take over what was measured."""
        self.load = load
        self._calm = is_calm(load, self._calm)

    def takes_another(self, rooms: int) -> bool:
        """Whether one more room may begin here beside ``rooms``."""
        return not self.draining and may_take_another_room(rooms, self.capacity, self._calm)
