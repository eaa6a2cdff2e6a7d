"""Server-sent events for the phones page."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from sandbox.client import Phone
from sandbox.stream import MAX_WAITING_EVENTS, Stream
from tests.sandbox.conftest import Platform
from tests.support.sandbox import RunningSandbox


class Listener:
    """Reads events as a browser does."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self, name: str) -> Any:
        """The next event that has this member; others are passed over."""
        while True:
            line = await self.response.content.readline()
            if not line:
                raise AssertionError(f"the stream ended before an event with {name}")
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                if name in event:
                    return event


@asynccontextmanager
async def listening(sandbox: RunningSandbox) -> AsyncIterator[Listener]:
    url = sandbox.base_url + "/api/stream"
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
        assert response.content_type == "text/event-stream"
        assert await response.content.readline() == b": hello\n"
        yield Listener(response)


async def test_messages_in_both_directions_are_told(sandbox: RunningSandbox, phone: Phone) -> None:
    async with listening(sandbox) as events:
        await phone.say("第一行\n第二行")
        said, answered = await events.next("message"), await events.next("message")
    assert (said["openid"], said["message"]["text"]) == (phone.openid, "第一行\n第二行")
    assert answered["message"]["via"] == "reply"


async def test_clock_menu_phone_typing_and_code_changes_are_told(
    sandbox: RunningSandbox, platform: Platform, phone: Phone
) -> None:
    async with listening(sandbox) as events:
        await sandbox.client.advance(60)
        assert (await events.next("clock"))["clock"]["offset_seconds"] == 60
        await platform.post("/cgi-bin/menu/create", {"button": [{"type": "click", "name": "问诊", "key": "k"}]})
        assert (await events.next("menu"))["menu"] == {"openids": None}
        await platform.tag(phone, "专家")
        assert (await events.next("menu"))["menu"] == {"openids": [phone.openid]}
        other = await sandbox.client.phone("李医生")
        assert (await events.next("phone"))["phone"]["openid"] == phone.openid
        assert (await events.next("phone"))["phone"]["openid"] == other.openid
        await phone.open_window()
        await platform.post("/cgi-bin/message/custom/typing", {"touser": phone.openid, "command": "Typing"})
        assert (await events.next("typing")) == {"openid": phone.openid, "typing": True}
        body = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "s"}}}
        await platform.post("/cgi-bin/qrcode/create", body)
        assert (await events.next("qrcode"))["qrcode"]["scene"] == "s"
        await sandbox.client.reset()
        assert (await events.next("reset"))["reset"] is True


async def test_a_listener_that_went_away_is_forgotten(sandbox: RunningSandbox) -> None:
    async with listening(sandbox):
        assert sandbox.world.stream.heard
    for _ in range(MAX_WAITING_EVENTS // 2):  # fewer events than would cut it off for being slow
        if not sandbox.world.stream.heard:
            return
        await sandbox.client.advance(0)
    raise AssertionError("the stream still writes to a listener that is gone")


def test_a_listener_that_does_not_keep_up_is_let_go_and_the_others_stay() -> None:
    stream = Stream()
    slow, quick = stream.listen(), stream.listen()
    for number in range(MAX_WAITING_EVENTS + 1):
        stream.publish({"number": number})
        assert quick.get_nowait() == {"number": number}
    assert slow.get_nowait() is None
    assert slow.empty()
    stream.publish({"number": -1})
    assert quick.get_nowait() == {"number": -1}
    assert slow.empty()
