"""Tables of what is known of a patient. What is clinical is encrypted; identifiers, keys of kinds and times are not.

No row ever changes: what turns out otherwise is a new row that names the one it replaces.
"""

from datetime import date, datetime

from sqlalchemy import Date, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, Id, PersonalText, UTCDateTime, coded
from backend.records.background import Source, is_own
from backend.records.rules import Question


class _Known:
    """What is known of a patient: their own, unless a doctor noted it or it belongs to a consultation."""

    patient_id: Mapped[str]
    source: Mapped[Source]
    consultation_id: Mapped[str | None]

    def owner_id(self, _column: str) -> str | None:
        """Give whose own this is; nobody's where it is part of a medical record."""
        return self.patient_id if is_own(self.source, self.consultation_id) else None


class Observation(_Known, Base):
    """One measurement. A row without a value takes back the one that it replaces.

    `kind` is a key of `data.observations`, `value` a number in that kind's unit or one of its answers. Rows that were
    noted together (both pressures, a whole slip) share `batch_id`. `origin` names it where it came from (a device's
    reading, a resource of a hospital), so that once is once. `reference` is the range that a slip printed.
    """

    __tablename__ = "observations"
    __table_args__ = (
        UniqueConstraint("replaces_id"),
        UniqueConstraint("patient_id", "origin"),
        Index("ix_observations_patient_kind", "patient_id", "kind", "taken_at", "id"),
        Index("ix_observations_patient_recorded", "patient_id", "recorded_at", "id"),
        Index("ix_observations_batch", "batch_id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(32))
    value: Mapped[str | None] = mapped_column(PersonalText("observations.value"))
    reference: Mapped[str] = mapped_column(PersonalText("observations.reference"))
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)
    source: Mapped[Source] = mapped_column(coded(Source))
    recorded_by: Mapped[str] = mapped_column(Id)
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    consultation_id: Mapped[str | None] = mapped_column(Id)
    batch_id: Mapped[str] = mapped_column(Id)
    origin: Mapped[str | None] = mapped_column(String(160))
    replaces_id: Mapped[str | None] = mapped_column(Id)


class _Statement(_Known):
    """What the three tables of statements have in common: `active` is False in a row that ends or refutes another."""

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[str] = mapped_column(Id)
    active: Mapped[bool]
    source: Mapped[Source] = mapped_column(coded(Source))
    recorded_by: Mapped[str] = mapped_column(Id)
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    consultation_id: Mapped[str | None] = mapped_column(Id)


class AllergyRow(_Statement, Base):
    """A substance or class that a person reacts to; the newest row of a name counts."""

    __tablename__ = "allergies"
    __table_args__ = (Index("ix_allergies_patient", "patient_id", "recorded_at", "id"), Base.__table_args__)

    substance: Mapped[str] = mapped_column(PersonalText("allergies.substance"))
    code: Mapped[str | None] = mapped_column(PersonalText("allergies.code"))
    reaction: Mapped[str] = mapped_column(PersonalText("allergies.reaction"))
    severe: Mapped[bool]


class CurrentMedicineRow(_Statement, Base):
    """What a person takes; the newest row of a name counts."""

    __tablename__ = "current_medicines"
    __table_args__ = (Index("ix_current_medicines_patient", "patient_id", "recorded_at", "id"), Base.__table_args__)

    name: Mapped[str] = mapped_column(PersonalText("current_medicines.name"))
    code: Mapped[str | None] = mapped_column(PersonalText("current_medicines.code"))
    dose: Mapped[str] = mapped_column(PersonalText("current_medicines.dose"))
    since: Mapped[date | None] = mapped_column(Date)


class ConditionRow(_Statement, Base):
    """A disease; the newest row of a name counts. `icd10` is empty where the words fit no code."""

    __tablename__ = "conditions"
    __table_args__ = (Index("ix_conditions_patient", "patient_id", "recorded_at", "id"), Base.__table_args__)

    icd10: Mapped[str] = mapped_column(PersonalText("conditions.icd10"))
    name: Mapped[str] = mapped_column(PersonalText("conditions.name"))


class Answer(_Known, Base):
    """A yes or no to what a prescriber has to have asked; the newest of a question counts.

    For allergies and medicines "no" is "asked, none", which differs from nothing known.
    """

    __tablename__ = "record_answers"
    __table_args__ = (Index("ix_record_answers_patient", "patient_id", "answered_at", "id"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[str] = mapped_column(Id)
    question: Mapped[Question] = mapped_column(coded(Question))
    yes: Mapped[str] = mapped_column(PersonalText("record_answers.yes"))
    source: Mapped[Source] = mapped_column(coded(Source))
    recorded_by: Mapped[str] = mapped_column(Id)
    answered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    consultation_id: Mapped[str | None] = mapped_column(Id)
