"""The table of key images: frames of a consultation's studies that somebody who treats has marked as telling."""

from datetime import datetime

from sqlalchemy import Double, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, Id, UTCDateTime, coded
from backend.security.policy import Role


class ImagingKeyImage(Base):
    """One marked frame, and how it looked on the screen of whoever marked it.

    `file_id` is the picture for the chat (`backend.files`), empty where the frame cannot or must not be drawn;
    `told_at` is when the other side heard of it.
    """

    __tablename__ = "imaging_key_images"
    __table_args__ = (
        UniqueConstraint("instance_id", "frame"),
        Index("ix_imaging_key_images_consultation", "consultation_id", "id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    instance_id: Mapped[str] = mapped_column(ForeignKey("imaging_instances.id"))
    frame: Mapped[int]
    window_center: Mapped[float | None] = mapped_column(Double)
    window_width: Mapped[float | None] = mapped_column(Double)
    window_function: Mapped[str | None] = mapped_column(String(16))
    inverted: Mapped[bool]
    file_id: Mapped[str | None] = mapped_column(Id)
    marked_by: Mapped[str] = mapped_column(Id)
    marked_as: Mapped[Role] = mapped_column(coded(Role))
    marked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
