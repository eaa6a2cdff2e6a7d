"""Use cases of messages out: put, lease, acknowledge, put off, hold, bury.

The outbox holds what has not arrived. Whoever sends a row first moves its `due_at` forward (the lease); a process that
dies leaves the row to whoever looks after that moment.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Column, Table, Update, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend import tracing
from backend.clock import Clock
from backend.db import Database, Owned
from backend.messaging.rules import Allowance, Draft, OrderedIds, OutboxItem, Touch
from backend.messaging.tables import Contact, DeadLetter, OutboxKey, OutboxMessage

_outbox = cast("Table", OutboxMessage.__table__)
_contacts = cast("Table", Contact.__table__)
_keys = cast("Table", OutboxKey.__table__)
# What every message needs is made once: making a statement costs more than what the database does with it.
_PUT = insert(_outbox)
_GONE = delete(_outbox).where(_outbox.c.id.in_(bindparam("ids", expanding=True)))
_earlier = _outbox.alias("earlier")
_DUE = (
    select(_outbox.c.id, _outbox.c.person_id)
    .where(
        _outbox.c.due_at <= bindparam("now"),
        ~exists().where(
            _earlier.c.person_id == _outbox.c.person_id,
            _earlier.c.id < _outbox.c.id,
            _earlier.c.due_at > bindparam("now"),
        ),
    )
    .order_by(_outbox.c.due_at, _outbox.c.id)
    .limit(bindparam("most"))
)


def _count(sent: Column[int], since: Column[datetime]) -> Update:
    granted = bindparam("since", type_=since.type)
    number = bindparam("number", type_=sent.type)
    return (
        update(_contacts)
        .where(_contacts.c.id == bindparam("contact_id"), since == granted)
        .values({sent: sent + number})
    )


_COUNT_AFTER_MESSAGE = _count(_contacts.c.sent_after_message, _contacts.c.last_message_at)
_COUNT_AFTER_TOUCH = _count(_contacts.c.sent_after_touch, _contacts.c.last_touch_at)

_LONGEST_REASON = 48


class OutboxService:
    """Keeps messages from the transaction that caused them until they have arrived."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = OrderedIds()

    async def put(
        self, session: AsyncSession, person_id: str, drafts: Iterable[Draft], *, lease: timedelta = timedelta()
    ) -> list[OutboxItem]:
        """Put messages for a person in the caller's transaction, in order.

        Args:
            lease: for how long the caller's process alone may send them; none leaves them to the first that looks.
        """
        due_at = self._clock.now() + lease
        trace = tracing.carrier()
        items = [
            OutboxItem(self._ids.next(), person_id, draft.content, due_at, draft.answers, draft.expires_at, trace=trace)
            for draft in drafts
        ]
        if items:
            await session.execute(_PUT, [_values(item) for item in items])
        return items

    async def is_new(self, session: AsyncSession, key: str) -> bool:
        """Take an idempotency key in the caller's transaction; False where something was put under it before."""
        if await session.scalar(select(_keys.c.key).where(_keys.c.key == key)) is not None:
            return False
        try:
            async with session.begin_nested():
                await session.execute(insert(_keys).values(key=key, created_at=self._clock.now()))
        except IntegrityError:
            return False
        return True

    async def claim(
        self, lease: timedelta, limit: int = 100, excluding: Callable[[str], bool] = lambda _: False
    ) -> list[OutboxItem]:
        """Lease what is due, each person's rows from their first one on and in order.

        A row that another process is sending, or that waits for a later time, keeps the rows behind it back.

        Args:
            excluding: tells by its id whether a row is in this process's hands already.
        """
        now = self._clock.now()
        async with self._database.reading() as session:
            due = (await session.execute(_DUE, {"now": now, "most": limit})).all()
        persons = list(dict.fromkeys(row.person_id for row in due if not excluding(row.id)))
        if not persons:
            return []
        async with self._database.transaction() as session:
            whole = (
                select(_outbox)
                .where(_outbox.c.person_id.in_(persons), _outbox.c.due_at.is_not(None))
                .order_by(_outbox.c.id)
                .limit(10 * limit)
                .with_for_update()
            )
            rows = (await session.execute(whole)).all()
            taken = [_item(row, now + lease) for row in _prefixes(rows, now, excluding)]
            if taken:
                ids = [item.id for item in taken]
                await session.execute(update(_outbox).where(_outbox.c.id.in_(ids)).values(due_at=now + lease))
        return taken

    async def renew(self, item: OutboxItem, lease: timedelta) -> datetime | None:
        """Lengthen the lease of `item`; None where it was lost, so that another process may be sending the row."""
        due_at = self._clock.now() + lease
        query = update(_outbox).where(_outbox.c.id == item.id, _outbox.c.due_at == item.due_at).values(due_at=due_at)
        async with self._database.transaction() as session:
            renewed = (await session.execute(query)).rowcount == 1  # type: ignore[attr-defined]
        return due_at if renewed else None

    async def acknowledge(self, arrived: Sequence[str], counted: Mapping[tuple[str, Allowance], int]) -> None:
        """Remove messages that have arrived, many in one transaction.

        Args:
            arrived: identifiers of the rows.
            counted: how many pushes were made out of which allowance of which contact.
        """
        async with self._database.transaction() as session:
            if arrived:
                await session.execute(_GONE, {"ids": arrived})
            for (contact_id, allowance), number in counted.items():
                query = _COUNT_AFTER_MESSAGE if allowance.touch is Touch.MESSAGE else _COUNT_AFTER_TOUCH
                values = {"contact_id": contact_id, "since": allowance.since, "number": number}
                await session.execute(query, values)

    async def acknowledge_answer(self, key: str) -> None:
        """Remove the direct answer to message `key`: WeChat has just taken it."""
        async with self._database.transaction() as session:
            await session.execute(delete(_outbox).where(_outbox.c.answers == key))

    async def put_off(self, item_id: str, due_at: datetime, attempts: int) -> None:
        """Try a message again at `due_at`; the rows of the same person wait behind it."""
        await self._change(item_id, due_at=due_at, attempts=attempts)

    async def release(self, ids: Sequence[str]) -> None:
        """Give leases back: whoever looks next may send these messages."""
        if ids:
            async with self._database.transaction() as session:
                query = update(_outbox).where(_outbox.c.id.in_(ids), _outbox.c.due_at.is_not(None))
                await session.execute(query.values(due_at=self._clock.now()))

    async def hold(self, item: OutboxItem, content: dict[str, Any] | None = None) -> None:
        """Keep a message until the person comes back, with other `content` where that is given."""
        await self._change(item.id, due_at=None, attempts=0, content=Owned(item.person_id, content or item.content))

    async def _change(self, item_id: str, **values: Any) -> None:
        async with self._database.transaction() as session:
            await session.execute(update(_outbox).where(_outbox.c.id == item_id).values(**values))

    async def replace(self, item: OutboxItem, drafts: Sequence[Draft]) -> None:
        """Put `drafts` in the place of a message, keeping its place in the order."""
        async with self._database.transaction() as session:
            await session.execute(delete(_outbox).where(_outbox.c.id == item.id))
            now = self._clock.now()
            # Sixteen digits are the time; the rest only has to be new and in order.
            ids = [f"{item.id[:28]}{position:04x}" for position in range(len(drafts))]
            values = [
                _values(OutboxItem(id_, item.person_id, draft.content, now, "", item.expires_at, trace=item.trace))
                for id_, draft in zip(ids, drafts, strict=True)
            ]
            await session.execute(_PUT, values)

    async def bury(self, item: OutboxItem, reason: str) -> None:
        """Take a message out of the way, with the code of the reason, for a person to look at."""
        async with self._database.transaction() as session:
            await session.execute(delete(_outbox).where(_outbox.c.id == item.id))
            session.add(
                DeadLetter(
                    id=item.id,
                    person_id=item.person_id,
                    content=item.content,
                    reason=reason[:_LONGEST_REASON],
                    buried_at=self._clock.now(),
                )
            )

    async def held(self, session: AsyncSession, person_id: str) -> list[OutboxItem]:
        """Give the messages that wait for a person to come back, oldest first."""
        query = select(_outbox).where(_outbox.c.person_id == person_id, _outbox.c.due_at.is_(None))
        rows = (await session.execute(query.order_by(_outbox.c.id))).all()
        return [_item(row, self._clock.now()) for row in rows]

    async def drop(self, session: AsyncSession, ids: Sequence[str]) -> None:
        """Remove messages in the caller's transaction, because others were put in their place."""
        await session.execute(_GONE, {"ids": ids})

    async def forget_keys(self, before: datetime) -> int:
        """Remove idempotency keys older than `before`; give how many went."""
        async with self._database.transaction() as session:
            gone = await session.execute(delete(_keys).where(_keys.c.created_at < before))
            return gone.rowcount  # type: ignore[attr-defined, no-any-return]

    async def waiting(self) -> int:
        """Give how many messages have not arrived, the held ones among them."""
        async with self._database.reading() as session:
            return await session.scalar(select(func.count()).select_from(_outbox)) or 0


def _prefixes(rows: Sequence[Any], now: datetime, excluding: Callable[[str], bool]) -> list[Any]:
    """Give, of each person's ordered rows, those before the first that may not be taken now."""
    blocked: set[str] = set()
    taken = []
    for row in rows:
        if row.person_id in blocked:
            continue
        if row.due_at > now or excluding(row.id):
            blocked.add(row.person_id)
        else:
            taken.append(row)
    return taken


def _values(item: OutboxItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "person_id": item.person_id,
        "content": Owned(item.person_id, item.content),
        "answers": item.answers,
        "due_at": item.due_at,
        "expires_at": item.expires_at,
        "attempts": item.attempts,
        "trace": item.trace,
    }


def _item(row: Any, due_at: datetime) -> OutboxItem:
    return OutboxItem(row.id, row.person_id, row.content, due_at, row.answers, row.expires_at, row.attempts, row.trace)
