"""Carries callbacks to the product: signed and sealed, with the cut-off, the redeliveries and the faults.

Source: developers.weixin.qq.com, 公众号 / 接收普通消息: five seconds for an answer, then the connection is cut and the
same message is delivered again.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from sandbox.clock import MovableClock
from sandbox.errors import ApiError, JsonObject
from sandbox.faults import CALLBACK, Fault, Faults
from sandbox.journal import Journal
from sandbox.settings import Settings
from sandbox.wechat.crypto import SafeMode
from sandbox.wechat.envelope import AbnormalReplyError, PassiveReply, open_reply, render, seal
from sandbox.wechat.phones import Message, Phone

log = logging.getLogger(__name__)

MAX_ROUNDS = 20_000
MAX_CONNECTIONS = 2_000
MAX_ANSWER_BYTES = 1 << 20
STALE_SECONDS = 3600

ShowReply = Callable[[Phone, PassiveReply | None, bool], Message]


@dataclass(slots=True)
class Delivery:
    """One attempt. ``status`` is the HTTP status, 0 where none came; ``answered`` whether the answer counts."""

    status: int
    ms: float
    error: str | None = None
    answered: bool = False
    reply: PassiveReply | None = None
    abnormal: bool = False

    def to_json(self) -> JsonObject:
        """The attempt as the phone API shows it."""
        shown: JsonObject = {"status": self.status, "ms": round(self.ms, 1)}
        if self.error:
            shown["error"] = self.error
        if self.reply:
            shown["reply"] = {"kind": self.reply.kind, **self.reply.content}
        return shown


@dataclass(slots=True)
class Round:
    """A callback from its first delivery to what the user sees of it."""

    seq: int
    msg_id: str | None
    deliveries: list[Delivery] = field(default_factory=list)
    reply_seq: int | None = None
    task: "asyncio.Task[None] | None" = None

    def to_json(self, finished: bool) -> JsonObject:
        """The answer of an action on a phone."""
        shown: JsonObject = {"seq": self.seq, "msg_id": self.msg_id}
        if finished:
            shown["deliveries"] = [delivery.to_json() for delivery in self.deliveries]
            shown["reply_seq"] = self.reply_seq
        return shown


class Courier:
    """Delivers callbacks: each user's in order of arrival, none waiting for another's answer."""

    def __init__(
        self, settings: Settings, clock: MovableClock, journal: Journal, faults: Faults, show_reply: ShowReply
    ) -> None:
        self.callback_url = settings.callback_url
        self._settings = settings
        self._clock = clock
        self._journal = journal
        self._faults = faults
        self._show_reply = show_reply
        self._cipher = SafeMode(settings.token, settings.aes_key, settings.app_id)
        self._session: aiohttp.ClientSession | None = None
        self._rounds: set[asyncio.Task[None]] = set()
        # Openid -> done as soon as the user's latest callback is on its way
        self._on_its_way: dict[str, asyncio.Future[None]] = {}

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
        """Give up what is under way and close the pool."""
        await self.cancel_all()
        if self._session is not None:
            await self._session.close()

    async def cancel_all(self) -> None:
        """Give up every round under way."""
        rounds = list(self._rounds)
        for task in rounds:
            task.cancel()
        await asyncio.gather(*rounds, return_exceptions=True)

    def dispatch(
        self, phone: Phone, fields: dict[str, Any], *, seq: int | None = None, answerable: bool = True
    ) -> Round:
        """Start the round of one callback and return at once.

        ``fields`` are the kind's own fields; addressee, sender and time are put before them unless given. ``seq`` is
        the user's bubble, where there is one. An event that the user does not see the effect of is not ``answerable``.
        """
        if len(self._rounds) >= MAX_ROUNDS:
            raise ApiError(409, "too_many_callbacks", "还有太多消息没有送到，请稍后再试。")
        complete = {
            "ToUserName": self._settings.original_id,
            "FromUserName": phone.openid,
            "CreateTime": int(self._clock.now()),
            **fields,
        }
        msg_id = complete.get("MsgId")
        turn = Round(phone.last_seq if seq is None else seq, None if msg_id is None else str(msg_id))
        previous = self._on_its_way.get(phone.openid)
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_its_way[phone.openid] = sent
        task = asyncio.create_task(self._run(phone, complete, turn, previous, sent, answerable))
        turn.task = task
        self._rounds.add(task)
        task.add_done_callback(self._finish)
        return turn

    async def verify(self) -> JsonObject:
        """Ask the callback address for the echo, as WeChat does when a developer enters it."""
        timestamp, nonce, echo = str(int(self._clock.now())), _nonce(), str(secrets.randbelow(10**19))
        query = {"signature": self._cipher.sign_query(timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
        query["echostr"] = echo
        status, answer, began = 0, "", asyncio.get_running_loop().time()
        try:
            async with self._http().get(self.callback_url, params=query) as response:
                status, answer = (
                    response.status,
                    (await response.content.read(MAX_ANSWER_BYTES)).decode(errors="replace"),
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            answer = type(error).__name__
        ms = (asyncio.get_running_loop().time() - began) * 1000
        self._journal.add(
            direction="out", method="GET", path=CALLBACK, openid=None, errcode=None, status=status, ms=ms, body="",
            answer=answer,
        )  # fmt: skip
        return {"ok": status == 200 and answer == echo, "status": status, "answer": answer[:200]}

    def _finish(self, task: "asyncio.Task[None]") -> None:
        self._rounds.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a callback was given up", exc_info=error)

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the courier was not started")
        return self._session

    async def _run(
        self, phone: Phone, fields: dict[str, Any], turn: Round, previous: "asyncio.Future[None] | None",
        sent: "asyncio.Future[None]", answerable: bool,
    ) -> None:  # fmt: skip
        try:
            if previous is not None:
                await asyncio.wait([previous])
            await self._deliver(phone.openid, render(fields), turn, sent)
        finally:
            _resolve(sent)
            if self._on_its_way.get(phone.openid) is sent:
                del self._on_its_way[phone.openid]
        if answerable and phone.following:
            self._conclude(phone, turn, after_message=fields.get("MsgType") != "event")

    async def _deliver(self, openid: str, xml: str, turn: Round, sent: "asyncio.Future[None]") -> None:
        """Deliver until an answer counts; deliveries begin one deadline apart, as WeChat's do."""
        loop = asyncio.get_running_loop()
        for attempt in range(1, self._settings.deliveries + 1):
            began = loop.time()
            fault = self._faults.take(CALLBACK, openid)
            copies = fault.copies if fault and fault.kind == "duplicate" else 1
            done = await asyncio.gather(*(self._attempt(openid, xml, fault, sent) for _ in range(copies)))
            turn.deliveries.extend(done)
            if any(delivery.answered for delivery in done):
                return
            if attempt < self._settings.deliveries:
                await asyncio.sleep(self._settings.reply_deadline_seconds - (loop.time() - began))

    def _conclude(self, phone: Phone, turn: Round, after_message: bool) -> None:
        """Show what the last delivery with an answer brought; a notice when none had one."""
        answers = [delivery for delivery in turn.deliveries if delivery.answered]
        last = answers[-1] if answers else None
        if last is not None and not last.abnormal and last.reply is None:
            return
        reply = last.reply if last else None
        turn.reply_seq = self._show_reply(phone, reply, after_message).seq

    async def _attempt(self, openid: str, xml: str, fault: Fault | None, sent: "asyncio.Future[None]") -> Delivery:
        if fault and fault.latency_ms:
            _resolve(sent)
            await asyncio.sleep(fault.latency_ms / 1000)
        began = asyncio.get_running_loop().time()
        if fault and fault.drop == "before":
            delivery = Delivery(0, 0.0, "lost")
        else:
            delivery = await self._post(openid, xml, fault, sent)
        delivery.ms = (asyncio.get_running_loop().time() - began) * 1000
        shown = delivery.error or json.dumps(delivery.to_json().get("reply", "success"), ensure_ascii=False)
        self._journal.add(
            direction="out", path=CALLBACK, openid=openid, errcode=None, status=delivery.status, ms=delivery.ms,
            body=xml, answer=shown,
        )  # fmt: skip
        return delivery

    async def _post(self, openid: str, xml: str, fault: Fault | None, sent: "asyncio.Future[None]") -> Delivery:
        kind = fault.kind if fault else None
        now = self._clock.now() - (STALE_SECONDS if kind == "stale_timestamp" else 0)
        timestamp, nonce = str(int(now)), _nonce()
        body, message_signature = seal(self._cipher, self._settings.original_id, xml, timestamp, nonce)
        if kind == "bad_signature":
            message_signature = message_signature[::-1]
        query = urlencode(
            {
                "signature": self._cipher.sign_query(timestamp, nonce),
                "timestamp": timestamp,
                "nonce": nonce,
                "openid": openid,
                "encrypt_type": "aes",
                "msg_signature": message_signature,
            }
        )
        url = URL(f"{self.callback_url}{'&' if '?' in self.callback_url else '?'}{query}", encoded=True)
        headers = {"Content-Type": "text/xml"}
        try:
            async with self._http().post(
                url, data=body.encode(), headers=headers, allow_redirects=False, trace_request_ctx=sent
            ) as response:
                answer = await response.content.read(MAX_ANSWER_BYTES)
                while not response.content.at_eof() and len(answer) < MAX_ANSWER_BYTES:
                    answer += await response.content.read(MAX_ANSWER_BYTES)
                status = response.status
        except TimeoutError:
            return Delivery(0, 0.0, "timeout")
        except aiohttp.ClientError:
            return Delivery(0, 0.0, "lost")
        if fault and (fault.drop == "after" or kind == "drop_reply"):
            return Delivery(0, 0.0, "lost")
        if status != 200:
            return Delivery(status, 0.0, "status")
        return self._judge(openid, answer)

    def _judge(self, openid: str, answer: bytes) -> Delivery:
        try:
            reply = open_reply(self._cipher, answer, openid, self._settings.original_id)
        except AbnormalReplyError as error:
            return Delivery(200, 0.0, f"abnormal: {error}", answered=True, abnormal=True)
        return Delivery(200, 0.0, answered=True, reply=reply)


def _nonce() -> str:
    return str(secrets.randbelow(2**31))


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


async def _note_sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: object) -> None:
    if context.trace_request_ctx is not None:
        _resolve(context.trace_request_ctx)
