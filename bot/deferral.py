"""Messages whose turn cannot come in time: stored many at once, and served in order when there is time."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from backend import tracing
from backend.messaging.rules import Deferral, DeferredItem
from backend.messaging.service import MessagingService
from bot.turns import TurnRunner
from bot.wechat.arrival import Arrival

log = logging.getLogger(__name__)

_LARGEST_BATCH = 500
_POLL_SECONDS = 1.0
_LANES_AT_ONCE = 50


class DeferredStore:
    """Stores messages: those that come while one transaction is being written share the next."""

    def __init__(self, messaging: MessagingService, stored: Callable[[], None] = lambda: None) -> None:
        self._messaging = messaging
        self._stored = stored
        self._gathered: list[tuple[Deferral, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def store(self, arrival: Arrival, lane: str) -> None:
        """Store a message; returns when it is safe.

        Raises:
            Exception: the database refused; the message is not stored.
        """
        done = asyncio.get_running_loop().create_future()
        self._gathered.append((Deferral(arrival.key, lane, arrival.to_json(), tracing.carrier()), done))
        self._wake.set()
        await done

    async def run(self) -> None:
        """Write what was gathered until cancelled."""
        while True:
            await self._wake.wait()
            batch, self._gathered = self._gathered[:_LARGEST_BATCH], self._gathered[_LARGEST_BATCH:]
            if not self._gathered:
                self._wake.clear()
            await self._write(batch)

    async def _write(self, batch: list[tuple[Deferral, asyncio.Future[None]]]) -> None:
        try:
            await self._messaging.defer([deferral for deferral, _ in batch])
        except Exception as error:
            log.exception("messages not stored: number=%d", len(batch))
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
            return
        for _, done in batch:
            if not done.done():
                done.set_result(None)
        self._stored()


class DeferredServer:
    """Gives stored messages their turns: a few at a time, and only one while fresh messages are waiting.

    Args:
        side_by_side: how many people's stored messages have their turns at one time while there is nothing else to do.
        busy_wait: from this expected wait of a fresh message on (seconds), only one.
    """

    def __init__(
        self, messaging: MessagingService, runner: TurnRunner, side_by_side: int = 8, busy_wait: float = 0.3
    ) -> None:
        self._messaging = messaging
        self._runner = runner
        self._side_by_side = side_by_side
        self._busy_wait = busy_wait
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look at once: something was stored."""
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            self._wake.clear()
            try:
                served = await self.look()
            except Exception:
                log.exception("stored messages not read")
                served = 0
            if not served:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)

    async def look(self) -> int:
        """Serve the oldest stored message of some lanes; give how many had their turns."""
        before = self._runner.behind()
        items = await self._messaging.deferred(_LANES_AT_ONCE)
        if len(items) < _LANES_AT_ONCE:
            self._runner.caught_up(before, {item.lane for item in items})
        served = 0
        while items:
            width = 1 if self._runner.expected_wait > self._busy_wait else self._side_by_side
            batch, items = items[:width], items[width:]
            served += sum(await asyncio.gather(*(self._serve(item) for item in batch)))
        return served

    async def _serve(self, item: DeferredItem) -> bool:
        with tracing.span("stored message", carried=item.trace, attempt=item.attempts + 1):
            try:
                return await self._runner.serve(Arrival.from_json(item.content), item)
            except Exception as error:
                log.warning("stored message not served: error=%s attempt=%d", type(error).__name__, item.attempts + 1)
                await self._messaging.note_attempt(item.id)
                return False
