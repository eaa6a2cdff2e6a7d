"""What the outside sees of the devices at home. Immutable values."""

from dataclasses import dataclass, field
from datetime import datetime

from backend.records.monitoring.limits import Level, Line, OwnLimit, Side
from backend.records.monitoring.readings import Kind, Refusal


@dataclass(frozen=True)
class DeviceView:
    """A device at home; `waiting` for the one who enters its code until `code_expires_at`."""

    id: str
    patient_id: str
    kind: Kind
    label: str = field(repr=False)
    active: bool
    waiting: bool
    last_seen_at: datetime | None


@dataclass(frozen=True)
class Pairing:
    """A one-time code; it is shown once and never stored."""

    device_id: str
    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class NewDeviceToken:
    """A token; it is shown once and never stored."""

    device_id: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Taken:
    """What became of one reading: taken now, known before, or refused for a reason."""

    id: str
    known: bool = False
    refusal: Refusal | None = None


@dataclass(frozen=True)
class PatientView:
    """A patient whom a doctor may speak of by name."""

    id: str
    name: str = field(repr=False)


@dataclass(frozen=True)
class LimitsView:
    """The limits that hold for a patient, and which of them a doctor set."""

    lines: tuple[Line, ...]
    own: tuple[OwnLimit, ...]


@dataclass(frozen=True)
class AlertView:
    """An alert.

    Args:
        reading, measured_at: what was told, or will be. latest, latest_at: what came last.
        readings: how many readings belong to it.
        told_at: when people were told at this level; None while nobody was.
    """

    id: str
    patient_id: str
    patient_name: str = field(repr=False)
    doctor_id: str
    institution_id: str
    kind: Kind
    level: Level
    side: Side
    opened_at: datetime
    closed_at: datetime | None
    readings: int
    reading: str = field(repr=False)
    measured_at: datetime
    latest: str = field(repr=False)
    latest_at: datetime
    told_at: datetime | None
    step: int
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    note: str | None = field(repr=False)
