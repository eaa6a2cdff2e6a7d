"""Table of what people asked to be destroyed. It holds times and identifiers alone."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, Id, UTCDateTime, coded
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
