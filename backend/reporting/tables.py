"""Tables of reporting: what experts wrote of a study, version by version, and the critical values they told of.

What is clinical is encrypted; identifiers, codes and times are not.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, UTCDateTime, coded
from backend.reporting.rules import ReportState


class Report(Base):
    """One version of the report of a study. A signed one never changes, but for its state when the next is signed.

    `revision` counts the edits of a draft. `seal` is a keyed digest of everything that signing froze.
    `code` leads to the verification page; `code_index` is what it is found by.
    """

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("study_id", "version"),
        UniqueConstraint("number", "version"),
        Index("ix_reports_consultation", "consultation_id", "id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]
    study_id: Mapped[str] = mapped_column(ForeignKey("imaging_studies.id"))
    study_uid: Mapped[str] = mapped_column(String(64))
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    patient_id: Mapped[str] = mapped_column(Id)
    author_id: Mapped[str] = mapped_column(ForeignKey("practitioners.id"))
    state: Mapped[ReportState] = mapped_column(coded(ReportState))
    revision: Mapped[int]
    examination: Mapped[str] = mapped_column(EncryptedText("reports.examination"))
    findings: Mapped[str] = mapped_column(EncryptedText("reports.findings"))
    impression: Mapped[str] = mapped_column(EncryptedText("reports.impression"))
    amendment_reason: Mapped[str] = mapped_column(EncryptedText("reports.amendment_reason"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    signed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    seal: Mapped[str | None] = mapped_column(String(64))
    code: Mapped[str | None] = mapped_column(EncryptedText("reports.code"))
    code_index: Mapped[str | None] = mapped_column(String(64), unique=True)


class CriticalValue(Base):
    """Something in a study that cannot wait: told at once, and told again until a doctor has confirmed it."""

    __tablename__ = "critical_values"
    __table_args__ = (Index("ix_critical_values_consultation", "consultation_id", "id"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("imaging_studies.id"))
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    text: Mapped[str] = mapped_column(EncryptedText("critical_values.text"))
    marked_by: Mapped[str] = mapped_column(ForeignKey("practitioners.id"))
    marked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reminders: Mapped[int] = mapped_column(default=0)
    confirmed_by: Mapped[str | None] = mapped_column(ForeignKey("practitioners.id"))
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ReportIssue(Base):
    """That the documents of a signed report are to be made and put into its study.

    `due_at` is the queue: when it is to be tried next, and the lease while somebody does; empty once they are there.
    """

    __tablename__ = "report_issues"
    __table_args__ = (Index("ix_report_issues_due_at", "due_at"), Base.__table_args__)

    report_id: Mapped[str] = mapped_column(ForeignKey("reports.id"), primary_key=True)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    issued_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
