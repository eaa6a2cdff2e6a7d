"""Tables of pay. What a closed month says never changes: what was wrong is corrected in a later one."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.append_only import append_only
from backend.db import Base, EncryptedJSON, Id, Sequence, UTCDateTime, coded
from backend.remuneration.rules import EntryKind, Payee


class PaidCase(Base):
    """A settled charge of a consultation, and the months that it belongs to ("2026-11").

    The fee is the hospital's, where the expert works; the institution is the township's, whose patient it was.
    `counted` once its month is closed; `corrected` once what a later reversal takes back is.
    """

    __tablename__ = "remuneration_cases"
    __table_args__ = (
        Index("ix_remuneration_cases_month", "counted", "month"),
        Index("ix_remuneration_cases_expert", "expert_id", "month"),
        Index("ix_remuneration_cases_reversed", "corrected", "reversed_month"),
        Base.__table_args__,
    )

    charge_id: Mapped[str] = mapped_column(Id, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(Id)
    expert_id: Mapped[str] = mapped_column(Id)
    hospital_id: Mapped[str] = mapped_column(Id)
    institution_id: Mapped[str] = mapped_column(Id)
    fee: Mapped[int] = mapped_column(BigInteger)
    settled_at: Mapped[datetime] = mapped_column(UTCDateTime)
    month: Mapped[str] = mapped_column(String(7))
    counted: Mapped[bool] = mapped_column(default=False)
    reversed_month: Mapped[str | None] = mapped_column(String(7))
    corrected: Mapped[bool] = mapped_column(default=False)


class EntryRow(Base):
    """One amount of a closed month in fen, to an expert or an institution, with its explanation."""

    __tablename__ = "remuneration_entries"
    __table_args__ = (
        UniqueConstraint("charge_id", "payee_id", "kind"),
        Index("ix_remuneration_entries_statement", "month", "payee_id", "id"),
        {**Base.__table_args__, **append_only(but=("lines",))},  # its key rotates
    )

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    month: Mapped[str] = mapped_column(String(7))
    charge_id: Mapped[str] = mapped_column(Id)
    consultation_id: Mapped[str] = mapped_column(Id)
    payee: Mapped[Payee] = mapped_column(coded(Payee))
    payee_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[EntryKind] = mapped_column(coded(EntryKind))
    amount: Mapped[int] = mapped_column(BigInteger)
    formula: Mapped[str] = mapped_column(String(64))
    lines: Mapped[list[str]] = mapped_column(EncryptedJSON("remuneration_entries.lines"))


class StatementRow(Base):
    """What an expert or an institution gets for a closed month, in fen; `carried_out` is never above zero."""

    __tablename__ = "remuneration_statements"
    __table_args__ = (
        Index("ix_remuneration_statements_payee", "payee_id", "month"),
        {**Base.__table_args__, **append_only()},
    )

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    payee_id: Mapped[str] = mapped_column(Id, primary_key=True)
    payee: Mapped[Payee] = mapped_column(coded(Payee))
    earned: Mapped[int] = mapped_column(BigInteger)
    carried_in: Mapped[int] = mapped_column(BigInteger)
    payable: Mapped[int] = mapped_column(BigInteger)
    carried_out: Mapped[int] = mapped_column(BigInteger)


class ClosedMonth(Base):
    """A month that is closed: what comes after belongs to a later one."""

    __tablename__ = "remuneration_months"
    __table_args__ = {**Base.__table_args__, **append_only()}

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(UTCDateTime)
