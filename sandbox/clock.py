"""The sandbox's clock: real time plus an offset that tests and the page can move."""

import time
from datetime import UTC, datetime

from sandbox.errors import JsonObject
from sandbox.signal import Signal

FOLLOWER_LIFETIME_SECONDS = 40.0
FOLLOW_UP_SECONDS = 2.0
MAX_ADVANCE_SECONDS = 10 * 366 * 86400


def iso(moment: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class MovableClock:
    """The only source of the present time in the sandbox.

    The version changes with every move. It starts from the wall clock, so that a follower which outlives a sandbox
    never takes the next sandbox's version for the one that it knows.
    """

    def __init__(self) -> None:
        self.offset = 0.0
        self.version = int(time.time() * 1000)
        self._changed = Signal()
        self._followed = Signal()
        # Follower name -> (version it knows, monotonic time of its last question)
        self._followers: dict[str, tuple[int, float]] = {}

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.offset

    def describe(self) -> JsonObject:
        """The answer of GET /api/clock."""
        return {"now": iso(self.now()), "offset_seconds": self.offset, "version": self.version}

    def move(self, offset: float) -> None:
        """Set the offset to real time, in seconds, and wake all who wait for a change."""
        self.offset = offset
        self.version += 1
        self._changed.notify()

    async def wait_for_change(self, version: int, seconds: float) -> None:
        """Return at once when the version differs from the one given, else at the next move or when time is up."""
        await self._changed.wait_until(lambda: self.version != version, seconds)

    def note_follower(self, name: str, version: int) -> None:
        """Remember that a follower asked, knowing this version."""
        self._followers[name] = (version, time.monotonic())
        if len(self._followers) > 100:
            self._forget_silent_followers()
        self._followed.notify()

    async def wait_for_followers(self) -> bool:
        """Wait until every living follower knows the present version; False when two seconds were not enough."""
        self._forget_silent_followers()
        return await self._followed.wait_until(
            lambda: all(version == self.version for version, _ in self._followers.values()), FOLLOW_UP_SECONDS
        )

    def _forget_silent_followers(self) -> None:
        oldest = time.monotonic() - FOLLOWER_LIFETIME_SECONDS
        self._followers = {name: seen for name, seen in self._followers.items() if seen[1] >= oldest}
