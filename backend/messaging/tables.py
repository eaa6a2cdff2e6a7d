"""Tables of messages in and out."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedJSON, Id, PersonalJSON, PersonalText, Sequence, UTCDateTime
from backend.tracing import CARRIED_LENGTH


class Contact(Base):
    """An address of a person on a channel, and what is known about reaching them there.

    `union_index` is the blind index of what ties the addresses of one person together (`identities.py`), empty where
    there is nothing, NULL while nobody has asked. `sent_after_message` counts what was pushed since `last_message_at`;
    `sent_after_touch` the same since `last_touch_at` (a click, a tap, a scan, a follow). Channels grant a number of
    pushes for each.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("channel", "address_index"),
        Index("ix_contacts_person_id", "person_id"),
        Index("ix_contacts_union_index", "union_index"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(PersonalText("contacts.address"))
    address_index: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[str] = mapped_column(Id)
    union_index: Mapped[str | None] = mapped_column(String(64))
    reachable: Mapped[bool] = mapped_column(default=True)
    last_message_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sent_after_message: Mapped[int] = mapped_column(default=0)
    last_touch_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sent_after_touch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Conversation(Base):
    """Where the conversation with a person stands; its row is also the lock under which their turns run."""

    __tablename__ = "conversations"

    person_id: Mapped[str] = mapped_column(Id, primary_key=True)
    state: Mapped[dict[str, Any] | None] = mapped_column(PersonalJSON("conversations.state"))
    version: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class InboundMessage(Base):
    """A message that was taken over, with the answer that every further delivery of it gets ({} is none)."""

    __tablename__ = "inbound_messages"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_inbound_messages_received_at", "received_at"),
        Base.__table_args__,
    )

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]] = mapped_column(PersonalJSON("inbound_messages.answer"))
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)


class DeferredMessage(Base):
    """A message that was taken over but not answered yet; the row goes in the transaction of its turn.

    `lane` is the blind index of the address: a person's messages are served in the order of `id`.
    """

    __tablename__ = "deferred_messages"
    __table_args__ = (Index("ix_deferred_messages_lane", "lane", "id"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(ForeignKey("inbound_messages.key"))
    lane: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("deferred_messages.content"))
    attempts: Mapped[int] = mapped_column(default=0)
    trace: Mapped[str] = mapped_column(String(CARRIED_LENGTH), default="")


class OutboxMessage(Base):
    """A message that has not arrived yet; the row goes when it has.

    `id` sorts by the time the row was put. `due_at` is the moment from which any process may take the row: whoever
    sends it moves it forward first, so it is a lease too. None: held until the person comes back.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (
        Index("ix_outbox_messages_due_at", "due_at"),
        Index("ix_outbox_messages_person_id", "person_id", "id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(Id)
    content: Mapped[dict[str, Any]] = mapped_column(PersonalJSON("outbox_messages.content"))
    # The delivery key of the message whose direct answer this is, empty where it is pushed.
    answers: Mapped[str] = mapped_column(String(64), default="")
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    trace: Mapped[str] = mapped_column(String(CARRIED_LENGTH), default="")


class OutboxKey(Base):
    """An idempotency key under which something was put; a second message under it is not put."""

    __tablename__ = "outbox_keys"
    __table_args__ = (Index("ix_outbox_keys_created_at", "created_at"), Base.__table_args__)

    key: Mapped[str] = mapped_column(String(96), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class DeadLetter(Base):
    """A message that could not be delivered, with the code of the reason; kept for a person to look at."""

    __tablename__ = "dead_letters"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(Id)
    content: Mapped[dict[str, Any]] = mapped_column(PersonalJSON("dead_letters.content"))
    reason: Mapped[str] = mapped_column(String(48))
    buried_at: Mapped[datetime] = mapped_column(UTCDateTime)

    def owner_id(self, _column: str) -> str:
        """Give whose own this is."""
        return self.person_id
