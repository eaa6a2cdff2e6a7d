"""The people and institutions of an invented county, for demonstrations: nobody in these files exists."""

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from data.departments import departments
from data.errors import DataError
from data.files import Row, read_rows, require_unique
from data.insurance import Level

FOLDER = Path(__file__).parent

_ICD10 = re.compile(r"[A-Z]\d\d(\.\d{1,4})?|[A-Z]\d\d-[A-Z]\d\d")

TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Institution(Row):
    """An institution at a place in degrees (GCJ-02); `packs` is how many of each medicine a pharmacy has. The codes at
    insurers are made up: no region of China has the number 9999 with which theirs begins."""

    code: str
    name: str
    kind: Literal["township", "tertiary", "pharmacy"]
    region: str
    address: str
    latitude: Annotated[float, Field(ge=18, le=54)]
    longitude: Annotated[float, Field(ge=73, le=136)]
    level: Level
    insurance_code: Annotated[str, Field(pattern=r"^[HP]9999\d{7}$")]
    packs: Annotated[int, Field(ge=0, le=1000)] = 0


class Hours(Row):
    """Hours of one weekday (0 is Monday) in which an expert takes appointments."""

    weekday: Annotated[int, Field(ge=0, le=6)]
    start: TimeOfDay
    end: TimeOfDay
    slot_minutes: Annotated[int, Field(ge=5, le=120)]
    on_holidays: bool = False


class Practitioner(Row):
    """A doctor, expert, pharmacist or administrator; the licence numbers are made up."""

    code: str
    role: Literal["grassroots_doctor", "expert", "pharmacist", "administrator"]
    name: str
    licence_number: Annotated[str, Field(pattern=r"^DEMO-")]
    institution: str
    department: str
    title: str
    practising_since: int
    icd10: tuple[str, ...] = ()
    on_call: bool = False
    week: tuple[Hours, ...] = ()


class Patient(Row):
    """A patient. They have no telephone: every number might be somebody's; no region of China has the number 9999 with
    which their identity numbers begin."""

    code: str
    name: str
    sex: Literal["male", "female"]
    birth_date: date
    id_number: Annotated[str, Field(pattern=r"^9999\d{13}[\dX]$")]
    region: str


class Demo(Row):
    """Everything that a demonstration begins with."""

    institutions: tuple[Institution, ...]
    practitioners: tuple[Practitioner, ...]
    patients: tuple[Patient, ...]


def load_demo(folder: Path = FOLDER) -> Demo:
    """Read and check the three files.

    Raises:
        DataError: one is missing or wrong in itself, or names an institution, department or code that there is not.
    """
    institutions = read_rows(folder / "institutions.json", Institution)
    path = folder / "practitioners.json"
    practitioners = read_rows(path, Practitioner)
    patients = read_rows(folder / "patients.json", Patient)
    require_unique(folder / "institutions.json", "code", [row.code for row in institutions])
    codes_at_insurers = [row.insurance_code for row in institutions]
    require_unique(folder / "institutions.json", "code at insurers", codes_at_insurers)
    require_unique(path, "code", [row.code for row in practitioners])
    require_unique(path, "licence number", [row.licence_number for row in practitioners])
    require_unique(folder / "patients.json", "code", [row.code for row in patients])
    codes = {row.code for row in institutions}
    for row in practitioners:
        if fault := _fault(row, codes):
            raise DataError(f"{path}: {row.code}: {fault}")
    return Demo(institutions=institutions, practitioners=practitioners, patients=patients)


def _fault(row: Practitioner, institutions: set[str]) -> str | None:
    wrong_codes = [code for code in row.icd10 if not _ICD10.fullmatch(code)]
    wrong_hours = [hours for hours in row.week if hours.start >= hours.end]
    faults = {
        f"there is no institution {row.institution!r}": row.institution not in institutions,
        f"there is no department {row.department!r}": row.role in ("grassroots_doctor", "expert")
        and row.department not in departments(),
        f"no ICD-10 codes: {', '.join(wrong_codes)}": bool(wrong_codes),
        "hours end before they begin": bool(wrong_hours),
        "an expert needs expertise and hours": row.role == "expert" and not (row.icd10 and row.week),
    }
    return next((fault for fault, holds in faults.items() if holds), None)


@cache
def demo() -> Demo:
    """Give the shipped set."""
    return load_demo()
