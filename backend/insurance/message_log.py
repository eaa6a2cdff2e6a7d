"""The log of messages to the insurer: what is written down before a message leaves, and after its answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import select, update

from backend.clock import Clock
from backend.db import Database, key_ring
from backend.insurance.messages import Address, Json, canonical, message_id
from backend.insurance.tables import InsurerMessage

State = Literal["sent", "unreachable", "unclear", "answered", "refused", "reversed"]

LONGEST_MESSAGE = 64


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

    async def begin(self, message: str, transaction: str, asked: Json, address: Address, subject: str) -> Logged:
        """Write down that a message is about to be sent, unless it is answered or reversed already; give how it stood.

        Raises:
            AnotherContent: under this id something else was asked.
            RuntimeError: inside a transaction, which would end after the message has left, or never.
        """
        if self._database.in_transaction:
            raise RuntimeError("the insurer is called outside of a transaction")
        if not 0 < len(message) <= LONGEST_MESSAGE:
            raise ValueError("a message id of 1 to 64 characters")
        digest = key_ring().blind_index(canonical(asked).decode(), "insurer_messages.digest")
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await session.scalar(_named(message, transaction).with_for_update())
            if row is None:
                row = InsurerMessage(
                    message=message,
                    transaction=transaction,
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
                row.msgid = message_id(address.institution, now, row.id)
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
        query = (
            select(InsurerMessage)
            .where(InsurerMessage.subject == subject, InsurerMessage.transaction == transaction)
            .where(InsurerMessage.state == "answered")
            .order_by(InsurerMessage.id.desc())
            .limit(1)
        )
        async with self._database.reading() as session:
            row = await session.scalar(query)
        return None if row is None else _logged(row, row.state)

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
            return {msgid: message for msgid, message in await session.execute(query) if msgid}


def _named(message: str, transaction: str) -> Any:
    return select(InsurerMessage).where(InsurerMessage.message == message, InsurerMessage.transaction == transaction)


def _logged(row: InsurerMessage, state: Any) -> Logged:
    address = Address(row.institution, row.region, row.insured)
    return Logged(row.id, row.msgid or "", row.transaction, address, row.asked, state, row.answer)
