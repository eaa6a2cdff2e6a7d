"""Tables of the devices at home: who is watched over by whom, their devices, what came from them, and the alerts.

Measured values are observations and lie with those; what an alert quotes of them is encrypted.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, PersonalText, UTCDateTime, coded
from backend.records.monitoring.limits import Level, Side
from backend.records.monitoring.readings import Kind


class Monitored(Base):
    """A patient with devices at home, and the doctor who hears of their alerts. The row is the lock of their alerts.

    `told_at`: when they were last told of anything but danger.
    """

    __tablename__ = "monitored_patients"
    __table_args__ = (Index("ix_monitored_patients_institution", "institution_id", "since"), Base.__table_args__)

    patient_id: Mapped[str] = mapped_column(Id, primary_key=True)
    doctor_id: Mapped[str] = mapped_column(ForeignKey("practitioners.id"))
    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"))
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class HomeDevice(Base):
    """A device at home. It waits for its one-time code, then it has a token; of both only digests are kept."""

    __tablename__ = "home_devices"
    __table_args__ = (Index("ix_home_devices_patient", "patient_id", "id"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("monitored_patients.patient_id"))
    kind: Mapped[Kind] = mapped_column(coded(Kind))
    label: Mapped[str] = mapped_column(PersonalText("home_devices.label"))
    created_by: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    code_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    code_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    token_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    active: Mapped[bool] = mapped_column(default=False)
    last_seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    def owner_id(self, _column: str) -> str:
        """Give whose own this is."""
        return self.patient_id


class DeviceReading(Base):
    """That a reading of a device was taken, once; what the rules look at of it, and the observations that hold it.

    `said_at` is the device's own time. `fresh`: it came soon enough to count towards alerts.
    """

    __tablename__ = "device_readings"
    __table_args__ = (
        UniqueConstraint("device_id", "reading_key"),
        UniqueConstraint("device_id", "kind", "said_at"),
        Index("ix_device_readings_patient", "patient_id", "kind", "taken_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("home_devices.id"))
    reading_key: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[Kind] = mapped_column(coded(Kind))
    said_at: Mapped[datetime] = mapped_column(UTCDateTime)
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    fresh: Mapped[bool]
    level: Mapped[Level] = mapped_column(coded(Level))
    side: Mapped[Side | None] = mapped_column(coded(Side))
    calm: Mapped[bool]


class PatientLimit(Base):
    """A limit that a doctor set for one patient in place of everybody's."""

    __tablename__ = "monitoring_limits"

    patient_id: Mapped[str] = mapped_column(ForeignKey("monitored_patients.patient_id"), primary_key=True)
    measure: Mapped[str] = mapped_column(String(16), primary_key=True)
    side: Mapped[Side] = mapped_column(coded(Side), primary_key=True)
    level: Mapped[Level] = mapped_column(coded(Level), primary_key=True)
    bound: Mapped[str] = mapped_column(EncryptedText("monitoring_limits.bound"))
    set_by: Mapped[str] = mapped_column(ForeignKey("practitioners.id"))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Alert(Base):
    """Values of one kind that somebody has to look at, from the first to when they are back.

    `open_for` is patient and kind while it is open: unique, so there is one. `reading` quotes what was last told, or
    will be: words and time. `told_at` is empty while nobody was told at the present level. `step`: how often it went
    on to more people since.
    """

    __tablename__ = "monitoring_alerts"
    __table_args__ = (
        UniqueConstraint("open_for"),
        Index("ix_monitoring_alerts_patient", "patient_id", "opened_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("monitored_patients.patient_id"))
    kind: Mapped[Kind] = mapped_column(coded(Kind))
    open_for: Mapped[str | None] = mapped_column(String(64))
    level: Mapped[Level] = mapped_column(coded(Level))
    side: Mapped[Side] = mapped_column(coded(Side))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by: Mapped[str | None] = mapped_column(ForeignKey("practitioners.id"))
    readings: Mapped[int]
    reading: Mapped[str] = mapped_column(EncryptedText("monitoring_alerts.reading"))
    measured_at: Mapped[datetime] = mapped_column(UTCDateTime)
    latest: Mapped[str] = mapped_column(EncryptedText("monitoring_alerts.latest"))
    latest_at: Mapped[datetime] = mapped_column(UTCDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    step: Mapped[int] = mapped_column(default=0)
    acknowledged_by: Mapped[str | None] = mapped_column(ForeignKey("practitioners.id"))
    acknowledged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    note: Mapped[str | None] = mapped_column(EncryptedText("monitoring_alerts.note"))


class Telling(Base):
    """When a patient's people were last told of a kind at a level on a side, whichever alert it was."""

    __tablename__ = "monitoring_tellings"

    patient_id: Mapped[str] = mapped_column(ForeignKey("monitored_patients.patient_id"), primary_key=True)
    kind: Mapped[Kind] = mapped_column(coded(Kind), primary_key=True)
    level: Mapped[Level] = mapped_column(coded(Level), primary_key=True)
    side: Mapped[Side] = mapped_column(coded(Side), primary_key=True)
    told_at: Mapped[datetime] = mapped_column(UTCDateTime)
