"""Use cases of messages in: who writes, what was heard before, where the conversation stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from sqlalchemy import Table, bindparam, delete, func, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database, Owned, key_ring
from backend.errors import Conflict
from backend.ids import new_id
from backend.messaging.rules import ContactView, Deferral, DeferredItem, Reach, Touch
from backend.messaging.tables import Contact, Conversation, DeferredMessage, InboundMessage, OutboxMessage
from backend.security.errors import PersonKeyDestroyed

_contacts = cast("Table", Contact.__table__)
_conversations = cast("Table", Conversation.__table__)
_inbound = cast("Table", InboundMessage.__table__)
_deferred = cast("Table", DeferredMessage.__table__)
_outbox = cast("Table", OutboxMessage.__table__)

_ADDRESS_PURPOSE = "contacts.address"

# All that a turn needs to know, in one statement: a turn is made of few round trips to the database.
_OPEN = (
    select(
        _contacts.c.id,
        _contacts.c.person_id,
        _contacts.c.reachable,
        _contacts.c.last_message_at,
        _contacts.c.sent_after_message,
        _contacts.c.last_touch_at,
        _contacts.c.sent_after_touch,
        _conversations.c.state,
        _conversations.c.version,
        select(_inbound.c.answer).where(_inbound.c.key == bindparam("key")).scalar_subquery().label("answer"),
        select(func.min(_deferred.c.id)).where(_deferred.c.lane == bindparam("lane")).scalar_subquery().label("behind"),
        select(func.count(_outbox.c.due_at))
        .where(_outbox.c.person_id == _contacts.c.person_id)
        .scalar_subquery()
        .label("pending"),
        select(func.count())
        .where(_outbox.c.person_id == _contacts.c.person_id, _outbox.c.due_at.is_(None))
        .scalar_subquery()
        .label("held"),
    )
    .join(_conversations, _conversations.c.person_id == _contacts.c.person_id)
    .where(_contacts.c.channel == bindparam("channel"), _contacts.c.address_index == bindparam("lane"))
    .with_for_update(of=[_conversations])
)
_TOUCH = (
    update(_contacts)
    .where(_contacts.c.id == bindparam("contact_id"))
    .values(
        reachable=bindparam("to_reachable"),
        last_message_at=bindparam("to_last_message_at", type_=_contacts.c.last_message_at.type),
        sent_after_message=bindparam("to_sent_after_message"),
        last_touch_at=bindparam("to_last_touch_at", type_=_contacts.c.last_touch_at.type),
        sent_after_touch=bindparam("to_sent_after_touch"),
    )
)
_SAVE = (
    update(_conversations)
    .where(_conversations.c.person_id == bindparam("of_person"), _conversations.c.version == bindparam("seen"))
    .values(
        state=bindparam("to_state", type_=_conversations.c.state.type),
        version=_conversations.c.version + literal_column("1"),
        updated_at=bindparam("to_updated_at", type_=_conversations.c.updated_at.type),
    )
)
_TAKE_OVER = insert(_inbound)


class Registry(Protocol):
    """What messaging needs of `backend.people`: a new person for an address that was never seen."""

    async def register(self, display_name: str = "") -> str:
        """Make a person and give the identifier."""


@dataclass(frozen=True)
class Opened:
    """A turn that may begin: who speaks, where the conversation stands, and what waits to be said to them.

    Args:
        pending: messages of the outbox that are on their way to this person.
        held: messages that wait for the person to come back.
    """

    contact: ContactView
    state: dict[str, Any] | None
    version: int
    pending: int = 0
    held: int = 0


@dataclass(frozen=True)
class Answered:
    """The message was taken over before; `answer` is what every delivery of it gets ({} for none)."""

    answer: dict[str, Any]


@dataclass(frozen=True)
class Behind:
    """Earlier messages of the same person still wait for their turns, so this one has to wait as well."""


class MessagingService:
    """Takes messages over, once each, and keeps contacts and conversations.

    Statements of a turn are Core statements, and few: every message of every person passes here.
    """

    def __init__(self, database: Database, clock: Clock, people: Registry) -> None:
        self._database = database
        self._clock = clock
        self._people = people

    def lane(self, channel: str, address: str) -> str:
        """Give the blind index of an address: the name under which a person's messages are kept in order."""
        return lane_of(channel, address)

    async def open(
        self, session: AsyncSession, channel: str, address: str, key: str, touch: Touch, *, deferred_id: int = 0
    ) -> Opened | Answered | Behind:
        """Begin the turn of message `key` in the caller's transaction, making contact and person where they are new.

        Locks the conversation, so that the turns of a person run one after another in all processes.

        Args:
            deferred_id: the row from which this message is served; 0 for one that has just come in.
        """
        lane = self.lane(channel, address)
        row = (await session.execute(_OPEN, {"key": key, "lane": lane, "channel": channel})).one_or_none()
        now = self._clock.now()
        if row is None:
            seen = await self._answer(session, key)
            if seen is not None and not deferred_id:
                return Answered(seen)
            if not deferred_id and await self._waiting(session, lane):
                return Behind()
            return await self._welcome(session, channel, address, lane, touch, now)
        if row.answer is not None and not deferred_id:
            return Answered(row.answer)
        if row.behind is not None and row.behind != deferred_id:
            return Behind()
        before = Reach(
            row.reachable, row.last_message_at, row.sent_after_message, row.last_touch_at, row.sent_after_touch
        )
        reach = before.after(touch, now)
        if reach is not before:
            await session.execute(_TOUCH, _reach_values(row.id, reach))
        contact = ContactView(row.id, channel, address, row.person_id, reach)
        return Opened(contact, row.state, row.version, row.pending, row.held)

    async def _welcome(
        self, session: AsyncSession, channel: str, address: str, lane: str, touch: Touch, now: datetime
    ) -> Opened:
        person_id = await self._people.register()
        reach = Reach().after(touch, now)
        contact = ContactView(new_id(), channel, address, person_id, reach)
        await session.execute(
            insert(_contacts).values(
                id=contact.id,
                channel=channel,
                address=Owned(person_id, address),
                address_index=lane,
                person_id=person_id,
                reachable=reach.reachable,
                last_message_at=reach.last_message_at,
                sent_after_message=0,
                last_touch_at=reach.last_touch_at,
                sent_after_touch=0,
                created_at=now,
            )
        )
        await session.execute(insert(_conversations).values(person_id=person_id, state=None, version=0, updated_at=now))
        return Opened(contact, None, 0)

    async def finish(
        self,
        session: AsyncSession,
        opened: Opened,
        key: str,
        state: dict[str, Any],
        answer: dict[str, Any],
        *,
        deferred_id: int = 0,
    ) -> None:
        """End a turn in its transaction: save the conversation, and the answer that a further delivery gets.

        Raises:
            Conflict: the conversation was changed by another turn meanwhile.
        """
        now = self._clock.now()
        values = {
            "of_person": opened.contact.person_id,
            "seen": opened.version,
            "to_state": Owned(opened.contact.person_id, state),
            "to_updated_at": now,
        }
        saved = await session.execute(_SAVE, values)
        if saved.rowcount != 1:  # type: ignore[attr-defined]
            raise Conflict
        if deferred_id:
            await session.execute(delete(_deferred).where(_deferred.c.id == deferred_id))
        else:
            owned = Owned(opened.contact.person_id, answer)
            await session.execute(_TAKE_OVER, {"key": key, "answer": owned, "received_at": now})

    async def answer(self, key: str) -> dict[str, Any] | None:
        """Give the stored answer of message `key`, {} where it is none, None where the message was never taken over."""
        async with self._database.reading() as session:
            return await self._answer(session, key)

    async def _answer(self, session: AsyncSession, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] | None = await session.scalar(select(_inbound.c.answer).where(_inbound.c.key == key))
        except PersonKeyDestroyed:  # delivered again to somebody who is gone
            return {}
        return found

    async def _waiting(self, session: AsyncSession, lane: str) -> bool:
        return await session.scalar(select(func.min(_deferred.c.id)).where(_deferred.c.lane == lane)) is not None

    async def defer(self, deferrals: Sequence[Deferral]) -> None:
        """Take messages over without answering them, in one transaction; those taken over before stay as they are."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            keys = [deferral.key for deferral in deferrals]
            known = set(await session.scalars(select(_inbound.c.key).where(_inbound.c.key.in_(keys))))
            fresh = {deferral.key: deferral for deferral in deferrals if deferral.key not in known}
            if not fresh:
                return
            unanswered = {"answer": Owned(None, {}), "received_at": now}  # nobody knows yet whose they are
            await session.execute(_TAKE_OVER, [{"key": key, **unanswered} for key in fresh])
            await session.execute(
                insert(_deferred),
                [
                    {"key": one.key, "lane": one.lane, "content": one.content, "attempts": 0, "trace": one.trace}
                    for one in fresh.values()
                ],
            )

    async def deferred(self, limit: int = 100, excluding: Sequence[str] = ()) -> list[DeferredItem]:
        """Give the oldest deferred message of each lane, oldest first; lanes of `excluding` are left out."""
        firsts = select(func.min(_deferred.c.id)).group_by(_deferred.c.lane)
        query = select(_deferred).where(_deferred.c.id.in_(firsts)).order_by(_deferred.c.id).limit(limit)
        if excluding:
            query = query.where(_deferred.c.lane.not_in(excluding))
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
        return [DeferredItem(row.id, row.key, row.lane, row.content, row.attempts, row.trace) for row in rows]

    async def claim_deferred(self, session: AsyncSession, deferred_id: int) -> bool:
        """Lock a deferred message in the caller's transaction; False where another process has it or had it."""
        query = select(_deferred.c.id).where(_deferred.c.id == deferred_id).with_for_update(skip_locked=True)
        return await session.scalar(query) is not None

    async def note_attempt(self, deferred_id: int) -> None:
        """Count a turn of a deferred message that did not come to its end."""
        async with self._database.transaction() as session:
            await session.execute(
                update(_deferred).where(_deferred.c.id == deferred_id).values(attempts=_deferred.c.attempts + 1)
            )

    async def forget(self, before: datetime) -> int:
        """Remove answers that no delivery will ask for again (those older than `before`); give how many went."""
        waiting = select(_deferred.c.key)
        query = delete(_inbound).where(_inbound.c.received_at < before, _inbound.c.key.not_in(waiting))
        async with self._database.transaction() as session:
            return (await session.execute(query)).rowcount  # type: ignore[attr-defined, no-any-return]

    async def contacts(self, person_id: str, channel: str) -> list[ContactView]:
        """Give the addresses of a person on a channel, the one used last first."""
        query = select(Contact).where(Contact.person_id == person_id, Contact.channel == channel)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return sorted(map(contact_view, rows), key=_last_seen, reverse=True)

    async def contact(self, channel: str, address: str) -> ContactView | None:
        """Give the contact with this address; None where it has never written."""
        query = select(Contact).where(Contact.channel == channel, Contact.address_index == self.lane(channel, address))
        async with self._database.reading() as session:
            row = await session.scalar(query)
        return None if row is None else contact_view(row)

    async def mark_unreachable(self, contact_id: str) -> None:
        """Note that nothing arrives at a contact until the person comes back."""
        async with self._database.transaction() as session:
            await session.execute(update(_contacts).where(_contacts.c.id == contact_id).values(reachable=False))


def lane_of(channel: str, address: str) -> str:
    """Give the blind index of an address on a channel."""
    return key_ring().blind_index(f"{channel}\0{address}", _ADDRESS_PURPOSE)


def contact_view(row: Contact) -> ContactView:
    """Show a contact."""
    reach = Reach(row.reachable, row.last_message_at, row.sent_after_message, row.last_touch_at, row.sent_after_touch)
    return ContactView(row.id, row.channel, row.address, row.person_id, reach)


def _reach_values(contact_id: str, reach: Reach) -> dict[str, Any]:
    return {
        "contact_id": contact_id,
        "to_reachable": reach.reachable,
        "to_last_message_at": reach.last_message_at,
        "to_sent_after_message": reach.sent_after_message,
        "to_last_touch_at": reach.last_touch_at,
        "to_sent_after_touch": reach.sent_after_touch,
    }


def _last_seen(contact: ContactView) -> float:
    moments = (contact.reach.last_message_at, contact.reach.last_touch_at)
    return max((moment.timestamp() for moment in moments if moment is not None), default=0.0)
