"""Tables of the case library. What a case says is anonymous, and encrypted all the same; its terms are not."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedJSON, EncryptedText, Id, UTCDateTime, coded
from backend.teaching_cases.rules import CaseState


class TeachingCase(Base):
    """A consultation that somebody recommended for teaching.

    `content` and `removed` as in `views.Content` and `views.Taken`; `revision` counts the reviewer's edits;
    `length`: how many terms a published one has.
    """

    __tablename__ = "teaching_cases"
    __table_args__ = (
        UniqueConstraint("consultation_id"),
        Index("ix_teaching_cases_state", "state", "proposed_at", "id"),
        Index("ix_teaching_cases_patient", "patient_id", "state"),
        Index("ix_teaching_cases_published", "state", "published_at", "id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    patient_id: Mapped[str] = mapped_column(Id)
    state: Mapped[CaseState] = mapped_column(coded(CaseState))
    department_code: Mapped[str] = mapped_column(String(32))
    proposed_by: Mapped[str] = mapped_column(Id)
    proposed_reason: Mapped[str] = mapped_column(EncryptedText("teaching_cases.proposed_reason"))
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    content: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("teaching_cases.content"))
    removed: Mapped[list[dict[str, Any]]] = mapped_column(EncryptedJSON("teaching_cases.removed"))
    revision: Mapped[int] = mapped_column(default=0)
    reviewed_by: Mapped[str | None] = mapped_column(Id)
    decision_reason: Mapped[str] = mapped_column(EncryptedText("teaching_cases.decision_reason"), default="")
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    length: Mapped[int] = mapped_column(default=0)


class TeachingTerm(Base):
    """A term of a published case, how often it stands there, and what that adds to its score (`terms.impact`).

    SQLite keeps it in the order of its primary key, as InnoDB does: all cases of a term lie together.
    """

    __tablename__ = "teaching_terms"
    __table_args__ = (
        Index("ix_teaching_terms_case", "case_id"),
        Index("ix_teaching_terms_impact", "term", "impact"),
        {**Base.__table_args__, "sqlite_with_rowid": False},
    )

    term: Mapped[str] = mapped_column(String(48), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("teaching_cases.id"), primary_key=True)
    count: Mapped[int]
    impact: Mapped[float]


class TeachingQuestion(Base):
    """A question about a case; `options` in order, `right_option` counted from 0."""

    __tablename__ = "teaching_questions"
    __table_args__ = (Index("ix_teaching_questions_case", "case_id", "position"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("teaching_cases.id"))
    position: Mapped[int]
    stem: Mapped[str] = mapped_column(EncryptedText("teaching_questions.stem"))
    options: Mapped[list[str]] = mapped_column(EncryptedJSON("teaching_questions.options"))
    right_option: Mapped[int]
    explanation: Mapped[str] = mapped_column(EncryptedText("teaching_questions.explanation"))
    source: Mapped[str] = mapped_column(EncryptedText("teaching_questions.source"))
    active: Mapped[bool] = mapped_column(default=True)


class TeachingAnswer(Base):
    """The first answer of a practitioner to a question, which is the one that counts."""

    __tablename__ = "teaching_answers"
    __table_args__ = (
        Index("ix_teaching_answers_practitioner", "practitioner_id", "year"),
        Index("ix_teaching_answers_year", "year", "practitioner_id"),
        Base.__table_args__,
    )

    question_id: Mapped[str] = mapped_column(ForeignKey("teaching_questions.id"), primary_key=True)
    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioners.id"), primary_key=True)
    chosen: Mapped[int]
    is_right: Mapped[bool]
    points: Mapped[int]
    year: Mapped[int]
    answered_at: Mapped[datetime] = mapped_column(UTCDateTime)


class TeachingPick(Base):
    """The case that the doctors of a department are shown in a week; no case is picked for a department twice."""

    __tablename__ = "teaching_picks"
    __table_args__ = (UniqueConstraint("department_code", "case_id"), Base.__table_args__)

    week: Mapped[str] = mapped_column(String(8), primary_key=True)
    department_code: Mapped[str] = mapped_column(String(48), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("teaching_cases.id"))
    picked_at: Mapped[datetime] = mapped_column(UTCDateTime)


class TeachingPreference(Base):
    """Whether a practitioner wants the weekly case; without a row they do."""

    __tablename__ = "teaching_preferences"

    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioners.id"), primary_key=True)
    weekly: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
