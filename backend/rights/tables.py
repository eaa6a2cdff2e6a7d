"""Tables of what people asked for: to be destroyed, which holds times and identifiers alone; to be put right."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, UTCDateTime, coded
from backend.rights.amendment_rules import AmendmentState, Part
from backend.rights.rules import ErasureState


class Erasure(Base):
    """That somebody asked for the data of a patient to be destroyed, and how far that is.

    `open_for` is the patient while it can be taken back: unique, so that there is one. `record_until` and `money_until`
    say how long what the law makes one keep is kept; NULL where there is none, or none any more.
    """

    __tablename__ = "erasures"
    __table_args__ = (Index("ix_erasures_patient", "patient_id", "asked_at"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[str] = mapped_column(Id)
    open_for: Mapped[str | None] = mapped_column(Id, unique=True)
    asked_by: Mapped[str] = mapped_column(Id)
    state: Mapped[ErasureState] = mapped_column(coded(ErasureState))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    record_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    money_until: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Amendment(Base):
    """That a patient asked for something in a finished consultation to be put right, and what came of it.

    `open_for` is the consultation and what of it, while it waits: unique, so that there is one. `answer` is the
    addendum, which stands beside the old text, or the reason. `institution_id` is where who has to answer works.
    `version` of the report that put it right, 0 where none did.
    """

    __tablename__ = "amendments"
    __table_args__ = (
        Index("ix_amendments_consultation", "consultation_id", "asked_at"),
        Index("ix_amendments_waiting", "state", "institution_id", "asked_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    patient_id: Mapped[str] = mapped_column(Id)
    part: Mapped[Part] = mapped_column(coded(Part))
    report_id: Mapped[str] = mapped_column(Id, default="")
    report_number: Mapped[str] = mapped_column(String(32), default="")
    open_for: Mapped[str | None] = mapped_column(String(96), unique=True)
    text: Mapped[str] = mapped_column(EncryptedText("amendments.text"))
    asked_by: Mapped[str] = mapped_column(Id)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[AmendmentState] = mapped_column(coded(AmendmentState))
    answerer_id: Mapped[str] = mapped_column(Id)
    institution_id: Mapped[str] = mapped_column(Id)
    answer: Mapped[str] = mapped_column(EncryptedText("amendments.answer"), default="")
    version: Mapped[int] = mapped_column(default=0)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reminders: Mapped[int] = mapped_column(default=0)
