"""Tables of what is written back to hospitals: what waits, and what is there by which identifier."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, Id, UTCDateTime, coded
from backend.records.hospital.writing_rules import WriteState


class HospitalWriteback(Base):
    """That a hospital is to hear of a consultation, and how far that has come.

    `due_at` is the queue: when it is tried next, and the lease while somebody does; NULL when nothing is left to do.
    `asked` counts what happened, so that something that happens during a try is not lost: it is done when `asked` is
    still what it was when the try began. `claim` names the try.
    """

    __tablename__ = "hospital_writebacks"
    __table_args__ = (
        Index("ix_hospital_writebacks_due", "due_at", "hospital_id"),
        Index("ix_hospital_writebacks_state", "hospital_id", "state"),
        Base.__table_args__,
    )

    hospital_id: Mapped[str] = mapped_column(ForeignKey("hospitals.id"), primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"), primary_key=True)
    patient_id: Mapped[str] = mapped_column(Id)
    state: Mapped[WriteState] = mapped_column(coded(WriteState))
    fault: Mapped[str] = mapped_column(String(48), default="")
    asked: Mapped[int] = mapped_column(default=1)
    attempts: Mapped[int] = mapped_column(default=0)
    claim: Mapped[str | None] = mapped_column(Id)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class HospitalResource(Base):
    """That a resource of ours is at a hospital: under which identifier, and a keyed digest of what it says there."""

    __tablename__ = "hospital_resources"

    hospital_id: Mapped[str] = mapped_column(ForeignKey("hospitals.id"), primary_key=True)
    type: Mapped[str] = mapped_column(String(32), primary_key=True)
    resource_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    consultation_id: Mapped[str] = mapped_column(Id)
    remote_id: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)
