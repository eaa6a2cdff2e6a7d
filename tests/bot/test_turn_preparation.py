"""What a turn has to wait for is waited for before its transaction, so that nobody else waits with it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import cast

import aiohttp
import pytest

from backend.clock import Clock
from backend.db import Database
from backend.errors import Conflict
from bot.dialogue import ConversationState, Dialogue
from bot.incoming import Incoming, Kind
from bot.messages import Message
from bot.services import Services
from nlu.embedded import EmbeddedProvider
from tests.support.callbacks import Caller
from tests.support.transport import ScriptedDialogue, echo, local_settings, running_transport

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
async def caller(sqlite: Database, clock: Clock, dialogue: ScriptedDialogue) -> AsyncIterator[Caller]:
    """WeChat, before the transport on SQLite, where one transaction at a time may write."""
    async with (
        running_transport(sqlite, clock, local_settings(NOBODY), dialogue) as running,
        aiohttp.ClientSession() as session,
    ):
        yield Caller(running.url, session)


async def test_others_are_answered_while_somebodys_words_are_being_asked_about(
    caller: Caller, dialogue: ScriptedDialogue
) -> None:
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def ask(incoming: Incoming) -> None:
        if incoming.text == "慢":
            waiting.set()
            await go_on.wait()

    dialogue.preparation = ask
    slow = asyncio.create_task(caller.text("慢", 1, "oSlow_0001"))
    await waiting.wait()
    assert (await caller.text("快", 2, "oQuick_0001")).text == "1:text:快"
    assert not slow.done()
    go_on.set()
    assert (await slow).text == "1:text:慢"


async def test_a_turn_that_is_tried_again_does_not_wait_again(caller: Caller, dialogue: ScriptedDialogue) -> None:
    asked: list[str] = []

    async def ask(incoming: Incoming) -> None:
        asked.append(incoming.text)

    async def conflicting_once(incoming: Incoming, state: ConversationState) -> list[Message]:
        if len(dialogue.heard) == 1:
            raise Conflict
        return await echo(incoming, state)

    dialogue.preparation, dialogue.script = ask, conflicting_once
    assert (await caller.text("头疼")).text == "1:text:头疼"
    assert len(dialogue.heard) == 2
    assert asked == ["头疼"]


class Preparing(EmbeddedProvider):
    """The embedded provider, which notes what it was prepared for."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def prepare(self, text: str) -> None:
        self.texts.append(text)


async def test_the_dialogue_has_words_prepared_as_its_flows_will_ask_for_them() -> None:
    provider = Preparing()
    dialogue = Dialogue(provider, cast("Services", None), idle=lambda _actor: "patient")
    now = datetime(2026, 11, 21, tzinfo=UTC)
    for kind, text in [
        (Kind.TEXT, " 头疼 "),
        (Kind.VOICE, "咳嗽。"),
        (Kind.VOICE, ""),
        (Kind.TEXT, " "),
        (Kind.TAP, "没有"),
    ]:
        await dialogue.prepare(Incoming("k", "p", kind, now, text))
    assert provider.texts == ["头疼", "咳嗽。"]
