"""How often something may be done: counters that may be lost, in this process or in a Redis for all processes."""

import time
from typing import Any, Protocol

_MOST_KEYS = 100_000


class RateLimits(Protocol):
    """Counts what is done under a key in windows of fixed length."""

    async def allow(self, key: str, most: int, seconds: int) -> bool:
        """Count one more under `key`, and tell whether it is among the first `most` of the present window."""


class MemoryRateLimits:
    """Counts in this process; a full table forgets the windows that are over, and where all run still, the oldest half:
    whoever asks under ever new keys takes neither the memory nor the time of the others."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], tuple[int, float]] = {}

    async def allow(self, key: str, most: int, seconds: int) -> bool:
        """See `RateLimits`."""
        now = time.monotonic()
        if len(self._counts) >= _MOST_KEYS:
            self._make_room(now)
        held = (key, seconds)
        count, end = self._counts.get(held, (0, 0.0))
        if end <= now:
            count, end = 0, now + seconds
        self._counts[held] = (count + 1, end)
        return count < most

    def _make_room(self, now: float) -> None:
        running = [(held, window) for held, window in self._counts.items() if window[1] > now]
        self._counts = dict(running[-_MOST_KEYS // 2 :])


class RedisRateLimits:
    """Counts for all processes that share a Redis. One that is away allows everything: a limit is no lock on the door.

    Args:
        redis: a `redis.asyncio.Redis`.
        refused: the errors by which it says that it is away.
    """

    def __init__(self, redis: Any, refused: tuple[type[Exception], ...]) -> None:
        self._redis = redis
        self._refused = refused

    async def allow(self, key: str, most: int, seconds: int) -> bool:
        """See `RateLimits`."""
        name = f"qiaoyi:limit:{key}:{seconds}:{int(time.time() // seconds)}"
        try:
            async with self._redis.pipeline() as pipeline:
                pipeline.incr(name)
                pipeline.expire(name, seconds * 2)
                count, _ = await pipeline.execute()
        except self._refused:
            return True
        return int(count) <= most
