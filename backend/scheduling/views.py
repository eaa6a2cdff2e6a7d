"""What scheduling shows of itself."""

from dataclasses import dataclass
from datetime import datetime

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
