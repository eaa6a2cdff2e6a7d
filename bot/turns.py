"""Turns: one message of one person, answered in one transaction, in order, and in time.

A message whose turn cannot begin or end in time is stored (`bot.deferral`), answered with nothing, and has its turn
later; what that says is pushed. A person's later messages wait behind it.
"""

import asyncio
import logging
import random
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from backend import tracing
from backend.db import is_transient
from backend.errors import Conflict, InvalidInput
from backend.messaging.outbox import OutboxService
from backend.messaging.rules import ContactView, DeferredItem, OutboxItem
from backend.messaging.service import MessagingService
from backend.photographs import CleanPicture
from bot.delivery.sender import CHANNEL, Sender
from bot.metrics import Metrics
from bot.wechat.arrival import Arrival

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TurnSettings:
    """How long a message may take, in seconds of real time (WeChat waits five).

    Args:
        deadline: after it a message is stored and answered with nothing.
        patience: one that would wait longer than this for its turn is stored at once.
        deferred_limit: longest turn of a stored message; on SQLite everything that is to be stored waits for it.
        side_by_side: how many people's turns may be under way; a turn that fetches a picture keeps its place.
        queue: most messages that wait in memory.
        tries: of a turn that the database ended for a passing reason.
        answer_wait: how long a direct answer may stay unacknowledged before it is pushed.
        remembered: how many answers are kept in memory for redeliveries.
    """

    deadline: float = 3.5
    patience: float = 2.0
    deferred_limit: float = 3.0
    side_by_side: int = 16
    queue: int = 2000
    tries: int = 3
    answer_wait: timedelta = timedelta(seconds=20)
    remembered: int = 10_000


@dataclass
class Reply:
    """What a callback is answered with, and what happens when the answer has been written.

    Args:
        answer: a JSON value: the message and the moment of its making; {} for none.
        direct: the outbox row of that message.
        pushed: rows that follow it.
    """

    key: str
    answer: dict[str, Any]
    contact: ContactView | None = None
    direct: OutboxItem | None = None
    pushed: list[OutboxItem] = field(default_factory=list)
    settled: bool = False


class Behind(Exception):
    """Earlier messages of the same person wait for their turns, so this one must not have its own yet."""


@dataclass
class Job:
    """A message on its way to its turn.

    Attributes:
        picture: what the person sent, fetched and cleaned before the transaction, or why it cannot be kept.
        prepared: the dialogue has had its chance to wait for what it needs.
        committing: from here on the turn is not cancelled any more: it may have happened.
        put_by: it is being stored for later.
        context: in which its turn runs: whoever has the turns knows nothing of the callback that it belongs to.
    """

    arrival: Arrival
    lane: str
    outcome: asyncio.Future[Reply]
    deferred: DeferredItem | None = None
    picture: CleanPicture | InvalidInput | None = None
    prepared: bool = False
    task: asyncio.Task[Reply] | None = None
    committing: bool = False
    put_by: bool = False
    deadline: asyncio.TimerHandle | None = None
    context: Context = field(default_factory=copy_context)


Perform = Callable[[Job], Awaitable[Reply]]
Store = Callable[[Arrival, str], Awaitable[None]]


