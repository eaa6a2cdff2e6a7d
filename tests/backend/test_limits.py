"""How often something may be done."""

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from backend.limits import MemoryRateLimits, RateLimits, RedisRateLimits

_LONG = 10**9  # a window that does not end while a test runs


async def _count_allowed(limits: RateLimits, key: str, times: int) -> int:
    return sum([await limits.allow(key, 3, _LONG) for _ in range(times)])


async def test_only_the_first_few_of_a_window_are_allowed_and_each_key_has_its_own() -> None:
    limits = MemoryRateLimits()
    assert [await _count_allowed(limits, key, 5) for key in ("one", "two")] == [3, 3]


async def test_a_new_window_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("backend.limits.time.monotonic", lambda: now)
    limits = MemoryRateLimits()
    assert await limits.allow("one", 1, 60)
    now += 59
    assert not await limits.allow("one", 1, 60)
    assert await limits.allow("one", 1, 30)  # windows of another length are other windows
    now += 1
    assert await limits.allow("one", 1, 60)


async def test_processes_that_share_a_redis_share_the_count(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as here, Redis.from_url(redis_url) as there:
        processes = [RedisRateLimits(client, (RedisError,)) for client in (here, there)]
        allowed = [await processes[number % 2].allow("shared", 3, _LONG) for number in range(6)]
    assert allowed == [True, True, True, False, False, False]


@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0"])
async def test_a_redis_that_is_away_stops_nobody(address: str) -> None:
    async with Redis.from_url(address) as client:
        assert await RedisRateLimits(client, (RedisError, OSError)).allow("any", 1, 60)


async def test_whoever_asks_under_ever_new_keys_takes_no_more_memory_and_forgets_the_oldest_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backend.limits._MOST_KEYS", 100)
    limits = MemoryRateLimits()
    for number in range(1000):
        assert await limits.allow(f"one of many: {number}", 1, _LONG)
        assert len(limits._counts) <= 100
    assert not await limits.allow("one of many: 999", 1, _LONG)
