"""The movable clock and those who follow it."""

import asyncio
from datetime import datetime, timedelta

import pytest

from sandbox.client import Phone, SandboxError
from sandbox.clock import FOLLOW_UP_SECONDS
from tests.support.echo_product import EchoProduct
from tests.support.sandbox import RunningSandbox


async def now(sandbox: RunningSandbox) -> datetime:
    return datetime.fromisoformat((await sandbox.client.clock())["now"])


async def test_the_clock_moves_on_and_back_to_real_time(sandbox: RunningSandbox) -> None:
    before = await now(sandbox)
    moved = await sandbox.client.advance(86400)
    assert moved["offset_seconds"] == 86400
    assert timedelta(days=1) <= await now(sandbox) - before < timedelta(days=1, minutes=1)
    assert (await sandbox.client.reset_clock())["offset_seconds"] == 0
    assert await now(sandbox) - before < timedelta(minutes=1)


async def test_messages_and_callbacks_bear_the_moved_time(
    sandbox: RunningSandbox, product: EchoProduct, phone: Phone
) -> None:
    await sandbox.client.advance(7 * 86400)
    await phone.say("一周以后", wait_reply=True)
    moved = (await now(sandbox)).timestamp()
    assert abs(int(product.received[0]["CreateTime"]) - moved) < 60
    assert abs(int(product.queries[0]["timestamp"]) - moved) < 60
    assert abs((await phone.messages())[0].raw["created_ms"] / 1000 - moved) < 60


async def test_a_follower_hears_of_a_move_at_once_and_advance_waits_until_it_knows(sandbox: RunningSandbox) -> None:
    version = -1
    heard: list[float] = []
    knows = asyncio.Event()

    async def follow() -> None:
        nonlocal version
        while True:
            clock = await sandbox.client.follow_clock("product", version, wait=30)
            version = clock["version"]
            heard.append(clock["offset_seconds"])
            knows.set()

    follower = asyncio.create_task(follow())
    try:
        await knows.wait()
        loop = asyncio.get_running_loop()
        began = loop.time()
        for step in range(1, 4):
            moved = await sandbox.client.advance(100)
            assert moved["followed"] is True
            assert heard[-1] == moved["offset_seconds"] == 100 * step
        assert loop.time() - began < FOLLOW_UP_SECONDS
    finally:
        follower.cancel()


async def test_a_follower_that_fell_silent_holds_advance_for_two_seconds_at_most(sandbox: RunningSandbox) -> None:
    version = (await sandbox.client.clock())["version"]
    await sandbox.client.follow_clock("silent", version, wait=0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await sandbox.client.advance(1))["followed"] is False
    assert FOLLOW_UP_SECONDS <= loop.time() - began < FOLLOW_UP_SECONDS + 1


async def test_a_follower_long_gone_holds_nobody_up(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    version = (await sandbox.client.clock())["version"]
    await sandbox.client.follow_clock("gone", version, wait=0)
    monkeypatch.setattr("sandbox.clock.FOLLOWER_LIFETIME_SECONDS", 0.0)
    assert (await sandbox.client.advance(1))["followed"] is True


async def test_a_question_with_the_present_version_waits_and_answers_when_time_is_up(sandbox: RunningSandbox) -> None:
    version = (await sandbox.client.clock())["version"]
    clock = await sandbox.client.follow_clock("patient", version, wait=0.05)
    assert clock["version"] == version


@pytest.mark.parametrize("seconds", [-1, "60", None, True, 1e12])
async def test_only_a_sensible_number_of_seconds_moves_the_clock(sandbox: RunningSandbox, seconds: object) -> None:
    with pytest.raises(SandboxError, match="400 field_invalid"):
        await sandbox.client.call("POST", "/api/clock/advance", {"seconds": seconds})
    assert (await sandbox.client.clock())["offset_seconds"] == 0
