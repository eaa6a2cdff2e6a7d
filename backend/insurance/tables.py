"""The table of the talk with the insurer."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedJSON, Sequence, UTCDateTime


class InsurerMessage(Base):
    """A message to the insurer, written down before it is sent; it is never removed.

    Attributes:
        message: the caller's id; `transaction`: the number of the platform's, of which one call may need several.
        msgid: the id under which the insurer knows it. subject: our number of the visit, or the blind index of a
            person's number. institution, region, insured: where it is from and of whom (`messages.Address`).
        state: `sent` (nobody knows yet), `unreachable`, `unclear`, `answered`, `refused` or `reversed`.
        code: the insurer's, or what was wrong with its answer.
        digest: keyed, of what was asked: another content under the same id is a mistake.
    """

    __tablename__ = "insurer_messages"
    __table_args__ = (
        UniqueConstraint("message", "transaction"),
        Index("ix_insurer_messages_subject", "subject", "transaction", "id"),
        Base.__table_args__,
    )

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    message: Mapped[str] = mapped_column(String(64))
    transaction: Mapped[str] = mapped_column(String(8))
    msgid: Mapped[str] = mapped_column(String(30), unique=True)
    subject: Mapped[str] = mapped_column(String(64), default="")
    institution: Mapped[str] = mapped_column(String(12))
    region: Mapped[str] = mapped_column(String(6))
    insured: Mapped[str] = mapped_column(String(6))
    state: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(24), default="")
    digest: Mapped[str] = mapped_column(String(64))
    asked: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("insurer_messages.asked"))
    answer: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("insurer_messages.answer"))
    sends: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
