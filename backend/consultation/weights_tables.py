"""Tables of the matching: published weights, and how experts stood when each search began."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, UTCDateTime


class MatchingWeights(Base):
    """A published version of the weights, in percent by urgency and criterion; the latest holds."""

    __tablename__ = "matching_weights"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    percentages: Mapped[dict[str, dict[str, int]]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(EncryptedText("matching_weights.reason"))
    published_by: Mapped[str] = mapped_column(Id)
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)


class MatchingStandings(Base):
    """How every expert stood who could be asked when the search of a case began; nothing of the patient."""

    __tablename__ = "matching_standings"

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"), primary_key=True)
    standings: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
