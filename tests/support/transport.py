"""The product's transport in the test's own event loop, before a sandbox, with a dialogue that follows a script."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from backend.clock import Clock
from backend.db import Database
from backend.events import EventBus
from backend.people.service import PeopleService
from backend.security.audit import AuditLog
from bot.delivery.sender import SenderSettings
from bot.dialogue import ConversationState
from bot.incoming import Incoming
from bot.messages import Message, Text
from bot.transport import Receiving, Sending
from bot.turns import TurnSettings
from bot.wechat.settings import WechatSettings
from sandbox.settings import LOCAL_AES_KEY, LOCAL_APP_ID, LOCAL_APP_SECRET, LOCAL_TOKEN

TEMPLATES = {
    "offer": "QiaoyiLocalTemplate_ConsultationInvitation1",
    "reminder": "QiaoyiLocalTemplate_AppointmentReminder_002",
    "task": "QiaoyiLocalTemplate_TaskReminder_0000000003",
    "result": "QiaoyiLocalTemplate_ResultNotification_0004",
    "progress": "QiaoyiLocalTemplate_ProgressNotification_05",
}

Script = Callable[[Incoming, ConversationState], Awaitable[list[Message]]]


async def echo(incoming: Incoming, state: ConversationState) -> list[Message]:
    """Say back what was said, with the number of the message in this conversation."""
    number = state.data.get("number", 0) + 1
    state.data = {"number": number}
    return [Text(f"{number}:{incoming.kind}:{incoming.text or incoming.item_id}")]


@dataclass
class ScriptedDialogue:
    """Answers as its script says, and keeps what it has heard."""

    script: Script = echo
    heard: list[Incoming] = field(default_factory=list)
    preparation: Callable[[Incoming], Awaitable[None]] | None = None

    async def prepare(self, incoming: Incoming) -> None:
        """Wait for what the test says; for nothing by default."""
        if self.preparation is not None:
            await self.preparation(incoming)

    async def respond(self, incoming: Incoming, state: ConversationState) -> list[Message]:
        """Answer as `bot.dialogue.Dialogue` does."""
        self.heard.append(incoming)
        return await self.script(incoming, state)


@dataclass
class RunningTransport:
    """The transport while it runs."""

    url: str
    database: Database
    clock: Clock
    sending: Sending
    receiving: Receiving
    dialogue: ScriptedDialogue

    async def person_of(self, openid: str) -> str:
        """The person behind a phone."""
        contact = await self.sending.messaging.contact("wechat", openid)
        assert contact is not None
        return contact.person_id


def local_settings(api_url: str, **changes: Any) -> WechatSettings:
    """The settings of the sandbox's account."""
    values: dict[str, Any] = {
        "app_id": LOCAL_APP_ID,
        "app_secret": LOCAL_APP_SECRET,
        "token": LOCAL_TOKEN,
        "aes_key": LOCAL_AES_KEY,
        "api_url": api_url,
        "templates": TEMPLATES,
    }
    return WechatSettings(**values | changes)


@asynccontextmanager
async def running_transport(
    database: Database,
    clock: Clock,
    wechat: WechatSettings,
    dialogue: ScriptedDialogue,
    *,
    turns: TurnSettings | None = None,
    sender: SenderSettings | None = None,
    files: Any = None,
    performer: Any = None,
    port: int = 0,
) -> AsyncIterator[RunningTransport]:
    """Run the transport for the length of the block."""
    people = PeopleService(database, clock, EventBus(database, clock), AuditLog(database, clock))
    sending = Sending(database, clock, people, wechat, files=files, settings=sender)
    more = {"performer": performer} if performer else {}
    receiving = Receiving(database, clock, sending, wechat, dialogue, files=files, settings=turns, **more)
    app = web.Application()
    app.add_routes(receiving.gateway.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    bound = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    tasks = [asyncio.create_task(sending.run()), asyncio.create_task(receiving.run())]
    url = f"http://127.0.0.1:{bound}/wechat/callback"
    try:
        yield RunningTransport(url, database, clock, sending, receiving, dialogue)
    finally:
        await runner.cleanup()
        for task in reversed(tasks):
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
