"""kill -9 at every step between callback, commit, send and acknowledgement: nothing is lost, and nothing made up."""

import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from backend.db import Database
from backend.messaging.tables import DeferredMessage, OutboxMessage
from tests.support.dying import Forked
from tests.support.killable import STEPS, main
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def patient_wechat() -> AsyncIterator[RunningSandbox]:
    """A WeChat that delivers often enough for a process to come back in between."""
    async with running_sandbox(reply_deadline_seconds=1.0, deliveries=10) as running:
        yield running


@asynccontextmanager
async def product(url: str, sandbox_url: str, port: int, step: str = "") -> AsyncIterator[Forked]:
    """The product as a process; it is ready at the beginning of the block and gone at its end."""
    process = Forked(main, url, sandbox_url, port, step)
    try:
        assert await process.said() == "ready"
        yield process
    finally:
        await process.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def waiting(database: Database) -> int:
    async with database.reading() as session:
        tables = (OutboxMessage, DeferredMessage)
        return sum([await session.scalar(select(func.count()).select_from(table)) or 0 for table in tables])


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_killed_at_any_step_loses_nothing_and_repeats_at_most_one_message(
    sqlite: Database, patient_wechat: RunningSandbox, step: str
) -> None:
    url, port = str(sqlite.engine.url), free_port()
    await patient_wechat.client.set_callback(f"http://127.0.0.1:{port}/wechat/callback", verify=False)
    phone = await patient_wechat.client.phone("王阿姨", following=True)
    stored = "stored" in step
    words = "慢" if stored else "您好"
    async with product(url, patient_wechat.base_url, port, step) as first:
        await phone.say(words)
        assert await first.ended() == -9
    async with product(url, patient_wechat.base_url, port):
        expected = [f"{words}的答复"] if stored else ["您好:1:一", "您好:1:二"]
        await phone.wait_for(expected[-1], timeout=20)

        async def nothing_waits() -> bool:
            return await waiting(sqlite) == 0

        await eventually(nothing_waits, timeout=20)
        await phone.say("再见", wait_reply=True)
        await phone.wait_for("再见:" + ("1" if stored else "2") + ":二")
    said = [message.text for message in await phone.messages() if message.sender == "account"]
    before = [text for text in said if not text.startswith("再见")]
    assert list(dict.fromkeys(before)) == expected
    assert len(before) - len(expected) <= 1
    assert max(Counter(before).values()) <= 2