class TurnRunner:
    """Runs turns: one at a time for a person, several people side by side, each message once.

    Args:
        perform: does the turn of a job in one transaction (`bot.turn`).
        apologise: does the turn of a job whose own has failed.
        store: stores a message for later (`bot.deferral`).
    """

    def __init__(
        self,
        messaging: MessagingService,
        outbox: OutboxService,
        sender: Sender,
        metrics: Metrics,
        perform: Perform,
        apologise: Perform,
        store: Store,
        settings: TurnSettings | None = None,
    ) -> None:
        self._messaging = messaging
        self._sender = sender
        self._outbox = outbox
        self._metrics = metrics
        self._perform = perform
        self._apologise = apologise
        self._store = store
        self.settings = settings or TurnSettings()
        self._jobs: dict[str, Job] = {}
        self._lanes: dict[str, deque[Job]] = {}
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._recent: OrderedDict[str, Reply] = OrderedDict()
        self._waiting = 0
        self._pace = 0.01  # seconds between the ends of two turns, while turns are waiting
        self._ended_at: float | None = None
        self._behind: dict[str, int] = {}  # lanes whose messages are stored, because earlier ones are
        self._marks = 0
        self._storing_lanes: Counter[str] = Counter()
        self._storing: set[asyncio.Task[None]] = set()

    @property
    def expected_wait(self) -> float:
        """How long a message that came in now would wait for its turn, in seconds."""
        return self._waiting * self._pace

    async def answer(self, arrival: Arrival) -> Reply:
        """Give the reply to a callback, within the deadline. The same message twice has one turn and one reply.

        Raises:
            Exception: the message could be neither answered nor stored; WeChat will deliver it again.
        """
        known = self._recent.get(arrival.key)
        if known is not None:
            return known
        job = self._jobs.get(arrival.key)
        if job is None:
            job = self._take(arrival)
        return await asyncio.shield(job.outcome)

    def _take(self, arrival: Arrival) -> Job:
        loop = asyncio.get_running_loop()
        lane = self._messaging.lane(CHANNEL, arrival.openid)
        job = Job(arrival, lane, loop.create_future())
        self._jobs[arrival.key] = job
        if lane in self._behind or self._waiting >= self.settings.queue or self.expected_wait > self.settings.patience:
            self._put_by(job)
            return job
        job.deadline = loop.call_later(self.settings.deadline, self._expire, job)
        self._enqueue(job)
        return job

    async def serve(self, arrival: Arrival, item: DeferredItem) -> bool:
        """Have the turn of a stored message; its replies are pushed. False where another process has the message."""
        job = Job(arrival, item.lane, asyncio.get_running_loop().create_future(), item)
        self._enqueue(job)
        reply = await job.outcome
        self._release(reply)
        return reply.contact is not None

    def _enqueue(self, job: Job) -> None:
        waiting = self._lanes.get(job.lane)
        self._waiting += 1
        if waiting is None:
            self._lanes[job.lane] = deque([job])
            self._ready.put_nowait(job.lane)
        else:
            waiting.append(job)

    def _expire(self, job: Job) -> None:
        """The deadline has come: store the message, unless its turn is being committed."""
        if job.outcome.done() or job.committing or job.put_by:
            return
        self._metrics.count("turns_late")
        if job.task is not None:
            job.task.cancel()
        self._put_by(job)

    def _put_by(self, job: Job) -> None:
        """Store a message for later, and everything of the same person that comes after it."""
        job.put_by = True
        self._storing_lanes[job.lane] += 1
        self._mark_behind(job.lane)
        task = asyncio.create_task(self._store_away(job), context=job.context.copy())
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _store_away(self, job: Job) -> None:
        try:
            if job.task is not None:
                await asyncio.wait([job.task])
            await self._store(job.arrival, job.lane)
        except Exception as error:
            self._fail(job, error)
        else:
            self._metrics.count("turns", outcome="deferred")
            self._end(job, Reply(job.arrival.key, {}))
        finally:
            self._storing_lanes[job.lane] -= 1
            self._mark_behind(job.lane)

    def _mark_behind(self, lane: str) -> None:
        self._marks += 1
        self._behind[lane] = self._marks

    def behind(self) -> dict[str, int]:
        """Give the lanes whose messages are stored because earlier ones are, with a mark that every storing changes."""
        return {lane: mark for lane, mark in self._behind.items() if not self._storing_lanes[lane]}

    def caught_up(self, before: dict[str, int], waiting: set[str]) -> None:
        """Let lanes of `before` have turns at once again, where nothing is `waiting` and none was stored since."""
        for lane, mark in before.items():
            if lane not in waiting and self._behind.get(lane) == mark:
                del self._behind[lane]
                del self._storing_lanes[lane]

    def _end(self, job: Job, reply: Reply) -> None:
        if job.deadline is not None:
            job.deadline.cancel()
        if job.deferred is None:
            self._jobs.pop(job.arrival.key, None)
            self._recent[job.arrival.key] = reply
            while len(self._recent) > self.settings.remembered:
                self._recent.popitem(last=False)
        if not job.outcome.done():
            job.outcome.set_result(reply)

    def _fail(self, job: Job, error: Exception) -> None:
        if job.deadline is not None:
            job.deadline.cancel()
        self._jobs.pop(job.arrival.key, None)
        if not job.outcome.done():
            job.outcome.set_exception(error)
            job.outcome.exception()  # nobody may be waiting any more

    async def run(self) -> None:
        """Have turns until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.settings.side_by_side):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            lane = await self._ready.get()
            job = self._lanes[lane].popleft()
            self._waiting -= 1
            try:
                await self._have_turn(job)
            finally:
                self._measure()
                if self._lanes[lane]:
                    self._ready.put_nowait(lane)
                else:
                    del self._lanes[lane]

    def _measure(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._ended_at is not None and self._waiting:
            self._pace += 0.05 * (min(now - self._ended_at, 1.0) - self._pace)
        self._ended_at = now

    async def _have_turn(self, job: Job) -> None:
        if job.outcome.done() or job.put_by:
            return
        if job.deferred is None and job.lane in self._behind:
            self._put_by(job)
            return
        job.task = asyncio.create_task(self._try_turn(job), context=job.context.copy())
        try:
            await asyncio.wait([job.task])
        except asyncio.CancelledError:  # the process stops: the turn ends, or leaves no trace
            if not job.committing:
                job.task.cancel()
            await asyncio.wait([job.task])
            raise
        if job.task.cancelled():
            return  # late: it is being stored
        error = job.task.exception()
        if error is None:
            self._end(job, job.task.result())
        elif isinstance(error, Behind) and job.deferred is None:
            if not job.put_by:
                self._put_by(job)
        elif isinstance(error, Exception):
            self._fail(job, error)

    async def _try_turn(self, job: Job) -> Reply:
        began = asyncio.get_running_loop().time()
        hopeless = job.deferred is not None and job.deferred.attempts >= self.settings.tries
        perform = self._apologise if hopeless else self._perform
        for attempt in range(1, self.settings.tries + 1):
            try:
                with tracing.span("turn", kind=job.arrival.incoming.kind, attempt=attempt):
                    reply = await self._timed(perform, job)
            except Behind:
                raise
            except Exception as error:
                job.committing = False
                passing = is_transient(error) or isinstance(error, IntegrityError | Conflict)
                if not passing:
                    return await self._say_sorry(job, error)
                if attempt == self.settings.tries:
                    raise
                await asyncio.sleep(random.uniform(0.01, 0.05) * attempt)
            else:
                self._metrics.count("turns", outcome="answered")
                self._metrics.count("turn_milliseconds", int(1000 * (asyncio.get_running_loop().time() - began)))
                return reply
        raise AssertionError("unreachable")

    async def _timed(self, perform: Perform, job: Job) -> Reply:
        if job.deferred is None:  # the deadline of the callback bounds it
            return await perform(job)
        async with asyncio.timeout(self.settings.deferred_limit):
            return await perform(job)

    async def _say_sorry(self, job: Job, error: Exception) -> Reply:
        """A turn has failed for no passing reason: the person is asked to say it again."""
        # The stack tells where; the message of the exception could quote the person.
        log.error("turn failed: error=%s", type(error).__name__, exc_info=_without_words(error))
        self._metrics.count("turns", outcome="failed")
        return await self._timed(self._apologise, job)

    async def delivered(self, reply: Reply) -> None:
        """The answer to a callback has been written: what follows it may be sent now."""
        if reply.settled:
            return
        if reply.direct is not None:
            self._sender.arrived(reply.direct)
        elif reply.answer and reply.contact is None:  # another process made it, or the one before this
            await self._outbox.acknowledge_answer(reply.key)
        self._release(reply)

    def _release(self, reply: Reply) -> None:
        reply.settled = True
        self._sender.submit(reply.pushed, reply.contact)

    def lost(self, reply: Reply) -> None:
        """The answer could not be written: WeChat will ask again; where it does not, all is pushed after a while."""
        if reply.settled:
            return
        if reply.direct is None:
            self._release(reply)
            return
        wait = self.settings.answer_wait.total_seconds()
        asyncio.get_running_loop().call_later(wait, self._give_up, reply)

    def _give_up(self, reply: Reply) -> None:
        if not reply.settled and reply.direct is not None:
            reply.settled = True
            self._sender.give_up([reply.direct, *reply.pushed])


def _without_words(error: BaseException) -> BaseException:
    """Give an exception with the stack of `error` but without its message, which could quote a person."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)
