"""Syndromes that are counted: what makes a case one, by coded symptoms and by ICD-10, each with its source.

Where a source names a syndrome without a list of codes or symptoms, the list is our own judgement, and so is every row
marked `own`; all of it is to be reviewed by an epidemiologist (docs/surveillance.md).
"""

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

from pydantic import Field

from data.clinical_language import clinical_language
from data.errors import DataError
from data.files import ROOT, Row, read_rows, require_unique

PATH = ROOT / "surveillance" / "syndromes.json"

_CODES = re.compile(r"[A-Z]\d\d(-[A-Z]\d\d)?")


class Syndrome(Row):
    """A syndrome.

    ``rules``: a case is one where every group of some rule has a symptom that is present, by the symptom's plain name.
    ``from_months``: younger patients are not counted by their symptoms. ``icd10``: categories, and spans of them, one
    of which the doctor or the expert coded. ``least``: so many cases in a day make an alarm, and not fewer.
    """

    code: str = Field(pattern=r"^[a-z_]{3,32}$")
    name: str = Field(min_length=2, max_length=8)
    definition: str = Field(min_length=10)
    rules: tuple[tuple[tuple[str, ...], ...], ...]
    from_months: int = Field(default=0, ge=0)
    icd10: tuple[str, ...]
    least: int = Field(ge=5)
    source: str = Field(min_length=3)

    def holds(self, symptoms: Collection[str], codes: Collection[str], age_months: int | None = None) -> bool:
        """Tell whether a case is one of this syndrome.

        Args:
            symptoms: names of the symptoms that are present. codes: ICD-10 codes. age_months: None where unknown.
        """
        old_enough = age_months is None or age_months >= self.from_months
        told = old_enough and any(all(set(group) & set(symptoms) for group in rule) for rule in self.rules)
        return told or any(_within(code, span) for code in codes for span in self.icd10)


def load_syndromes(path: Path = PATH) -> dict[str, Syndrome]:
    """The syndromes in ``path`` by their codes, in its order; ``DataError`` where the file is missing or wrong: a code
    twice, a symptom that there is not, what is no category of ICD-10, a rule or group with nothing in it."""
    rows = read_rows(path, Syndrome)
    require_unique(path, "code", [row.code for row in rows])
    require_unique(path, "name", [row.name for row in rows])
    known = {symptom.name for symptom in clinical_language().symptoms}
    for row in rows:
        for span in row.icd10:
            if not _CODES.fullmatch(span) or span[:3] > span[-3:]:
                raise DataError(f"{path}: {row.code}: {span!r} is no category and no span of categories")
        if not row.rules and not row.icd10:
            raise DataError(f"{path}: {row.code}: nothing makes a case one")
        for rule in row.rules:
            if not rule or not all(rule):
                raise DataError(f"{path}: {row.code}: a rule or a group of it is empty")
            for symptom in {name for group in rule for name in group} - known:
                raise DataError(f"{path}: {row.code}: there is no symptom {symptom!r}")
    return {row.code: row for row in rows}


@cache
def syndromes() -> dict[str, Syndrome]:
    """The shipped syndromes."""
    return load_syndromes()


def syndromes_of(symptoms: Collection[str], codes: Collection[str], age_months: int | None = None) -> list[str]:
    """The codes of the syndromes that a case is of; arguments as in ``Syndrome.holds``."""
    return [code for code, one in syndromes().items() if one.holds(symptoms, codes, age_months)]


def _within(code: str, span: str) -> bool:
    return bool(code) and span[:3] <= code.strip().upper()[:3] <= span[-3:]
