"""The log of messages to the insurer: what is written down before a message leaves, and after its answer."""

import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal, TypeVar

from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database, key_ring
from backend.insurance.messages import Address, Json, canonical, message_id
from backend.insurance.tables import InsurerMessage

State = Literal["sent", "unreachable", "unclear", "answered", "refused", "reversed"]

Ask = Callable[["Logged"], Json]
T = TypeVar("T")

LONGEST_MESSAGE = 64
REGISTRATION = "2201"
_TRIES = 5


class AnotherContent(ValueError):
    """A message id was used before for something else."""


@dataclass(frozen=True)
class Logged:
    """A message as it was before the present call.

    Args:
        state: None where this is the first time. answer: what the insurer answered to it, if it has.
    """

    id: int
    msgid: str
    transaction: str
    address: Address
    asked: Json = field(repr=False)
    state: State | None
    answer: Json | None = field(repr=False)


class MessageLog:
    """Rows of `insurer_messages`; each method is a transaction of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # Each process counts from somewhere else, so that they seldom meet.
        self._numbers = count(secrets.randbelow(10_000))

    async def begin(self, message: str, transaction: str, asked: Json, address: Address, subject: str) -> Logged:
        """Write down that a message is about to be sent, unless it is answered or reversed already; give how it stood.

        Raises:
            AnotherContent: under this id something else was asked.
            RuntimeError: inside a transaction, which would end after the message has left, or never.
        """

        async def write(session: AsyncSession) -> Logged:
            return await self._write(session, message, transaction, asked, address, subject)

        return await self._alone(write)

    async def begin_about(self, visit: str, message: str, transaction: str, ask: Ask) -> Logged | None:
        """The same about a registered visit: `ask` makes what is asked of the registration. None where there is none.

        Raises: as `begin`.
        """

        async def write(session: AsyncSession) -> Logged | None:
            registration = _last(await session.scalar(_answered(visit, REGISTRATION)))
            if registration is None:
                return None
            return await self._write(session, message, transaction, ask(registration), registration.address, visit)

        return await self._alone(write)

    async def _alone(self, write: Callable[[AsyncSession], Awaitable[T]]) -> T:
        if self._database.in_transaction:
            raise RuntimeError("the insurer is called outside of a transaction")
        for _ in range(_TRIES):
            try:
                async with self._database.transaction() as session:
                    return await write(session)
            except IntegrityError:  # another process has just taken this running number, or begun this message
                continue
        raise RuntimeError("no message id is free")

    async def _write(
        self, session: AsyncSession, message: str, transaction: str, asked: Json, address: Address, subject: str
    ) -> Logged:
        if not 0 < len(message) <= LONGEST_MESSAGE:
            raise ValueError("a message id of 1 to 64 characters")
        digest = key_ring().blind_index(canonical(asked).decode(), "insurer_messages.digest")
        now = self._clock.now()
        named = (InsurerMessage.message == message, InsurerMessage.transaction == transaction)
        row = await session.scalar(select(InsurerMessage).where(*named).with_for_update())
        if row is None:
            row = InsurerMessage(
                message=message,
                transaction=transaction,
                msgid=message_id(address.institution, now, next(self._numbers)),
                subject=subject,
                institution=address.institution,
                region=address.region,
                insured=address.insured,
                state="sent",
                digest=digest,
                asked=asked,
                sends=1,
                sent_at=now,
            )
            session.add(row)
            await session.flush()
            return _logged(row, None)
        if row.digest != digest:
            raise AnotherContent("another content under a message id")
        before = _logged(row, row.state)
        if row.state not in ("answered", "reversed"):
            row.state = "unclear" if row.state in ("sent", "unclear") else "sent"
            row.sends, row.sent_at = row.sends + 1, now
        return before

    async def end(
        self, row_id: int, state: State, *, code: str = "", answer: Json | None = None, subject: str | None = None
    ) -> None:
        """Write down what became of a message; `subject` where only the answer told of whom it is. A message that was
        reversed meanwhile stays so."""
        values: dict[str, Any] = {"state": state, "code": code, "answer": answer, "answered_at": self._clock.now()}
        if subject is not None:
            values["subject"] = subject
        ours = (InsurerMessage.id == row_id, InsurerMessage.state != "reversed")
        async with self._database.transaction() as session:
            await session.execute(update(InsurerMessage).where(*ours).values(values))

    async def last_answered(self, subject: str, transaction: str) -> Logged | None:
        """Give the last message about a subject that was answered, None where none was."""
        async with self._database.reading() as session:
            return _last(await session.scalar(_answered(subject, transaction)))

    async def reverse(self, message: str, transactions: Collection[str]) -> Logged | None:
        """See that what was asked under a message id is not sent again; give how the last of it stood, None where
        nothing of these transactions was ever sent."""
        query = (
            select(InsurerMessage)
            .where(InsurerMessage.message == message, InsurerMessage.transaction.in_(transactions))
            .order_by(InsurerMessage.id.desc())
            .limit(1)
            .with_for_update()
        )
        async with self._database.transaction() as session:
            row = await session.scalar(query)
            if row is None:
                return None
            before = _logged(row, row.state)
            row.state = "reversed"
        return before

    async def messages_of(self, msgids: Sequence[str]) -> dict[str, str]:
        """Give the callers' ids of messages by those that the insurer knows; one that is not ours is left out."""
        query = select(InsurerMessage.msgid, InsurerMessage.message).where(InsurerMessage.msgid.in_(msgids))
        async with self._database.reading() as session:
            return {row.msgid: row.message for row in await session.execute(query)}


def _answered(subject: str, transaction: str) -> Select[InsurerMessage]:
    return (
        select(InsurerMessage)
        .where(InsurerMessage.subject == subject, InsurerMessage.transaction == transaction)
        .where(InsurerMessage.state == "answered")
        .order_by(InsurerMessage.id.desc())
        .limit(1)
    )


def _last(row: InsurerMessage | None) -> Logged | None:
    return None if row is None else _logged(row, row.state)


def _logged(row: InsurerMessage, state: Any) -> Logged:
    address = Address(row.institution, row.region, row.insured)
    return Logged(row.id, row.msgid, row.transaction, address, row.asked, state, row.answer)
