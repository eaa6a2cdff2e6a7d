"""What happens to messages whose turns cannot come in time: nothing is lost, and everything stays in order."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from sqlalchemy import func, select

from backend.clock import Clock
from backend.db import Database
from backend.messaging.tables import DeferredMessage, InboundMessage
from bot.deferral import DeferredServer
from bot.dialogue import ConversationState
from bot.incoming import Incoming
from bot.messages import Message
from bot.turns import TurnSettings
from sandbox.client import Phone
from tests.support.callbacks import Caller
from tests.support.sandbox import RunningSandbox
from tests.support.transport import RunningTransport, ScriptedDialogue, echo, local_settings, running_transport
from tests.support.waiting import eventually

QUICK = TurnSettings(deadline=0.3, deferred_limit=5.0)
NOBODY = "http://127.0.0.1:9"


class Gate:
    """A dialogue that waits at a gate before it answers."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def __call__(self, incoming: Incoming, state: ConversationState) -> list[Message]:
        if incoming.text.startswith("慢"):
            await self.open.wait()
        return await echo(incoming, state)


@pytest.fixture
def gate(dialogue: ScriptedDialogue, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Turns of messages that begin with 慢 wait at it, and stored messages are not looked at before it opens."""
    gate = Gate()
    dialogue.script = gate
    look = DeferredServer.look

    async def look_behind_the_gate(server: DeferredServer) -> int:
        await gate.open.wait()
        return await look(server)

    monkeypatch.setattr(DeferredServer, "look", look_behind_the_gate)
    return gate


@pytest.fixture
async def slow(
    sqlite: Database, clock: Clock, wechat: RunningSandbox, dialogue: ScriptedDialogue, gate: Gate
) -> AsyncIterator[RunningTransport]:
    """The transport with a short deadline."""
    settings = local_settings(wechat.base_url)
    async with running_transport(sqlite, clock, settings, dialogue, turns=QUICK) as running:
        await wechat.client.set_callback(running.url)
        yield running


async def count(database: Database, table: type[Any]) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def said(phone: Phone) -> list[str]:
    return [message.text for message in await phone.messages() if message.sender == "account"]


async def test_a_turn_that_takes_too_long_is_answered_with_nothing_and_pushed_later(
    wechat: RunningSandbox, slow: RunningTransport, gate: Gate
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    turn = await phone.say("慢慢来", wait_reply=True)
    assert len(turn["deliveries"]) == 1
    assert await said(phone) == []
    assert await count(slow.database, DeferredMessage) == 1
    gate.open.set()
    message = await phone.wait_for("1:text:慢慢来")
    assert message.raw["via"] == "push"
    await eventually(lambda: count_is_zero(slow.database))
    # And then turns come at once again.
    await eventually(lambda: slow.receiving.runner.behind() == {})
    await phone.say("还在吗", wait_reply=True)
    assert (await phone.wait_for("2:text:还在吗")).raw["via"] == "reply"


async def count_is_zero(database: Database) -> bool:
    return await count(database, DeferredMessage) == 0


async def test_later_messages_of_the_same_person_wait_behind_a_stored_one(
    wechat: RunningSandbox, slow: RunningTransport, gate: Gate
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    await phone.say("慢一", wait_reply=True)
    await phone.say("二", wait_reply=True)
    await phone.say("三", wait_reply=True)
    assert await said(phone) == []
    gate.open.set()
    await phone.wait_for("3:text:三", after=0)
    assert await said(phone) == ["1:text:慢一", "2:text:二", "3:text:三"]


async def test_others_are_answered_while_somebodys_turn_is_waiting_for_a_stored_one(
    wechat: RunningSandbox, slow: RunningTransport, gate: Gate
) -> None:
    slowly = await wechat.client.phone("王阿姨", following=True)
    await slowly.say("慢", wait_reply=True)
    gate.open.set()
    other = await wechat.client.phone("李叔", following=True)
    await other.say("您好")
    await other.wait_for("1:text:您好")
    await slowly.wait_for("1:text:慢")


async def test_a_stored_message_delivered_again_is_not_served_twice(
    sqlite: Database, clock: Clock, dialogue: ScriptedDialogue, gate: Gate
) -> None:
    async with (
        running_transport(sqlite, clock, local_settings(NOBODY), dialogue, turns=QUICK) as running,
        aiohttp.ClientSession() as session,
    ):
        caller = Caller(running.url, session)
        answers = await asyncio.gather(*(caller.text("慢", 9) for _ in range(3)))
        assert {answer.body for answer in answers} == {b"success"}
        gate.open.set()
        await eventually(lambda: count_is_zero(sqlite))
        assert (await caller.text("慢", 9)).body == b"success"
        assert await count(sqlite, InboundMessage) == 1


async def test_stored_messages_are_served_in_order_by_the_next_process(
    sqlite: Database, clock: Clock, wechat: RunningSandbox, dialogue: ScriptedDialogue, gate: Gate
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    settings = local_settings(wechat.base_url)
    async with running_transport(sqlite, clock, settings, dialogue, turns=QUICK) as running:
        await wechat.client.set_callback(running.url)
        await phone.say("慢一", wait_reply=True)
        await phone.say("慢二", wait_reply=True)
    gate.open.set()
    async with running_transport(sqlite, clock, settings, dialogue) as running:
        await wechat.client.set_callback(running.url)
        await phone.say("三")
        await phone.wait_for("3:text:三", after=0)
    assert await said(phone) == ["1:text:慢一", "2:text:慢二", "3:text:三"]


async def test_a_stored_message_whose_turn_keeps_failing_ends_with_an_apology(
    sqlite: Database, clock: Clock, wechat: RunningSandbox, dialogue: ScriptedDialogue
) -> None:
    async def never(_incoming: Incoming, _state: ConversationState) -> list[Message]:
        await asyncio.Event().wait()
        return []

    dialogue.script = never
    phone = await wechat.client.phone("王阿姨", following=True)
    turns = TurnSettings(deadline=0.1, deferred_limit=1.0)
    async with running_transport(sqlite, clock, local_settings(wechat.base_url), dialogue, turns=turns) as running:
        await wechat.client.set_callback(running.url)
        await phone.say("您好", wait_reply=True)
        await phone.wait_for("抱歉")
        assert await count(sqlite, DeferredMessage) == 0


async def test_beyond_capacity_every_callback_is_answered_in_time_and_every_message_gets_its_turn(
    sqlite: Database, clock: Clock, dialogue: ScriptedDialogue
) -> None:
    async def busy(_incoming: Incoming, _state: ConversationState) -> list[Message]:
        await asyncio.sleep(0.02)  # the work of a turn: so many a second can be done, and no more
        return []

    dialogue.script = busy
    turns = TurnSettings(deadline=0.6, patience=0.3)
    async with (
        running_transport(sqlite, clock, local_settings(NOBODY), dialogue, turns=turns) as running,
        aiohttp.ClientSession() as session,
    ):
        caller = Caller(running.url, session)
        loop = asyncio.get_running_loop()

        async def deliver(number: int) -> float:
            began = loop.time()
            answer = await caller.text(str(number), number, f"oTestUser_{number % 40:04d}")
            assert answer.status == 200
            return loop.time() - began

        times = await asyncio.gather(*(deliver(number) for number in range(200)))
        assert max(times) < 2.5
        assert running.sending.metrics.value("turns", outcome="deferred") > 0
        await eventually(lambda: count_is_zero(sqlite), timeout=30)
        heard = [incoming.text for incoming in dialogue.heard]
        assert set(heard) == {str(number) for number in range(200)}
        assert await count(sqlite, InboundMessage) == 200
