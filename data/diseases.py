"""Diseases: their names, and what a primary-care doctor knows of them (``data/nlu/diseases``).

One file a chapter, so that a clinician can edit it; ``docs/knowledge-base.md`` says how. A row without ``symptoms`` is
only a name that patients use when they tell what they have had.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from data.errors import DataError
from data.files import Row, read_rows

CHAPTERS = (
    "cardiovascular",
    "respiratory",
    "digestive",
    "endocrine",
    "neurology",
    "infectious",
    "pediatrics",
    "dermatology",
    "ear_nose_throat",
    "eye",
    "mouth",
    "gynecology_obstetrics",
    "urology_nephrology",
    "musculoskeletal",
    "surgery",
    "blood_oncology",
    "psychiatry",
    "emergency",
    "histories",
)
"""The files, without their ending; ``histories`` holds what is told as a history alone (肿瘤)."""

BANDS = (0.9, 0.7, 0.5, 0.3, 0.15, 0.05)
"""The only shares there are: 几乎都有, 多数, 约一半, 部分, 少数, 偶见. Finer ones would feign a count."""


def _is_band(share: float) -> float:
    if share not in BANDS:
        raise ValueError(f"{share} is none of the bands {', '.join(map(str, BANDS))}")
    return share


Share = Annotated[float, AfterValidator(_is_band)]
"""A share of the patients with a disease, as one of ``BANDS``."""


class Term(Row):
    """A drug or a disease with its everyday names."""

    name: str
    synonyms: tuple[str, ...] = ()
    departments: dict[str, float] = Field(default_factory=dict)


class VitalFinding(Row):
    """A measured value and the share of patients with the disease who show it.

    ``minimum`` is reached or exceeded, ``below`` is not reached, just one of the two; °C, mmHg, mmol/L, beats or
    breaths a minute, %.
    """

    measure: Literal["temperature", "systolic", "diastolic", "glucose", "heart_rate", "respiratory_rate", "spo2"]
    minimum: float | None = None
    below: float | None = None
    share: Share

    @model_validator(mode="after")
    def _has_one_limit(self) -> "VitalFinding":
        if (self.minimum is None) == (self.below is None):
            raise ValueError("give either minimum or below")
        return self


class Disease(Term):
    """A disease as a primary-care doctor knows it.

    ``symptoms`` gives for a symptom's name the share of patients who have it; ``frequency`` is how often a township
    clinic sees the disease; ``ages`` are the months from and below which it occurs at all, ``usual_ages`` those of most
    patients; ``pregnancy`` marks what there is in pregnancy alone; ``risks`` gives for another disease how many times
    likelier this one is with it; ``red_flags`` are codes of ``red_flags.json`` that it may show; ``examine`` is what to
    look at or measure next, in the words of a doctor; ``source`` is where this can be read.

    ``shares`` says where the numbers come from: clinical judgement in bands, or counted in the source.
    ``reviewed`` says who has reviewed the row and when; empty while nobody has.
    ``spoken`` is false for a name that patients mean as a complaint (小儿咳嗽): it is not listened for.
    """

    icd10: str = ""
    spoken: bool = True
    frequency: Literal["very_common", "common", "occasional", "rare"] = "occasional"
    ages: tuple[int | None, int | None] = (None, None)
    usual_ages: tuple[int | None, int | None] = (None, None)
    sex: Literal["female", "male", "all"] = "all"
    pregnancy: bool = False
    symptoms: dict[str, Share] = Field(default_factory=dict)
    vitals: tuple[VitalFinding, ...] = ()
    risks: dict[str, Annotated[float, Field(gt=1, le=20)]] = Field(default_factory=dict)
    red_flags: tuple[str, ...] = ()
    examine: tuple[str, ...] = ()
    shares: Literal["judgement", "counted"] = "judgement"
    source: str = ""
    reviewed: str = ""

    @model_validator(mode="after")
    def _knowledge_is_whole(self) -> "Disease":
        """A row with symptoms says all that a doctor needs; one without says nothing but its names."""
        needed = ("icd10", "frequency", "departments", "examine", "source")
        if self.symptoms:
            lacking = [field for field in needed if field not in self.model_fields_set or not getattr(self, field)]
            if lacking:
                raise ValueError(f"{self.name} has symptoms but lacks {', '.join(lacking)}")
        elif self.model_fields_set - {"name", "synonyms", "departments", "spoken"}:
            raise ValueError(f"{self.name} has knowledge but no symptoms")
        for low, high in (self.ages, self.usual_ages):
            if low is not None and high is not None and low >= high:
                raise ValueError(f"{self.name}: ages from {low} and below {high} months are none")
        return self


def read_diseases(folder: Path, symptoms: Collection[str], operations: Collection[str]) -> tuple[Disease, ...]:
    """The diseases of every chapter in ``folder``, in the order of ``CHAPTERS``.

    Raises ``DataError`` where a chapter is missing or wrong, or a row names a symptom that is none of ``symptoms`` or a
    risk that is neither a disease nor one of ``operations``.
    """
    chapters = {chapter: read_rows(folder / f"{chapter}.json", Disease) for chapter in CHAPTERS}
    known = {row.name for rows in chapters.values() for row in rows} | set(operations)
    for chapter, rows in chapters.items():
        for row in rows:
            _check(folder / f"{chapter}.json", row, set(symptoms), known)
    return tuple(row for rows in chapters.values() for row in rows)


def _check(path: Path, row: Disease, symptoms: set[str], risks: set[str]) -> None:
    for name in row.symptoms:
        if name not in symptoms:
            raise DataError(f"{path}: {row.name} names the unknown symptom {name!r}")
    for name in row.risks:
        if name not in risks:
            raise DataError(f"{path}: {row.name} names the unknown risk {name!r}")


if __name__ == "__main__":  # prints the JSON Schema of a chapter, for editors: docs/diseases.schema.json
    print(json.dumps(TypeAdapter(list[Disease]).json_schema(), ensure_ascii=False, indent=1))
