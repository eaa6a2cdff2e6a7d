"""The exports that were asked for: what of, what for, and what became of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedBytes, EncryptedText, Id, UTCDateTime, coded
from backend.research.rules import ExportState


class ResearchExport(Base):
    """An export. The row stays for good, as proof of what was given out; the file in it goes after some days.

    `due_at` is when it is made, or the lease of whoever makes it; empty once that is done.
    """

    __tablename__ = "research_exports"
    __table_args__ = (
        Index("ix_research_exports_due_at", "due_at"),
        Index("ix_research_exports_asked_at", "asked_at", "id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    asked_by: Mapped[str] = mapped_column(Id)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    purpose: Mapped[str] = mapped_column(EncryptedText("research_exports.purpose"))
    wish: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[ExportState] = mapped_column(coded(ExportState))
    manifest: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    refusal: Mapped[str] = mapped_column(String(200), default="")
    file: Mapped[bytes | None] = mapped_column(EncryptedBytes("research_exports.file"), deferred=True)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
