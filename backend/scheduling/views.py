"""What scheduling shows of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from backend.scheduling.rules import Plan, WeeklyHours
from backend.scheduling.tables import Booking, BookingState, Slot, SlotState


@dataclass(frozen=True)
class SlotView:
    """A time of an expert that can be booked."""

    id: str
    expert_id: str
    starts_at: datetime
    ends_at: datetime
    state: SlotState

    @classmethod
    def of(cls, row: Slot) -> "SlotView":
        """Show a row."""
        return cls(row.id, row.expert_id, row.starts_at, row.ends_at, row.state)


@dataclass(frozen=True)
class BookingView:
    """A slot taken for a consultation; `sequence` counts how often it has been moved (RFC 5545, section 3.8.7.4)."""

    id: str
    slot_id: str
    expert_id: str
    consultation_id: str
    patient_id: str
    starts_at: datetime
    ends_at: datetime
    state: BookingState
    sequence: int
    made_at: datetime

    @classmethod
    def of(cls, row: Booking) -> "BookingView":
        """Show a row."""
        return cls(
            row.id,
            row.slot_id,
            row.expert_id,
            row.consultation_id,
            row.patient_id,
            row.starts_at,
            row.ends_at,
            row.state,
            row.sequence,
            row.made_at,
        )


@dataclass(frozen=True)
class Availability:
    """Whether an expert works at a moment (in hours, not away, in no booked slot), and when the next slot is free."""

    on_duty: bool
    next_free: datetime | None


@dataclass(frozen=True)
class AbsenceView:
    """A time in which an expert is away."""

    id: str
    starts_at: datetime
    ends_at: datetime
    reason: str = field(repr=False)


@dataclass(frozen=True)
class ScheduleView:
    """When an expert takes consultations, and what is taken.

    Attributes:
        version: counts up with each change; whoever changes the schedule says which one they saw.
        days: days that have hours of their own instead of the week's; an empty one is free.
        absences: those that are not over when the days that are shown begin.
        bookings: those to come and those that were kept.
    """

    expert_id: str
    version: int
    week: tuple[WeeklyHours, ...]
    days: Mapping[date, tuple[WeeklyHours, ...]]
    absences: tuple[AbsenceView, ...]
    bookings: tuple[BookingView, ...]

    @property
    def plan(self) -> Plan:
        """What stands on which day, absences apart."""
        return Plan(self.week, self.days)
