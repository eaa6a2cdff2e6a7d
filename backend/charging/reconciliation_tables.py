"""Tables of reconciliation: what was compared, and what differed. Identifiers, amounts and times alone."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.append_only import append_only
from backend.charging.reconciliation_rules import DifferenceKind, Outcome
from backend.db import Base, EncryptedText, Id, Sequence, UTCDateTime, coded


class ReconciliationRun(Base):
    """One comparison of a day in one book."""

    __tablename__ = "reconciliation_runs"
    __table_args__ = (Index("ix_reconciliation_runs_day", "day", "book"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    book: Mapped[str] = mapped_column(String(16))
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    entries: Mapped[int] = mapped_column(default=0)
    differences: Mapped[int] = mapped_column(default=0)


class ReconciliationLine(Base):
    """One difference, and what was done about it; `rule` names the rule that did. `digest` tells this difference of
    this day and book from every other, whichever comparison has found it."""

    __tablename__ = "reconciliation_lines"
    __table_args__ = (
        Index("ix_reconciliation_lines_run", "run_id", "id"),
        Index("ix_reconciliation_lines_open", "outcome", "id"),
        Base.__table_args__,
    )

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[DifferenceKind] = mapped_column(coded(DifferenceKind))
    number: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    here: Mapped[list[Any] | None] = mapped_column(JSON)
    there: Mapped[list[Any] | None] = mapped_column(JSON)
    outcome: Mapped[Outcome] = mapped_column(coded(Outcome))
    rule: Mapped[str] = mapped_column(String(48), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class ReconciliationNote(Base):
    """That a person has dealt with a difference, and how; once, and for ever. It corrects nothing by itself."""

    __tablename__ = "reconciliation_notes"
    __table_args__ = {**Base.__table_args__, **append_only(but=("reason",))}  # its key rotates

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("reconciliation_lines.id"))
    reason: Mapped[str] = mapped_column(EncryptedText("reconciliation_notes.reason"))
    noted_by: Mapped[str] = mapped_column(Id)
    noted_at: Mapped[datetime] = mapped_column(UTCDateTime)
