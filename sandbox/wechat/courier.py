"""Carries callbacks to the product: in order, with the cut-off, the redeliveries and the faults.

Source: developers.weixin.qq.com, 公众号 / 接收普通消息: five seconds for an answer, then the connection is cut and the
same message is delivered again.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sandbox.clock import MovableClock
from sandbox.errors import ApiError, JsonObject
from sandbox.faults import CALLBACK, Fault, Faults
from sandbox.journal import Journal
from sandbox.settings import Settings
from sandbox.wechat.callback_client import CallbackClient, Delivery, settle
from sandbox.wechat.envelope import PassiveReply, render
from sandbox.wechat.phones import Message, Phone

log = logging.getLogger(__name__)

MAX_ROUNDS = 20_000

ShowReply = Callable[[Phone, PassiveReply | None, bool], Message]


@dataclass(slots=True)
class Round:
    """A callback from its first delivery to what the user sees of it.

    ``seq`` is the user's bubble, or for an event the last bubble before it. ``on_its_way`` is done as soon as the
    user's next callback may follow.
    """

    phone: Phone
    fields: dict[str, Any]
    seq: int
    answerable: bool
    on_its_way: "asyncio.Future[None]"
    deliveries: list[Delivery] = field(default_factory=list)
    reply_seq: int | None = None
    task: "asyncio.Task[None] | None" = None

    def to_json(self, finished: bool) -> JsonObject:
        """The answer of an action on a phone."""
        number = self.fields.get("MsgId")
        shown: JsonObject = {"seq": self.seq, "msg_id": None if number is None else str(number)}
        if finished:
            shown["deliveries"] = [delivery.to_json() for delivery in self.deliveries]
            shown["reply_seq"] = self.reply_seq
        return shown


class Courier:
    """Delivers callbacks: each user's in order of arrival, none waiting for another's answer."""

    def __init__(
        self, settings: Settings, clock: MovableClock, journal: Journal, faults: Faults, show_reply: ShowReply
    ) -> None:
        self.client = CallbackClient(settings, clock)
        self._settings = settings
        self._clock = clock
        self._journal = journal
        self._faults = faults
        self._show_reply = show_reply
        self._rounds: set[asyncio.Task[None]] = set()
        # Openid -> the user's latest round, while it runs
        self._latest: dict[str, Round] = {}

    async def close(self) -> None:
        """Give up what is under way and close the connections."""
        await self.cancel_all()
        await self.client.close()

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
        Raises ApiError ``too_many_callbacks`` when the product is hopelessly behind.
        """
        if len(self._rounds) >= MAX_ROUNDS:
            raise ApiError(409, "too_many_callbacks", "还有太多消息没有送到，请稍后再试。")
        complete = {
            "ToUserName": self._settings.original_id,
            "FromUserName": phone.openid,
            "CreateTime": int(self._clock.now()),
            **fields,
        }
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turn = Round(phone, complete, phone.last_seq if seq is None else seq, answerable, sent)
        previous = self._latest.get(phone.openid)
        self._latest[phone.openid] = turn
        turn.task = asyncio.create_task(self._run(turn, previous))
        self._rounds.add(turn.task)
        turn.task.add_done_callback(partial(self._finish, turn))
        return turn

    async def verify(self) -> JsonObject:
        """Have the callback address answer the echo."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        verified = await self.client.verify()
        self._write_journal("GET", None, verified["status"], (loop.time() - began) * 1000, "", verified["answer"])
        return verified

    async def _run(self, turn: Round, previous: Round | None) -> None:
        if previous is not None:
            await asyncio.wait([previous.on_its_way])
        await self._deliver(turn, render(turn.fields))
        if turn.answerable and turn.phone.following:
            self._conclude(turn)

    def _finish(self, turn: Round, task: "asyncio.Task[None]") -> None:
        self._rounds.discard(task)
        settle(turn.on_its_way)
        if self._latest.get(turn.phone.openid) is turn:
            del self._latest[turn.phone.openid]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a callback was given up", exc_info=error)

    async def _deliver(self, turn: Round, xml: str) -> None:
        """Deliver until an answer counts; deliveries begin one deadline apart, as WeChat's do."""
        loop = asyncio.get_running_loop()
        for attempt in range(1, self._settings.deliveries + 1):
            began = loop.time()
            fault = self._faults.take(CALLBACK, turn.phone.openid)
            copies = fault.copies if fault and fault.kind == "duplicate" else 1
            done = await asyncio.gather(*(self._attempt(turn, xml, fault) for _ in range(copies)))
            settle(turn.on_its_way)
            turn.deliveries.extend(done)
            if any(delivery.answered for delivery in done):
                return
            if attempt < self._settings.deliveries:
                await asyncio.sleep(self._settings.reply_deadline_seconds - (loop.time() - began))

    async def _attempt(self, turn: Round, xml: str, fault: Fault | None) -> Delivery:
        if fault and fault.latency_ms:
            settle(turn.on_its_way)
            await asyncio.sleep(fault.latency_ms / 1000)
        loop = asyncio.get_running_loop()
        began = loop.time()
        if fault and fault.drop == "before":
            delivery = Delivery(0, "lost")
        else:
            delivery = await self.client.post(turn.phone.openid, xml, fault, turn.on_its_way)
        delivery.ms = (loop.time() - began) * 1000
        answer = delivery.error or json.dumps(delivery.to_json().get("reply", "success"), ensure_ascii=False)
        self._write_journal("POST", turn.phone.openid, delivery.status, delivery.ms, xml, answer)
        return delivery

    def _conclude(self, turn: Round) -> None:
        """Show what the last delivery with an answer brought; a notice when none had one."""
        answers = [delivery for delivery in turn.deliveries if delivery.answered]
        last = answers[-1] if answers else None
        if last is not None and not last.abnormal and last.reply is None:
            return
        after_message = turn.fields.get("MsgType") != "event"
        turn.reply_seq = self._show_reply(turn.phone, last.reply if last else None, after_message).seq

    def _write_journal(self, method: str, openid: str | None, status: int, ms: float, body: str, answer: str) -> None:
        self._journal.add(
            direction="out",
            method=method,
            path=CALLBACK,
            openid=openid,
            errcode=None,
            status=status,
            ms=ms,
            body=body,
            answer=answer,
        )
