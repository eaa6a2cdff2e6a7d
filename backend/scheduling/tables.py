"""Tables of schedules: weekly hours, absences, the slots made from them, and bookings."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, Sequence, UTCDateTime, coded


class SlotState(StrEnum):
    """Whether a slot can be had."""

    FREE = "free"
    HELD = "held"  # for a consultation, until a moment
    BOOKED = "booked"


class BookingState(StrEnum):
    """What became of a booking."""

    ACTIVE = "active"
    MOVED = "moved"
    CANCELLED = "cancelled"
    KEPT = "kept"
    NO_SHOW = "no_show"


class WeeklyHoursRow(Base):
    """A stretch of a weekday in which an expert takes consultations, in minutes of the day in China."""

    __tablename__ = "weekly_hours"
    __table_args__ = (UniqueConstraint("expert_id", "weekday", "start_minute"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    expert_id: Mapped[str] = mapped_column(Id)
    weekday: Mapped[int]
    start_minute: Mapped[int]
    end_minute: Mapped[int]
    slot_minutes: Mapped[int]
    on_holidays: Mapped[bool] = mapped_column(default=False)


class DayHours(Base):
    """What an expert does on one day instead of the week's hours; without hours the day is free.

    `hours` are lists of begin, end (minutes of the day in China) and length of a slot in minutes.
    """

    __tablename__ = "day_hours"

    expert_id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    hours: Mapped[list[list[int]]] = mapped_column(JSON)


class ScheduleVersion(Base):
    """How often the schedule of an expert has been changed; the lock under which it is."""

    __tablename__ = "schedule_versions"

    expert_id: Mapped[str] = mapped_column(Id, primary_key=True)
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Absence(Base):
    """A time in which an expert is away."""

    __tablename__ = "absences"
    __table_args__ = (Index("ix_absences_expert", "expert_id", "ends_at"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    expert_id: Mapped[str] = mapped_column(Id)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(EncryptedText("absences.reason"))


class ScheduleHorizon(Base):
    """Up to when the slots of an expert have been made."""

    __tablename__ = "schedule_horizons"

    expert_id: Mapped[str] = mapped_column(Id, primary_key=True)
    made_until: Mapped[datetime] = mapped_column(UTCDateTime)


class Slot(Base):
    """A time of an expert that can be booked, once. `held_for` is the consultation for which it is held: unique, so
    that a consultation holds one."""

    __tablename__ = "slots"
    __table_args__ = (
        UniqueConstraint("expert_id", "starts_at"),
        UniqueConstraint("held_for"),
        Index("ix_slots_free", "expert_id", "state", "starts_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    expert_id: Mapped[str] = mapped_column(Id)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[SlotState] = mapped_column(coded(SlotState))
    held_for: Mapped[str | None] = mapped_column(Id)
    held_until: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Booking(Base):
    """A slot taken for a consultation.

    The two `active_` columns hold the identifiers while the booking is active and are unique: a slot is sold once, and
    a consultation has one booking. The slot itself may go when hours change, so the booking keeps its own times and no
    foreign key.
    """

    __tablename__ = "bookings"
    __table_args__ = (
        UniqueConstraint("active_slot_id"),
        UniqueConstraint("active_consultation_id"),
        Index("ix_bookings_consultation", "consultation_id", "made_at"),
        Index("ix_bookings_expert", "expert_id", "starts_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    slot_id: Mapped[str] = mapped_column(Id)
    expert_id: Mapped[str] = mapped_column(Id)
    consultation_id: Mapped[str] = mapped_column(Id)
    patient_id: Mapped[str] = mapped_column(Id)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[BookingState] = mapped_column(coded(BookingState))
    sequence: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    active_slot_id: Mapped[str | None] = mapped_column(Id)
    active_consultation_id: Mapped[str | None] = mapped_column(Id)
