"""Table of accesses that doctors took in an emergency."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, UTCDateTime


class EmergencyAccess(Base):
    """That somebody may read what is a patient's for a while, because they said why it cannot wait."""

    __tablename__ = "emergency_accesses"
    __table_args__ = (Index("ix_emergency_accesses_actor", "actor_id", "ends_at"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    actor_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str] = mapped_column(EncryptedText("emergency_accesses.reason"))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
