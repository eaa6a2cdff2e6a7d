"""Finds what is due in the outbox: rows of notifications, rows put off, rows of processes that have died."""

import asyncio
import contextlib
import logging
from itertools import groupby
from operator import attrgetter

from backend.clock import Clock
from backend.messaging.outbox import OutboxService
from bot.delivery.sender import Sender

log = logging.getLogger(__name__)

_POLL_SECONDS = 1.0
_BATCH = 100
_MOST_IN_HAND = 2000


class DeliveryWorker:
    """Claims due rows and hands them to the sender."""

    def __init__(self, outbox: OutboxService, sender: Sender, clock: Clock) -> None:
        self._outbox = outbox
        self._sender = sender
        self._wake = asyncio.Event()
        clock.on_shift(self._wake.set)
        sender.look_again = self.wake

    def wake(self) -> None:
        """Look at once: something was put."""
        self._wake.set()

    async def run(self) -> None:
        """Claim and hand over until cancelled."""
        while True:
            self._wake.clear()
            try:
                found = await self.look()
            except Exception:
                log.exception("outbox not read")
                found = 0
            if found < _BATCH:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)

    async def look(self) -> int:
        """Hand over what is due now; give how many rows that was."""
        if self._sender.size >= _MOST_IN_HAND:
            return 0
        items = await self._outbox.claim(self._sender.settings.lease, _BATCH, self._sender.knows)
        self._sender.expect(items)
        ordered = sorted(items, key=attrgetter("person_id", "id"))
        for _, of_person in groupby(ordered, attrgetter("person_id")):
            self._sender.submit(list(of_person))
        return len(items)
