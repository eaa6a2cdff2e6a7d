"""One delivery of a callback over HTTP: signed and sealed on the way out, verified and opened on the way back."""

import asyncio
import secrets
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from sandbox.clock import MovableClock
from sandbox.errors import JsonObject
from sandbox.faults import Fault
from sandbox.settings import Settings
from sandbox.wechat.crypto import SafeMode
from sandbox.wechat.envelope import AbnormalReplyError, PassiveReply, open_reply, seal

MAX_CONNECTIONS = 2_000
MAX_ANSWER_BYTES = 1 << 20
STALE_SECONDS = 3600


@dataclass(slots=True)
class Delivery:
    """One attempt. ``status`` is the HTTP status, 0 where none came; ``answered`` whether the answer counts."""

    status: int
    error: str | None = None
    answered: bool = False
    reply: PassiveReply | None = None
    abnormal: bool = False
    ms: float = 0.0

    def to_json(self) -> JsonObject:
        """The attempt as the phone API shows it."""
        shown: JsonObject = {"status": self.status, "ms": round(self.ms, 1)}
        if self.error:
            shown["error"] = self.error
        if self.reply:
            shown["reply"] = {"kind": self.reply.kind, **self.reply.content}
        return shown


class CallbackClient:
    """The HTTP client of the account's callback address, with a connection for each callback under way."""

    def __init__(self, settings: Settings, clock: MovableClock) -> None:
        self.url = settings.callback_url
        self._settings = settings
        self._clock = clock
        self._cipher = SafeMode(settings.token, settings.aes_key, settings.app_id)
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connection pool."""
        trace = aiohttp.TraceConfig()
        trace.on_request_chunk_sent.append(_note_sent)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=self._settings.reply_deadline_seconds),
            trace_configs=[trace],
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    async def verify(self) -> JsonObject:
        """Ask for the echo, as WeChat does when a developer enters the address: ``{ok, status, answer}``."""
        timestamp, nonce = self._stamp(0)
        echo = str(secrets.randbelow(10**19))
        query = {"signature": self._cipher.sign_query(timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
        try:
            async with self._http().get(self.url, params=query | {"echostr": echo}) as response:
                status, answer = response.status, (await _read(response)).decode(errors="replace")
        except (aiohttp.ClientError, TimeoutError) as error:
            status, answer = 0, type(error).__name__
        return {"ok": status == 200 and answer == echo, "status": status, "answer": answer[:200]}

    async def post(self, openid: str, xml: str, fault: Fault | None, on_its_way: "asyncio.Future[None]") -> Delivery:
        """Deliver once. ``on_its_way`` is done when the body is sent; the fault may spoil it or lose the answer."""
        kind = fault.kind if fault else None
        timestamp, nonce = self._stamp(STALE_SECONDS if kind == "stale_timestamp" else 0)
        body, message_signature = seal(self._cipher, self._settings.original_id, xml, timestamp, nonce)
        if kind == "bad_signature":
            message_signature = message_signature[::-1]
        query = {
            "signature": self._cipher.sign_query(timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": openid,
            "encrypt_type": "aes",
            "msg_signature": message_signature,
        }
        url = URL(f"{self.url}{'&' if '?' in self.url else '?'}{urlencode(query)}", encoded=True)
        headers = {"Content-Type": "text/xml"}
        try:
            async with self._http().post(
                url, data=body.encode(), headers=headers, allow_redirects=False, trace_request_ctx=on_its_way
            ) as response:
                status, answer = response.status, await _read(response)
        except TimeoutError:
            return Delivery(0, "timeout")
        except aiohttp.ClientError:
            return Delivery(0, "lost")
        if fault and (fault.drop == "after" or kind == "drop_reply"):
            return Delivery(0, "lost")
        if status != 200:
            return Delivery(status, "status")
        return self._judge(openid, answer)

    def _judge(self, openid: str, answer: bytes) -> Delivery:
        try:
            reply = open_reply(self._cipher, answer, openid, self._settings.original_id)
        except AbnormalReplyError as error:
            return Delivery(200, f"abnormal: {error}", answered=True, abnormal=True)
        return Delivery(200, answered=True, reply=reply)

    def _stamp(self, age_seconds: int) -> tuple[str, str]:
        """A timestamp and a nonce."""
        return str(int(self._clock.now()) - age_seconds), str(secrets.randbelow(2**31))

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the callback client was not started")
        return self._session


def settle(future: "asyncio.Future[None]") -> None:
    """Let a future be done, if it is not."""
    if not future.done():
        future.set_result(None)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, as far as anybody would read it."""
    body = bytearray()
    while len(body) < MAX_ANSWER_BYTES and (chunk := await response.content.read(1 << 16)):
        body += chunk
    return bytes(body)


async def _note_sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: object) -> None:
    if context.trace_request_ctx is not None:
        settle(context.trace_request_ctx)
