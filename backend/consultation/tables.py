"""Tables of consultations. What is clinical or personal is encrypted; identifiers, codes and times are not."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.consultation.rules import Status, Urgency
from backend.db import Base, EncryptedJSON, EncryptedText, Id, Sequence, UTCDateTime, coded


class OfferState(StrEnum):
    """What became of an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TAKEN = "taken"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    GIVEN_BACK = "given_back"


class Consultation(Base):
    """One consultation: who takes part, where it stands, and since when. Kept narrow, for lists read it.

    The speaker is the person who writes for the patient and hears what there is to tell: mostly the patient.
    """

    __tablename__ = "consultations"
    __table_args__ = (
        # One for each list there is, so that none grows slower as consultations pile up.
        Index("ix_consultations_speaker", "speaker_id", "opened_at", "id"),
        Index("ix_consultations_speaker_status", "speaker_id", "status", "opened_at", "id"),
        Index("ix_consultations_patient", "patient_id", "opened_at", "id"),
        Index("ix_consultations_doctor", "doctor_id", "opened_at", "id"),
        Index("ix_consultations_doctor_status", "doctor_id", "status", "opened_at", "id"),
        Index("ix_consultations_expert", "expert_id", "opened_at", "id"),
        Index("ix_consultations_expert_institution", "expert_institution_id", "opened_at", "id"),
        Index("ix_consultations_institution", "institution_id", "opened_at", "id"),
        Index("ix_consultations_expert_status", "expert_id", "status", "opened_at", "id"),
        Index("ix_consultations_status", "status", "opened_at", "id"),
        Index("ix_consultations_opened_at", "opened_at", "id"),
        Index("ix_consultations_department", "department_code", "opened_at", "id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    status: Mapped[Status] = mapped_column(coded(Status))
    urgency: Mapped[Urgency] = mapped_column(coded(Urgency))
    department_code: Mapped[str] = mapped_column(String(32))
    patient_id: Mapped[str] = mapped_column(Id)
    speaker_id: Mapped[str] = mapped_column(Id)
    institution_id: Mapped[str] = mapped_column(Id)
    doctor_id: Mapped[str] = mapped_column(Id)
    expert_id: Mapped[str | None] = mapped_column(Id)
    expert_institution_id: Mapped[str | None] = mapped_column(Id)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    assigned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ClinicalRecord(Base):
    """The clinical content of a consultation, read only where somebody may and wants to see it."""

    __tablename__ = "consultation_records"

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"), primary_key=True)
    record: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("consultation_records.record"))
    facts: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("consultation_records.facts"))
    red_flags: Mapped[list[dict[str, Any]]] = mapped_column(EncryptedJSON("consultation_records.red_flags"))
    urgency_reason: Mapped[str] = mapped_column(EncryptedText("consultation_records.urgency_reason"))
    icd10: Mapped[str] = mapped_column(EncryptedText("consultation_records.icd10"))
    question: Mapped[str] = mapped_column(EncryptedText("consultation_records.question"))
    vitals: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("consultation_records.vitals"))
    findings: Mapped[str] = mapped_column(EncryptedText("consultation_records.findings"))


class ConsultationNumber(Base):
    """How many consultations a day has had, for their numbers."""

    __tablename__ = "consultation_numbers"

    day: Mapped[str] = mapped_column(String(8), primary_key=True)
    last: Mapped[int]


