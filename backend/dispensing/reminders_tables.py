"""Tables of the reminders to take medicines. What somebody takes is encrypted; times and identifiers are not."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, Id, PersonalText, UTCDateTime, coded
from backend.dispensing.reminders_rules import DoseState


class MedicinePlan(Base):
    """What somebody is to take from a day on. `origin` names what it was made from, so that once is once."""

    __tablename__ = "medicine_plans"
    __table_args__ = (
        UniqueConstraint("origin"),
        Index("ix_medicine_plans_patient", "patient_id", "id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[str] = mapped_column(Id)
    origin: Mapped[str | None] = mapped_column(String(64))
    made_by: Mapped[str] = mapped_column(Id)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)


class MedicineLine(Base):
    """One medicine of a plan, at its `position` there. `times`: "08:00", in China, from `since` on.

    `stopped_at`: since when the person wants no more reminders of it.
    """

    __tablename__ = "medicine_plan_lines"
    __table_args__ = (Index("ix_medicine_plan_lines_patient", "patient_id", "last_day"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("medicine_plans.id"))
    position: Mapped[int]
    patient_id: Mapped[str] = mapped_column(Id)
    name: Mapped[str] = mapped_column(PersonalText("medicine_plan_lines.name"))
    how: Mapped[str] = mapped_column(PersonalText("medicine_plan_lines.how"))
    times: Mapped[list[Any]] = mapped_column(JSON)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    every: Mapped[int]
    by_night: Mapped[bool]
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    def owner_id(self, _column: str) -> str:
        """Give whose own this is."""
        return self.patient_id


class MedicineDose(Base):
    """One reminder: everything that was to be taken at a moment, and what the person said. `put_off`: how often."""

    __tablename__ = "medicine_doses"
    __table_args__ = (UniqueConstraint("patient_id", "due_at"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[str] = mapped_column(Id)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    line_ids: Mapped[list[Any]] = mapped_column(JSON)
    state: Mapped[DoseState] = mapped_column(coded(DoseState))
    put_off: Mapped[int] = mapped_column(default=0)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ReminderClock(Base):
    """How far a patient's reminders have come: all up to `reached` was given or let go. The row is their lock."""

    __tablename__ = "medicine_reminder_clocks"

    patient_id: Mapped[str] = mapped_column(Id, primary_key=True)
    reached: Mapped[datetime] = mapped_column(UTCDateTime)
