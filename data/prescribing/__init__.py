"""Prescriptions that primary care writes every day, as a start that saves typing.

Every template is written down from general knowledge of the guideline and the inserts that it names and awaits a
pharmacist's review: `reviewed` says whether that has happened.
"""

from decimal import Decimal
from functools import cache
from pathlib import Path

from pydantic import Field

from data.drugs import Reference, reference
from data.errors import DataError
from data.files import ROOT, Row, read_rows, require_unique
from data.icd10 import lookup

TEMPLATES = ROOT / "prescribing" / "templates.json"


class TemplateLine(Row):
    """A medicine of a template: codes of the drug reference, the dose for one time in the preparation's unit."""

    preparation: str
    dose: Decimal = Field(gt=0)
    frequency: str
    route: str
    days: int = Field(ge=1, le=90)
    note: str = Field(max_length=100)


class PrescriptionTemplate(Row):
    """What is usually written for a disease in an adult who has nothing else.

    ``diagnosis`` is the ICD-10 code that it is for; ``chronic`` that it is a prescription for a chronic disease.
    """

    code: str = Field(pattern=r"^[a-z0-9_]{2,32}$")
    name: str = Field(min_length=2, max_length=12)
    diagnosis: str
    chronic: bool
    lines: tuple[TemplateLine, ...] = Field(min_length=1, max_length=5)
    source: str = Field(min_length=3)
    reviewed: bool


@cache
def prescription_templates() -> tuple[PrescriptionTemplate, ...]:
    """The shipped templates, in the order in which they are offered."""
    return load_prescription_templates(TEMPLATES, reference())


def load_prescription_templates(path: Path, known: Reference) -> tuple[PrescriptionTemplate, ...]:
    """Read and check the templates in ``path``.

    Raises:
        DataError: the file is missing or wrong; a code or name comes twice; a disease is not known, or a medicine,
            route or frequency is not in the drug reference.
    """
    rows = read_rows(path, PrescriptionTemplate)
    require_unique(path, "code", [row.code for row in rows])
    require_unique(path, "name", [row.name for row in rows])
    for row in rows:
        if lookup(row.diagnosis) is None:
            raise DataError(f"{path}: {row.code}: there is no disease {row.diagnosis!r}")
        for line in row.lines:
            preparation = known.preparations.get(line.preparation)
            if preparation is None or line.route not in preparation.routes or line.frequency not in known.frequencies:
                raise DataError(f"{path}: {row.code}: the drug reference has no {line.preparation!r} given like that")
    return rows
