"""What a prescriber has to know of a patient before anything is prescribed. Immutable values; pure."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Source(StrEnum):
    """Where a fact of a patient came from."""

    PATIENT = "patient"  # or who speaks for them
    DOCTOR = "doctor"
    DEVICE = "device"
    SLIP = "slip"  # a photographed laboratory slip that the person confirmed
    HOSPITAL = "hospital"

    @property
    def label(self) -> str:
        """The words people read."""
        return _LABELS[self]


def is_own(source: Source, consultation_id: str | None) -> bool:
    """Tell whether what is known of a patient is theirs alone, and no part of a medical record."""
    return source is not Source.DOCTOR and consultation_id is None


_LABELS = {
    Source.PATIENT: "本人或家属说的",
    Source.DOCTOR: "医生记录",
    Source.DEVICE: "家用设备",
    Source.SLIP: "化验单",
    Source.HOSPITAL: "医院病历",
}


@dataclass(frozen=True)
class Allergy:
    """What a patient reacts to.

    Args:
        substance: the Chinese name as it was said or read.
        code: a code of a medicine or of an allergy class in `data/drugs`; None where the name is not known there.
        severe: a reaction that threatens life (anaphylaxis, Stevens-Johnson and the like) is on record.
    """

    substance: str = field(repr=False)
    code: str | None = field(repr=False)
    reaction: str = field(default="", repr=False)
    severe: bool = False
    source: Source = Source.PATIENT
    recorded_at: datetime | None = None


@dataclass(frozen=True)
class CurrentMedicine:
    """What a patient takes: the name as it was said, and its code in `data/drugs` where it is known there."""

    name: str = field(repr=False)
    code: str | None = field(repr=False)
    dose: str = field(default="", repr=False)
    source: Source = Source.PATIENT
    recorded_at: datetime | None = None


@dataclass(frozen=True)
class Condition:
    """A disease that a patient has, by its ICD-10 code."""

    icd10: str = field(repr=False)
    name: str = field(repr=False)
    source: Source = Source.PATIENT
    recorded_at: datetime | None = None


@dataclass(frozen=True)
class Measured:
    """The newest value of something, in the unit that its field names, and when it was taken."""

    value: Decimal = field(repr=False)
    taken_at: datetime


@dataclass(frozen=True)
class Answered:
    """A yes or no, and when it was given."""

    yes: bool = field(repr=False)
    answered_at: datetime


@dataclass(frozen=True)
class Background:
    """All that is known of a patient for prescribing; None and empty mean "not known", never "no".

    Args:
        named: whether the patient's name is known. weight: kg. creatinine: serum, µmol/L. alt: U/L.
        allergies_asked: when somebody said what the patient is allergic to, or that they are to nothing.
        medicines_asked: when somebody said what the patient takes, or that they take nothing.
        unreachable: names of hospitals whose history could not be read or not be matched.
    """

    patient_id: str
    birth_date: date | None = field(default=None, repr=False)
    sex: str = "unknown"
    weight: Measured | None = None
    creatinine: Measured | None = None
    alt: Measured | None = None
    pregnant: Answered | None = None
    lactating: Answered | None = None
    allergies: tuple[Allergy, ...] = ()
    allergies_asked: datetime | None = None
    medicines: tuple[CurrentMedicine, ...] = ()
    medicines_asked: datetime | None = None
    conditions: tuple[Condition, ...] = ()
    unreachable: tuple[str, ...] = ()
    named: bool = False
