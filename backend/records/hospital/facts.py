"""What a hospital tells of a patient, as plain values. Moments and days are text as FHIR writes them ("2026-11-21")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

Fact = TypeVar("Fact", bound=tuple[Any, ...])


class AllergyFact(NamedTuple):
    """What the patient reacts to. `atc` is "" where the hospital gives no such code."""

    substance: str
    atc: str
    reaction: str
    severe: bool
    recorded: str


class ConditionFact(NamedTuple):
    """A disease; `icd10` is "" where the hospital gives no such code."""

    icd10: str
    name: str
    active: bool
    recorded: str


class MedicineFact(NamedTuple):
    """A medicine that the patient takes."""

    name: str
    atc: str
    dose: str
    since: str


class Measurement(NamedTuple):
    """One measured value.

    Args:
        code: LOINC, "" where there is none. value: a number as it was written, or words.
        unit: UCUM. low, high: of the reference range, "" for none.
        mark: "H", "L", "A" (abnormal without a direction) or ""; "HH" and "LL" where it is critical.
        panel: what groups values that were taken together (systolic and diastolic), "" for none.
    """

    code: str
    name: str
    value: str
    unit: str
    low: str
    high: str
    mark: str
    taken: str
    vital: bool
    panel: str


class EncounterFact(NamedTuple):
    """A visit; `kind` is the code of its class: AMB, EMER, IMP and so on."""

    kind: str
    reason: str
    department: str
    start: str
    end: str


class ReportFact(NamedTuple):
    """A report and its conclusion."""

    name: str
    conclusion: str
    when: str


class StudyFact(NamedTuple):
    """An imaging study; modalities are DICOM's codes."""

    modalities: str
    description: str
    when: str


_KINDS: Mapping[str, type[Any]] = {
    "allergies": AllergyFact,
    "conditions": ConditionFact,
    "medicines": MedicineFact,
    "measurements": Measurement,
    "encounters": EncounterFact,
    "reports": ReportFact,
    "studies": StudyFact,
}


@dataclass(frozen=True)
class HospitalHistory:
    """What one hospital tells of one patient, the newest first.

    Args:
        no_known_allergies: the day on which it was noted there that the patient has none; "" where it was not.
        missing: types of resources that the hospital did not give.
        left_out: resources that were invalid, somebody else's or unreadable.
        complete: False where there is more than was read.
    """

    allergies: tuple[AllergyFact, ...] = field(default=(), repr=False)
    no_known_allergies: str = ""
    conditions: tuple[ConditionFact, ...] = field(default=(), repr=False)
    medicines: tuple[MedicineFact, ...] = field(default=(), repr=False)
    measurements: tuple[Measurement, ...] = field(default=(), repr=False)
    encounters: tuple[EncounterFact, ...] = field(default=(), repr=False)
    reports: tuple[ReportFact, ...] = field(default=(), repr=False)
    studies: tuple[StudyFact, ...] = field(default=(), repr=False)
    missing: tuple[str, ...] = ()
    left_out: int = 0
    complete: bool = True

    def to_json(self) -> dict[str, Any]:
        """Give it for keeping."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "HospitalHistory":
        """Give what was kept."""
        values = dict(kept)
        for name, kind in _KINDS.items():
            values[name] = tuple(kind(*row) for row in kept[name])
        return cls(**values | {"missing": tuple(kept["missing"])})
