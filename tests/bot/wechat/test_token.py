"""The access token: one flight, however many need it, in one process and in several."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from backend.clock import Clock
from bot.wechat.token import MemoryTokenStore, RedisTokenStore, TokenRefused, TokenSource, TokenStore
from tests.support.transport import local_settings

SETTINGS = local_settings("http://127.0.0.1:9")


class Platform:
    """Gives tokens as `stable_token` does, and counts."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        self.generation = 1
        self.stuck = False

    async def fetch(self, force: bool) -> tuple[str, int]:
        self.asked.append(force)
        await asyncio.sleep(0)
        if force and not self.stuck:
            self.generation += 1
        return f"token{self.generation}", 7200


@pytest.fixture
def platform() -> Platform:
    return Platform()


async def test_many_who_need_a_token_at_once_cause_one_question(platform: Platform, clock: Clock) -> None:
    tokens = TokenSource(SETTINGS, clock, platform.fetch)
    assert set(await asyncio.gather(*(tokens.get() for _ in range(50)))) == {"token1"}
    assert platform.asked == [False]


async def test_a_token_is_asked_for_again_before_it_runs_out(platform: Platform, clock: Clock) -> None:
    tokens = TokenSource(SETTINGS, clock, platform.fetch)
    await tokens.get()
    clock.advance(timedelta(seconds=7200 - 300))
    await tokens.get()
    assert len(platform.asked) == 1
    clock.advance(timedelta(seconds=100))
    await tokens.get()
    assert len(platform.asked) == 2


async def test_many_who_were_refused_at_once_cause_one_refresh(platform: Platform, clock: Clock) -> None:
    tokens = TokenSource(SETTINGS, clock, platform.fetch)
    refused = await tokens.get()
    assert set(await asyncio.gather(*(tokens.renew(refused) for _ in range(50)))) == {"token2"}
    assert platform.asked == [False, False, True]


async def test_a_token_that_wechat_keeps_refusing_is_an_error_and_not_a_loop(platform: Platform, clock: Clock) -> None:
    platform.stuck = True
    tokens = TokenSource(SETTINGS, clock, platform.fetch)
    refused = await tokens.get()
    for _ in range(20):
        with pytest.raises(TokenRefused):
            await tokens.renew(refused)
    # Twenty a day and thirty seconds apart are all the forced refreshes that there are.
    assert platform.asked.count(True) == 1
    clock.advance(timedelta(seconds=31))
    platform.stuck = False
    assert await tokens.renew(refused) == "token2"


async def test_processes_that_share_a_store_share_the_refresh(platform: Platform, clock: Clock) -> None:
    store: TokenStore = MemoryTokenStore()
    one, other = (TokenSource(SETTINGS, clock, platform.fetch, store) for _ in range(2))
    refused = await one.get()
    assert await other.get() == refused
    assert set(await asyncio.gather(one.renew(refused), other.renew(refused))) == {"token2"}
    assert platform.asked == [False, False, True]


@pytest.fixture
async def redis_store(redis_url: str) -> AsyncIterator[Callable[[], RedisTokenStore]]:
    client = Redis.from_url(redis_url)
    await client.flushdb()
    yield lambda: RedisTokenStore(client, "test")
    await client.aclose()


async def test_processes_that_share_a_redis_share_token_and_refresh(
    platform: Platform, clock: Clock, redis_store: Callable[[], RedisTokenStore]
) -> None:
    one, other = (TokenSource(SETTINGS, clock, platform.fetch, redis_store()) for _ in range(2))
    refused, same = await asyncio.gather(one.get(), other.get())
    assert refused == same
    assert platform.asked == [False]
    assert set(await asyncio.gather(one.renew(refused), other.renew(refused))) == {"token2"}
    assert platform.asked == [False, False, True]