class TimelineRow(Base):
    """One line of what happened: when, by whom, and in which words."""

    __tablename__ = "consultation_timeline"
    __table_args__ = (Index("ix_consultation_timeline_case", "consultation_id", "id"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_id: Mapped[str] = mapped_column(Id)
    actor_role: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(EncryptedText("consultation_timeline.text"))


class Search(Base):
    """How far the search for an expert has come."""

    __tablename__ = "consultation_searches"

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"), primary_key=True)
    waves: Mapped[int] = mapped_column(default=0)
    step: Mapped[str] = mapped_column(String(16), default="")
    exhausted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Offer(Base):
    """An invitation of an expert. `accepted_for` is the consultation once accepted: unique, so it has one expert."""

    __tablename__ = "consultation_offers"
    __table_args__ = (
        UniqueConstraint("consultation_id", "expert_id"),
        UniqueConstraint("accepted_for"),
        Index("ix_consultation_offers_expert", "expert_id", "state", "made_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    expert_id: Mapped[str] = mapped_column(Id)
    wave: Mapped[int]
    place: Mapped[int]
    state: Mapped[OfferState] = mapped_column(coded(OfferState))
    score: Mapped[float]
    reasons: Mapped[list[str]] = mapped_column(EncryptedJSON("consultation_offers.reasons"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decline_reason: Mapped[str | None] = mapped_column(EncryptedText("consultation_offers.decline_reason"))
    accepted_for: Mapped[str | None] = mapped_column(Id)


class ResponseStatistics(Base):
    """How an expert answers invitations: counts and sums kept up with each answer, and a histogram for the median."""

    __tablename__ = "expert_response_statistics"

    expert_id: Mapped[str] = mapped_column(Id, primary_key=True)
    answered: Mapped[int] = mapped_column(default=0)
    unanswered: Mapped[int] = mapped_column(default=0)
    total_seconds: Mapped[float] = mapped_column(default=0.0)
    histogram: Mapped[list[int]] = mapped_column(JSON)


class Attachment(Base):
    """A file that belongs to a consultation."""

    __tablename__ = "consultation_attachments"
    __table_args__ = (UniqueConstraint("consultation_id", "file_id"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    file_id: Mapped[str] = mapped_column(Id)
    note: Mapped[str] = mapped_column(EncryptedText("consultation_attachments.note"))
    added_by: Mapped[str] = mapped_column(Id)
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Supplement(Base):
    """What the expert asked for in addition, and the answer."""

    __tablename__ = "consultation_supplements"
    __table_args__ = (Index("ix_consultation_supplements_case", "consultation_id", "requested_at"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    text: Mapped[str] = mapped_column(EncryptedText("consultation_supplements.text"))
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answer: Mapped[str | None] = mapped_column(EncryptedText("consultation_supplements.answer"))
    file_ids: Mapped[list[str]] = mapped_column(JSON)
    answered_by: Mapped[str | None] = mapped_column(Id)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class MessageRow(Base):
    """One message of the three-way thread."""

    __tablename__ = "consultation_messages"
    __table_args__ = (Index("ix_consultation_messages_case", "consultation_id", "id"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    sender_id: Mapped[str] = mapped_column(Id)
    sender_role: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(EncryptedText("consultation_messages.text"))
    file_id: Mapped[str] = mapped_column(Id)
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Focus(Base):
    """The one running consultation that a person's free text goes to."""

    __tablename__ = "consultation_focus"

    person_id: Mapped[str] = mapped_column(Id, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))


class Opinion(Base):
    """The expert's opinion, filled step by step."""

    __tablename__ = "consultation_opinions"

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"), primary_key=True)
    icd10: Mapped[str] = mapped_column(EncryptedText("consultation_opinions.icd10"), default="")
    diagnosis: Mapped[str] = mapped_column(EncryptedText("consultation_opinions.diagnosis"), default="")
    plan: Mapped[str] = mapped_column(EncryptedText("consultation_opinions.plan"), default="")
    notes: Mapped[str] = mapped_column(EncryptedText("consultation_opinions.notes"), default="")
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Rating(Base):
    """What the patient thought of it."""

    __tablename__ = "consultation_ratings"

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"), primary_key=True)
    stars: Mapped[int]
    comment: Mapped[str] = mapped_column(EncryptedText("consultation_ratings.comment"))
    rated_at: Mapped[datetime] = mapped_column(UTCDateTime)
