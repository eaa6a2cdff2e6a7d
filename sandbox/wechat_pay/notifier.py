"""Tells the merchant what became of a payment, again and again until it is taken.

Source: pay.weixin.qq.com, 支付成功回调通知: five seconds for an answer; once more after 15 s, 15 s, 30 s, 3 min, …
"""

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import aiohttp

from sandbox.clock import MovableClock
from sandbox.errors import JsonObject
from sandbox.faults import PAY_NOTIFICATION, Fault, Faults
from sandbox.journal import Journal
from sandbox.signal import Signal
from sandbox.wechat_pay.book import china_time
from sandbox.wechat_pay.signing import sealed

ANSWER_SECONDS = 5.0
RETRY_SECONDS = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
_STALE_SECONDS = 600.0
_IDLE_SECONDS = 60.0


@dataclass(slots=True)
class Notice:
    """A notification that was not taken yet. `attempts` is how often it was tried; `due_at` when it is next."""

    id: str
    event: str
    kind: str
    content: JsonObject
    url: str
    created_at: float
    due_at: float
    openid: str = ""
    attempts: int = 0
    held: bool = field(default=False)


class Notifier:
    """Sends notices when they are due by the sandbox's clock; those not yet taken outlive it in its state file."""

    def __init__(
        self,
        clock: MovableClock,
        faults: Faults,
        journal: Journal,
        api_v3_key: str,
        sign: Callable[[bytes, float], dict[str, str]],
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._journal = journal
        self._api_v3_key = api_v3_key
        self._sign = sign
        self._woken = Signal()
        self._under_way: set[asyncio.Task[None]] = set()
        self.pending: dict[str, Notice] = {}
        self.changes = 0

    def clear(self) -> None:
        """Forget what was not taken."""
        for task in self._under_way:
            task.cancel()
        self.pending.clear()
        self.changes += 1

    def dump(self) -> list[JsonObject]:
        """What a state file keeps."""
        return [asdict(notice) for notice in self.pending.values()]

    def load(self, state: list[JsonObject]) -> None:
        """Take up what a state file kept."""
        self.pending = {entry["id"]: Notice(**entry) for entry in state}

    def tell(self, event: str, kind: str, content: JsonObject, url: str, openid: str, after: float = 0.0) -> None:
        """Have the merchant told; `after` so many seconds."""
        now = self._clock.now()
        notice = Notice(str(uuid.uuid4()), event, kind, content, url, now, now + after, openid)
        self.pending[notice.id] = notice
        self.changes += 1
        self._woken.notify()

    async def run(self) -> None:
        """Send what is due until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)) as http:
            try:
                while True:
                    for notice in self._due():
                        self._begin(http, notice)
                    await self._wait()
            finally:
                for task in self._under_way:
                    task.cancel()
                await asyncio.gather(*self._under_way, return_exceptions=True)

    def _due(self) -> list[Notice]:
        now = self._clock.now()
        return [one for one in self.pending.values() if not one.held and one.due_at <= now]

    async def _wait(self) -> None:
        """Until the next one is due, the clock was moved, or there is a new one."""
        version, changes = self._clock.version, self.changes
        waiting = [one.due_at for one in self.pending.values() if not one.held]
        seconds = min([max(0.0, due - self._clock.now()) for due in waiting], default=_IDLE_SECONDS)
        moved = asyncio.create_task(self._clock.wait_for_change(version, seconds))
        changed = asyncio.create_task(self._woken.wait_until(lambda: self.changes != changes, seconds))
        try:
            await asyncio.wait([moved, changed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            moved.cancel()
            changed.cancel()
            await asyncio.gather(moved, changed, return_exceptions=True)

    def _begin(self, http: aiohttp.ClientSession, notice: Notice) -> None:
        fault = self._faults.take(PAY_NOTIFICATION, notice.openid)
        if fault is not None and fault.kind == "reorder":
            notice.held = True
            return
        self._put_off(notice)
        copies = fault.copies if fault is not None and fault.kind == "duplicate" else 1
        for _ in range(copies):
            task = asyncio.create_task(self._send(http, notice, fault))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def _put_off(self, notice: Notice) -> None:
        """Let the next attempt be due, before this one is made: a sandbox that ends now makes it once more."""
        if notice.attempts < len(RETRY_SECONDS):
            notice.due_at = self._clock.now() + RETRY_SECONDS[notice.attempts]
        else:
            notice.held = True
        notice.attempts += 1
        self.changes += 1

    async def _send(self, http: aiohttp.ClientSession, notice: Notice, fault: Fault | None) -> None:
        if fault is not None and fault.latency_ms:
            await asyncio.sleep(fault.latency_ms / 1000)
        loop = asyncio.get_running_loop()
        began, status = loop.time(), 0
        if fault is None or fault.drop != "before":
            status = await self._post(http, notice, fault)
        self._write_journal(notice, status, (loop.time() - began) * 1000)
        if status in (200, 204) and not (fault is not None and fault.drop):
            self.pending.pop(notice.id, None)
            for held in self.pending.values():
                held.held = held.attempts > len(RETRY_SECONDS)
        self.changes += 1
        self._woken.notify()

    async def _post(self, http: aiohttp.ClientSession, notice: Notice, fault: Fault | None) -> int:
        kind = fault.kind if fault is not None else None
        body = self._body(notice, is_tampered=kind == "tampered_amount")
        headers = self._sign(body, self._clock.now() - (_STALE_SECONDS if kind == "stale_timestamp" else 0.0))
        if kind == "bad_signature":
            headers["Wechatpay-Nonce"] = headers["Wechatpay-Nonce"][::-1]
        try:
            async with http.post(notice.url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0

    def _body(self, notice: Notice, *, is_tampered: bool) -> bytes:
        content = tampered(notice.content) if is_tampered else notice.content
        plain = json.dumps(content, ensure_ascii=False).encode()
        body = {
            "id": notice.id,
            "create_time": china_time(notice.created_at),
            "resource_type": "encrypt-resource",
            "event_type": notice.event,
            "summary": "支付成功" if notice.kind == "transaction" else "退款",
            "resource": {**sealed(self._api_v3_key, plain, notice.kind), "original_type": notice.kind},
        }
        return json.dumps(body, ensure_ascii=False).encode()

    def _write_journal(self, notice: Notice, status: int, ms: float) -> None:
        self._journal.add(
            direction="out",
            path=PAY_NOTIFICATION,
            openid=notice.openid or None,
            errcode=None,
            status=status,
            ms=ms,
            body=json.dumps({"id": notice.id, "event_type": notice.event} | notice.content, ensure_ascii=False),
        )


def tampered(content: JsonObject) -> JsonObject:
    """The same with another amount: one fen less in each of its parts."""
    changed = {name: value - 1 if isinstance(value, int) else value for name, value in content["amount"].items()}
    return {**content, "amount": changed}
