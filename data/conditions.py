"""Conditions over the facts of a case, shared by danger signs, triage levels and interview questions."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from data.clinical_language import clinical_language
from data.errors import DataError
from data.files import Row


class Condition(Row):
    """What must hold, all of it: findings by name, and limits of age (months), °C, mmHg, mmol/L, % and beats a minute.

    ``all_of`` are all present, of ``any_of`` and of ``also_any`` at least one each. A limit ``…_from`` is reached or
    exceeded, ``…_below`` is not reached; an unknown value meets no limit, save that a child of unknown age counts as
    under five years.
    """

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    also_any: tuple[str, ...] = ()
    any_disease: tuple[str, ...] = ()
    age_below_months: int | None = None
    age_from_months: int | None = None
    temperature_from: float | None = None
    systolic_from: int | None = None
    systolic_below: int | None = None
    diastolic_from: int | None = None
    glucose_from: float | None = None
    glucose_below: float | None = None
    spo2_below: int | None = None
    heart_rate_from: int | None = None
    heart_rate_below: int | None = None
    respiratory_rate_from: int | None = None
    pregnant: bool = False
    sex: Literal["male", "female"] | None = None
    severity: Literal["轻度", "中度", "重度"] | None = None

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Findings of which at least one of each group must be present."""
        together = (group for group in (self.any_of, self.also_any) if group)
        return (*((name,) for name in self.all_of), *together)

    @cached_property
    def limits(self) -> tuple[tuple[str, float | None, float | None], ...]:
        """Every measure that is limited, with what it must reach and what it must stay below."""
        named = (
            ("age", self.age_from_months, self.age_below_months),
            ("temperature", self.temperature_from, None),
            ("systolic", self.systolic_from, self.systolic_below),
            ("diastolic", self.diastolic_from, None),
            ("glucose", self.glucose_from, self.glucose_below),
            ("spo2", None, self.spo2_below),
            ("respiratory_rate", self.respiratory_rate_from, None),
            ("heart_rate", self.heart_rate_from, self.heart_rate_below),
        )
        return tuple(limit for limit in named if limit[1:] != (None, None))

    @model_validator(mode="after")
    def _says_something(self) -> "Condition":
        if not self.model_fields_set:
            raise ValueError("an empty condition would always hold")
        return self


def check_names(path: Path, owner: str, conditions: Iterable[Condition]) -> None:
    """``DataError`` where a condition of ``owner`` names a finding or disease that the clinical language lacks."""
    symptoms = {row.name for row in clinical_language().symptoms}
    language = clinical_language()
    diseases = {row.name for row in (*language.diseases, *language.findings, *language.operations)}
    for condition in conditions:
        for name in (*condition.all_of, *condition.any_of, *condition.also_any):
            if name not in symptoms:
                raise DataError(f"{path}: {owner} names the unknown finding {name!r}")
        for name in condition.any_disease:
            if name not in diseases:
                raise DataError(f"{path}: {owner} names the unknown disease {name!r}")
