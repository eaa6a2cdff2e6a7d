"""What waits to be stored: in order, repeated until it works, bounded."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

WAITING_MOST = 64 * 1024 * 1024
"""Octets of a room that may wait to be stored: more than a minute of three people at 2 Mbit/s each."""

_RETRY_FIRST, _RETRY_LONGEST = 0.25, 4.0
_GIVE_UP_AFTER = 600.0

Job = Callable[[], Awaitable[None]]


class Backlog:
    """The jobs of one room. Each is repeated until it does not fail, so each has to bear that.

    ``on_lost`` is called where a job has failed for ten minutes: it and all that waits behind it are given up.
    ``sleep`` waits for some seconds.
    """

    def __init__(self, on_lost: Callable[[], None], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._on_lost, self._sleep = on_lost, sleep
        self._jobs: deque[tuple[Job, int]] = deque()
        self._octets = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits."""
        return not self._jobs

    def put(self, job: Job, octets: int = 0) -> bool:
        """Do ``job`` after all others; ``False``, and it is not taken, where too many ``octets`` wait already."""
        if octets and self._octets + octets > WAITING_MOST:
            return False
        self._jobs.append((job, octets))
        self._octets += octets
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return True

    async def close(self, within: float) -> bool:
        """Wait for what waits, at most so many seconds; whether all of it was done."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=within)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        return self.is_idle

    async def _work(self) -> None:
        failing, pause = 0.0, _RETRY_FIRST
        while self._jobs:
            job, octets = self._jobs[0]
            try:
                await job()
            except Exception as error:
                if failing >= _GIVE_UP_AFTER:
                    self._give_up()
                    return
                logger.warning("a recording could not be stored, trying again: %s", type(error).__name__)
                await self._sleep(pause)
                failing, pause = failing + pause, min(2 * pause, _RETRY_LONGEST)
            else:
                self._jobs.popleft()
                self._octets -= octets
                failing, pause = 0.0, _RETRY_FIRST

    def _give_up(self) -> None:
        logger.error("a recording is lost from here on: %d parts were not stored", len(self._jobs))
        self._jobs.clear()
        self._octets = 0
        self._on_lost()
