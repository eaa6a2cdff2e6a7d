"""What the service of the people shows of its tables."""

from dataclasses import dataclass, field
from datetime import date, datetime

from backend.security.policy import Role
from data.consent import ConsentKind
from data.insurance import Level


@dataclass(frozen=True)
class PersonView:
    """A person; `sex` is "male", "female" or "unknown", the ages count completed years and months today.

    `identified`: birth date and sex are those of an identity number, and change with that alone.
    """

    id: str
    name: str
    sex: str
    birth_date: date | None
    age_years: int | None
    age_months: int | None
    phone: str | None
    region: str
    address: str | None = None
    identified: bool = False


@dataclass(frozen=True)
class IdentityView:
    """Who a person is to other institutions: what stands on their identity card."""

    name: str = field(repr=False)
    sex: str
    birth_date: date = field(repr=False)
    number: str = field(repr=False)


@dataclass(frozen=True)
class RelativeView:
    """A patient for whom somebody else speaks; `relation` as in `rules.RELATIONS`, seen from the speaker."""

    person: PersonView
    relation: str


@dataclass(frozen=True)
class ConsentView:
    """A decision that a person took: "given", "refused" or "withdrawn"."""

    kind: ConsentKind
    version: str
    decision: str
    decided_at: datetime


@dataclass(frozen=True)
class InstitutionView:
    """An institution; `kind` is "township", "tertiary" or "pharmacy", the distance counts from where the asker is, if
    they said.

    Args:
        place: (latitude, longitude) in degrees, GCJ-02, where they are known.
        level: by which insurance pays. insurance_code: its code at insurers (定点医药机构编号), "" where it has none.
    """

    id: str
    code: str
    name: str
    kind: str
    region: str
    address: str
    place: tuple[float, float] | None
    level: Level
    insurance_code: str
    distance_km: float | None = None


@dataclass(frozen=True)
class PractitionerView:
    """A doctor, expert, pharmacist or administrator; `person_id` is None until they have joined.

    Args:
        icd10: the parts of ICD-10 that they know well, best first: "I10-I15", "E11".
        years: of practice.
    """

    id: str
    person_id: str | None
    role: Role
    name: str
    institution_id: str
    institution_name: str
    department_code: str
    department_name: str
    title: str
    years: int
    icd10: tuple[str, ...]
    on_call: bool
    active: bool


@dataclass(frozen=True)
class Invitation:
    """A one-time scene for a QR code. It is shown once and never stored."""

    scene: str
    expires_at: datetime
