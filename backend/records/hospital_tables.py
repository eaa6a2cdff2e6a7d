"""Tables of hospitals that speak FHIR, and of what they tell of a patient."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedJSON, Id, PersonalJSON, UTCDateTime, coded
from backend.records.hospital.access import AuthKind
from backend.records.hospital.views import Outcome


class HospitalRow(Base):
    """A hospital's FHIR server and how we log in there."""

    __tablename__ = "hospitals"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"))
    label: Mapped[str] = mapped_column(String(64))
    url: Mapped[str] = mapped_column(String(512))
    auth: Mapped[AuthKind] = mapped_column(coded(AuthKind))
    credentials: Mapped[dict[str, str]] = mapped_column(EncryptedJSON("hospitals.credentials"))
    identity_system: Mapped[str] = mapped_column(String(255))
    private: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class HospitalHistoryRow(Base):
    """What one hospital told of one patient, and when it is to be asked again.

    `due_at` is schedule and, while `asking`, lease: NULL where nothing is to be asked. `content` is what was told at
    `fetched_at`; it stays while the hospital is away, and goes where it turns out to be nobody's or somebody else's.
    """

    __tablename__ = "hospital_histories"
    __table_args__ = (Index("ix_hospital_histories_due", "due_at"), Base.__table_args__)

    hospital_id: Mapped[str] = mapped_column(ForeignKey("hospitals.id"), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    outcome: Mapped[Outcome] = mapped_column(coded(Outcome), default=Outcome.WAITING)
    fault: Mapped[str] = mapped_column(String(48), default="")
    content: Mapped[dict[str, Any] | None] = mapped_column(PersonalJSON("hospital_histories.content"))
    fetched_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    asking: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)

    def owner_id(self, _column: str) -> str:
        """Give whose own this is."""
        return self.patient_id
