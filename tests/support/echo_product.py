"""A tiny product for the sandbox's tests: takes callbacks with wechatpy, so that both sides of the protocol differ."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import xmltodict
from aiohttp import web
from wechatpy.crypto import WeChatCrypto

from sandbox.settings import LOCAL_AES_KEY, LOCAL_APP_ID, LOCAL_TOKEN

Fields = dict[str, Any]
Responder = Callable[[Fields, int], Awaitable[str | web.Response]]


def text_reply(message: Fields, text: str) -> str:
    """The XML of a passive text reply."""
    return passive_reply(message, f"<MsgType>text</MsgType><Content>{escape(text)}</Content>")


def passive_reply(message: Fields, inner: str) -> str:
    """The XML of a passive reply with this content."""
    return (
        f"<xml><ToUserName>{message['FromUserName']}</ToUserName><FromUserName>{message['ToUserName']}</FromUserName>"
        f"<CreateTime>1</CreateTime>{inner}</xml>"
    )


async def echo(message: Fields, _delivery: int) -> str:
    """Say back what was said; nothing to an event."""
    return text_reply(message, f"你说：{message['Content']}") if message["MsgType"] == "text" else "success"


@dataclass
class EchoProduct:
    """What was received, and the responder: given the message and the number of its delivery, gives the reply's XML."""

    url: str
    responder: Responder = echo
    received: list[Fields] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    plaintexts: list[bytes] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self._crypto = WeChatCrypto(LOCAL_TOKEN, LOCAL_AES_KEY, LOCAL_APP_ID)

    async def wait_for_count(self, count: int) -> list[Fields]:
        """All messages received, once there are this many."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(lambda: len(self.received) >= count), 10)
        return self.received

    async def handle(self, request: web.Request) -> web.Response:
        """Take one callback; a wrong signature is answered 403."""
        query = dict(request.query)
        if request.method == "GET":
            return web.Response(text=query["echostr"])
        body = await request.text()
        self.queries.append(query)
        try:
            xml = self._crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        except Exception:
            return web.Response(status=403)
        message: Fields = xmltodict.parse(xml)["xml"]
        plain = xml.encode() if isinstance(xml, str) else xml
        self.plaintexts.append(plain)
        delivery = self.plaintexts.count(plain)
        self.received.append(message)
        async with self.changed:
            self.changed.notify_all()
        reply = await self.responder(message, delivery)
        if isinstance(reply, web.Response) or not reply.startswith("<xml>"):
            return reply if isinstance(reply, web.Response) else web.Response(text=reply)
        return web.Response(text=self._crypto.encrypt_message(reply, query["nonce"], query["timestamp"]))


@asynccontextmanager
async def running_product() -> AsyncIterator[EchoProduct]:
    """Serve a product for the length of the block."""
    app = web.Application()
    product = EchoProduct("")
    app.router.add_route("*", "/callback", product.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        product.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
        yield product
    finally:
        await runner.cleanup()
