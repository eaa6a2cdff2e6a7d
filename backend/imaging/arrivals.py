"""When instances come, so that work on those that are here gives way to those that are coming.

A sender waits for its answers; a header that is kept or an image that is compressed some seconds later is missed by
nobody. What this process alone knows is enough: another one that works meanwhile takes no time from this one's senders.
"""

import asyncio
import time

QUIET_SECONDS = 2.0
"""Arrivals have paused when none came for so long."""
_LATEST_SECONDS = 30.0


class Arrivals:
    """What came lately."""

    def __init__(self) -> None:
        self._last = self._since = float("-inf")

    def note(self) -> None:
        """One has come."""
        now = time.monotonic()
        if now - self._last > QUIET_SECONDS:
            self._since = now
        self._last = now

    async def paused(self) -> None:
        """Wait until arrivals have paused; where they go on for half a minute, nothing waits for them any longer."""
        left = self._left()
        while left > 0:
            await asyncio.sleep(left)
            left = self._left()

    def _left(self) -> float:
        return min(self._last + QUIET_SECONDS, self._since + _LATEST_SECONDS) - time.monotonic()
