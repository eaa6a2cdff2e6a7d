"""Table of photographed laboratory slips: what waits to be read, and what was read and waits for a yes."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, Id, PersonalJSON, UTCDateTime, coded
from backend.records.slips.rules import SlipState


class LaboratorySlip(Base):
    """One photograph. `due_at` is the queue: when it is to be read, and the lease while it is being read."""

    __tablename__ = "laboratory_slips"
    __table_args__ = (
        Index("ix_laboratory_slips_due_at", "due_at"),
        Index("ix_laboratory_slips_sender", "sender_id", "state", "created_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    file_id: Mapped[str] = mapped_column(Id, unique=True)
    patient_id: Mapped[str] = mapped_column(Id)
    sender_id: Mapped[str] = mapped_column(Id)
    consultation_id: Mapped[str | None] = mapped_column(Id)
    asked: Mapped[bool]
    state: Mapped[SlipState] = mapped_column(coded(SlipState))
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    reading: Mapped[dict[str, Any]] = mapped_column(PersonalJSON("laboratory_slips.reading"))
    taken_on: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    def owner_id(self, _column: str) -> str | None:
        """Give whose own this is; nobody's where it belongs to a consultation."""
        return self.patient_id if self.consultation_id is None else None
