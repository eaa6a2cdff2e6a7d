"""Tables of the ledger. Both only ever grow: a mistake is corrected by a posting that says so."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.append_only import append_only
from backend.db import Base, Sequence, UTCDateTime


class PostingRow(Base):
    """Something that happened to money, once: `key` is of the step that caused it."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        Index("ix_ledger_postings_subject", "subject", "id"),
        Index("ix_ledger_postings_kind", "kind", "at"),
        {**Base.__table_args__, **append_only()},
    )

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(96), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(96))
    corrects: Mapped[int | None] = mapped_column(ForeignKey("ledger_postings.id"), unique=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class LineRow(Base):
    """One side of a posting, in fen: a debit is positive, a credit negative."""

    __tablename__ = "ledger_lines"
    __table_args__ = (
        Index("ix_ledger_lines_account", "account", "posting_id", "amount"),
        {**Base.__table_args__, **append_only()},
    )

    posting_id: Mapped[int] = mapped_column(ForeignKey("ledger_postings.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account: Mapped[str] = mapped_column(String(48))
    amount: Mapped[int] = mapped_column(BigInteger)
