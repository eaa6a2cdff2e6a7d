"""The product's clock goes with that of a local WeChat."""

import asyncio
import contextlib
from datetime import timedelta

import aiohttp

from backend.clock import Clock
from qiaoyi.sandbox_clock import ClockFollower
from tests.support.sandbox import running_sandbox
from tests.support.waiting import eventually

SECOND = timedelta(seconds=1)


async def test_it_takes_over_the_offset_at_the_start(clock: Clock) -> None:
    async with running_sandbox() as wechat, aiohttp.ClientSession() as http:
        await wechat.client.advance(86_400)
        before = clock.now()
        await ClockFollower(clock, f"{wechat.base_url}/api/clock", "test").follow_once(http)
        assert abs(clock.now() - before - timedelta(days=1)) < 5 * SECOND


async def test_a_moved_clock_is_followed_before_the_move_returns(clock: Clock) -> None:
    async with running_sandbox() as wechat, aiohttp.ClientSession() as http:
        follower = ClockFollower(clock, f"{wechat.base_url}/api/clock", "test")
        await follower.follow_once(http)
        task = asyncio.create_task(follower.run())
        try:
            before = clock.now()
            await wechat.client.advance(86_400)
            await eventually(lambda: clock.now() - before >= timedelta(days=1))
            await wechat.client.advance(7 * 86_400)
            await eventually(lambda: clock.now() - before >= timedelta(days=8))
            await wechat.client.reset_clock()
            await eventually(lambda: clock.now() - before < timedelta(days=1))
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_a_sandbox_that_goes_away_leaves_the_clock_where_it_was(clock: Clock) -> None:
    async with running_sandbox() as wechat, aiohttp.ClientSession() as http:
        await wechat.client.advance(3600)
        follower = ClockFollower(clock, f"{wechat.base_url}/api/clock", "test")
        await follower.follow_once(http)
        moved = clock.now()
    task = asyncio.create_task(follower.run())
    try:
        done, _ = await asyncio.wait([task], timeout=0.2)
        assert not done
        assert abs(clock.now() - moved) < 30 * SECOND
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
