"""Callbacks as WeChat sends them, made by the sandbox's own cryptography, to be bent by tests."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from sandbox.settings import LOCAL_AES_KEY, LOCAL_APP_ID, LOCAL_ORIGINAL_ID, LOCAL_TOKEN
from sandbox.wechat.crypto import SafeMode
from sandbox.wechat.envelope import PassiveReply, open_reply, render, seal

OPENID = "oTestUser_0001"


@dataclass
class Answer:
    """The answer to a callback."""

    status: int
    body: bytes
    cipher: SafeMode
    openid: str = OPENID

    @property
    def reply(self) -> PassiveReply | None:
        """The passive reply in it, None for `success`."""
        return open_reply(self.cipher, self.body, self.openid, LOCAL_ORIGINAL_ID)

    @property
    def text(self) -> str:
        """The words of a text reply."""
        assert self.reply is not None
        text: str = self.reply.content["text"]
        return text


@dataclass
class Caller:
    """Delivers callbacks to the product."""

    url: str
    session: aiohttp.ClientSession
    cipher: SafeMode = field(default_factory=lambda: SafeMode(LOCAL_TOKEN, LOCAL_AES_KEY, LOCAL_APP_ID))

    async def text(self, content: str, number: int = 1, openid: str = OPENID, **more: Any) -> Answer:
        """Deliver a text message with the MsgId `number`."""
        return await self.fields(openid, MsgType="text", Content=content, MsgId=number, **more)

    async def fields(self, openid: str = OPENID, **fields: Any) -> Answer:
        """Deliver a callback of these fields."""
        head = {"ToUserName": LOCAL_ORIGINAL_ID, "FromUserName": openid, "CreateTime": 1700000000}
        return await self.xml(render(head | fields), openid=openid)

    async def xml(self, xml: str, age: int = 0, openid: str = OPENID, **query: str) -> Answer:
        """Deliver sealed XML; keyword arguments replace values of the query."""
        timestamp, nonce = str(int(time.time()) - age), str(time.monotonic_ns())
        body, signature = seal(self.cipher, LOCAL_ORIGINAL_ID, xml, timestamp, nonce)
        values = {
            "signature": self.cipher.sign_query(timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": openid,
            "encrypt_type": "aes",
            "msg_signature": signature,
        }
        return await self.post(body.encode(), values | query, openid)

    async def post(self, body: bytes, query: dict[str, str], openid: str = OPENID) -> Answer:
        """Deliver a body as it is."""
        url = URL(f"{self.url}?{urlencode(query)}", encoded=True)
        async with self.session.post(url, data=body) as response:
            return Answer(response.status, await response.read(), self.cipher, openid)

    def signed_query(self, encrypted: str = "") -> dict[str, str]:
        """A query whose signatures are right for `encrypted`."""
        timestamp, nonce = str(int(time.time())), str(time.monotonic_ns())
        return {
            "signature": self.cipher.sign_query(timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "msg_signature": self.cipher.sign_message(timestamp, nonce, encrypted),
        }
