"""Sends the messages that this process has leased: each person's in order, different people's side by side."""

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from backend import tracing
from backend.clock import Clock
from backend.messaging.outbox import OutboxService
from backend.messaging.rules import Allowance, ContactView, Draft, OutboxItem
from backend.messaging.service import MessagingService
from bot.delivery import rules
from bot.delivery.courier import Arrived, Courier, Dead, Held, Later, Outcome, Pieces
from bot.messages import to_json
from bot.wechat.settings import WechatSettings

log = logging.getLogger(__name__)

CHANNEL = "wechat"

_LONGEST_LOOK_AHEAD = 60.0


@dataclass(frozen=True)
class SenderSettings:
    """How messages are sent.

    Args:
        side_by_side: how many people are written to at one time.
        lease: for how long a row belongs to the process that has taken it.
        lease_margin: a lease that ends sooner is renewed before the row is sent.
        gather: how long acknowledgements of direct answers are gathered to be written in one transaction, in seconds.
        gather_pushed: the same for pushed messages, of which a crash would repeat those that are not written.
    """

    side_by_side: int = 32
    lease: timedelta = timedelta(seconds=60)
    lease_margin: timedelta = timedelta(seconds=15)
    gather: float = 0.1
    gather_pushed: float = 0.01


@dataclass
class _Lane:
    """One person's messages on their way."""

    contact: ContactView | None = None
    items: deque[OutboxItem] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class Sender:
    """Owns the rows that this process has leased, until each has arrived, was put off, held or buried."""

    def __init__(
        self,
        courier: Courier,
        outbox: OutboxService,
        messaging: MessagingService,
        clock: Clock,
        wechat: WechatSettings,
        settings: SenderSettings | None = None,
    ) -> None:
        self._courier = courier
        self._outbox = outbox
        self._messaging = messaging
        self._clock = clock
        self._wechat = wechat
        self.settings = settings or SenderSettings()
        self._slots = asyncio.Semaphore(self.settings.side_by_side)
        self._lanes: dict[str, _Lane] = {}
        self._known: dict[str, str] = {}  # row → person: what no other part of this process may take
        self._of_person: Counter[str] = Counter()
        self._unsent: Counter[str] = Counter()
        self._arrived: list[str] = []
        self._counted: Counter[tuple[str, Allowance]] = Counter()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._flushed = asyncio.Event()
        self.look_again: Callable[[], None] = lambda: None  # called when rows may be due that were not before

    def knows(self, item_id: str) -> bool:
        """Tell whether a row is in the hands of this process."""
        return item_id in self._known

    @property
    def size(self) -> int:
        """How many rows are in the hands of this process."""
        return len(self._known)

    def has_all(self, person_id: str, pending: int) -> bool:
        """Tell whether the `pending` rows of a person are all in the hands of this process."""
        return self._of_person[person_id] >= pending

    def is_idle(self, person_id: str) -> bool:
        """Tell whether nothing is left to be sent to a person (acknowledgements may still be on their way)."""
        return self._unsent[person_id] == 0

    def expect(self, items: Sequence[OutboxItem]) -> None:
        """Take rows into the hands of this process that will be submitted, arrive by themselves, or be given up."""
        for item in items:
            self._known[item.id] = item.person_id
            self._of_person[item.person_id] += 1
            self._unsent[item.person_id] += 1

    def give_up(self, items: Sequence[OutboxItem]) -> None:
        """Let go of expected rows: whoever looks after their lease will send them."""
        for item in items:
            if item.id in self._known:
                self._sent(item)
                self._forget(item.id)

    def submit(self, items: Sequence[OutboxItem], contact: ContactView | None = None) -> None:
        """Send expected rows of one person, in this order and behind what is on its way to them already."""
        if not items:
            return
        lane = self._lanes.setdefault(items[0].person_id, _Lane())
        if contact is not None:
            lane.contact = self._counted_in(contact)
        lane.items.extend(items)
        if lane.task is None:
            lane.task = asyncio.create_task(self._run_lane(items[0].person_id, lane))

    def arrived(self, item: OutboxItem) -> None:
        """Note that an expected row has arrived by itself (the direct answer of a callback)."""
        if item.id in self._known:
            self._sent(item)
            self._arrived.append(item.id)
            self._wake.set()

    async def _run_lane(self, person_id: str, lane: _Lane) -> None:
        try:
            while lane.items:
                # A crash repeats what was sent and not acknowledged: no more than one message of a person is ever both.
                while self._of_person[person_id] > self._unsent[person_id]:
                    self._hurry.set()
                    await self._flushed.wait()
                async with self._slots:
                    with tracing.span("message", carried=lane.items[0].trace, attempt=lane.items[0].attempts + 1):
                        await self._send_first(person_id, lane)
        except Exception:
            log.exception("sending stopped: rows=%d", len(lane.items))
            self._abandon(lane)
        finally:
            lane.task = None
            if self._lanes.get(person_id) is lane:
                del self._lanes[person_id]

    async def _send_first(self, person_id: str, lane: _Lane) -> None:
        item = lane.items.popleft()
        try:
            if item.due_at - self._clock.now() < self.settings.lease_margin:
                due_at = await self._outbox.renew(item, self.settings.lease)
                if due_at is None:  # another process has it
                    self.give_up([item])
                    return
                item = replace(item, due_at=due_at)
            if lane.contact is None:
                contacts = await self._messaging.contacts(person_id, CHANNEL)
                lane.contact = self._counted_in(contacts[0]) if contacts else None
            outcome = await self._courier.deliver(item, lane.contact)
            tracing.note(outcome=type(outcome).__name__.lower())
            await self._settle(item, outcome, lane.contact, lane)
        except BaseException:
            self.give_up([item])
            raise

    async def _settle(self, item: OutboxItem, outcome: Outcome, contact: ContactView | None, lane: _Lane) -> None:
        match outcome:
            case Arrived(used):
                if used is not None and contact is not None:
                    self._counted[contact.id, used] += 1
                    if lane.contact is not None:
                        lane.contact = replace(lane.contact, reach=lane.contact.reach.sent(used))
                self.arrived(item)
                self._hurry.set()
                return
            case Later(due_at, attempts):
                await self._outbox.put_off(item.id, due_at, attempts)
                await self._let_go(lane)
                self._look_again_at(due_at)
            case Held():
                await self._hold(item, outcome, lane)
            case Dead(reason):
                await self._outbox.bury(item, reason)
            case Pieces(messages):
                await self._outbox.replace(item, [Draft(to_json(message)) for message in messages])
                await self._let_go(lane)
                self._look_again_at(self._clock.now())
        self._sent(item)
        self._forget(item.id)

    async def _hold(self, item: OutboxItem, outcome: Held, lane: _Lane) -> None:
        await self._outbox.hold(item, outcome.content)
        if lane.contact is None:
            return
        reach = lane.contact.reach
        if outcome.unreachable:
            await self._messaging.mark_unreachable(lane.contact.id)
            reach = replace(reach, reachable=False)
        if outcome.spent:
            reach = rules.spent(reach, self._wechat)
        lane.contact = replace(lane.contact, reach=reach)

    async def _let_go(self, lane: _Lane) -> None:
        """Give the rows behind one that has to wait back, so that whoever takes it takes them behind it."""
        rest = list(lane.items)
        lane.items.clear()
        await self._outbox.release([item.id for item in rest])
        self.give_up(rest)

    def _look_again_at(self, due_at: datetime) -> None:
        delay = (due_at - self._clock.now()).total_seconds()
        if delay < _LONGEST_LOOK_AHEAD:  # the worker looks by itself now and then
            asyncio.get_running_loop().call_later(max(0.0, delay), lambda: self.look_again())

    def _abandon(self, lane: _Lane) -> None:
        self.give_up(list(lane.items))
        lane.items.clear()

    def _counted_in(self, contact: ContactView) -> ContactView:
        """Add the pushes that are counted but not written yet."""
        reach = contact.reach
        for (contact_id, allowance), number in self._counted.items():
            if contact_id == contact.id:
                reach = reach.sent(allowance, number)
        return replace(contact, reach=reach)

    def _sent(self, item: OutboxItem) -> None:
        self._unsent[item.person_id] -= 1
        if self._unsent[item.person_id] <= 0:
            del self._unsent[item.person_id]

    def _forget(self, item_id: str) -> None:
        person_id = self._known.pop(item_id)
        self._of_person[person_id] -= 1
        if self._of_person[person_id] <= 0:
            del self._of_person[person_id]

    async def run(self) -> None:
        """Write acknowledgements until cancelled, many in one transaction; then give back what was not sent."""
        try:
            while True:
                await self._wake.wait()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), self.settings.gather)
                    await asyncio.sleep(self.settings.gather_pushed)
                await self.flush()
        finally:
            await self._stop()

    async def flush(self) -> None:
        """Write the acknowledgements gathered so far."""
        self._wake.clear()
        self._hurry.clear()
        arrived, counted = self._arrived, self._counted
        if not arrived and not counted:
            return
        self._arrived, self._counted = [], Counter()
        try:
            await self._outbox.acknowledge(arrived, counted)
        except Exception:
            log.exception("acknowledgements not written: rows=%d", len(arrived))
            self._arrived, self._counted = arrived + self._arrived, counted + self._counted
            self._wake.set()
            return
        for item_id in arrived:
            self._forget(item_id)
        self._flushed.set()
        self._hurry = asyncio.Event()
        self._flushed = asyncio.Event()
        self.look_again()

    async def _stop(self) -> None:
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await self.flush()
        await self._outbox.release(list(self._known))
