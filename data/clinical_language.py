"""The words of patients: symptoms, body parts, drugs and diseases with their everyday names (``data/nlu``)."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from data.departments import departments
from data.diseases import Disease, Term, read_diseases
from data.errors import DataError
from data.files import ROOT, Row, read_object, read_rows, require_unique

FOLDER = ROOT / "nlu"

SYMPTOMS_FROM = "《诊断学》第9版（人民卫生出版社，2018）；《医疗机构诊疗科目名录》（卫医发〔1994〕第27号）"
"""Where a symptom and the departments that see it can be read, unless its row says otherwise."""


class Symptom(Row):
    """A symptom, sign or dangerous event.

    ``name`` is the plain name used everywhere, ``record`` the term of a medical record where it differs; ``synonyms``
    are literal words, ``patterns`` regular expressions over normalised text; ``departments`` weighs who should see it.
    """

    id: str
    name: str
    record: str = ""
    kind: Literal["symptom", "sign", "event"] = "symptom"
    synonyms: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    departments: dict[str, float]
    source: str = SYMPTOMS_FROM


class BodyPart(Row):
    """A part of the body: its names, and which symptom each sensation there is."""

    name: str
    synonyms: tuple[str, ...]
    symptoms: dict[str, str]


class Sensation(Row):
    """A sensation or change (痛, 胀, 肿 …) with the words for it."""

    name: str
    synonyms: tuple[str, ...]


class Anatomy(Row):
    """Body parts, and the sensations that can be felt in them."""

    parts: tuple[BodyPart, ...]
    sensations: tuple[Sensation, ...]


class Habit(Row):
    """A habit or a side of the general condition, with regular expressions over normalised text.

    ``positive`` are words that it is so or in order, ``negative`` that it is not; ``record`` is how an outpatient
    record writes the one and the other. ``symptoms`` say already that it is disturbed (失眠 for 睡眠).
    """

    name: str
    record: tuple[str, str]
    symptoms: tuple[str, ...] = ()
    positive: tuple[str, ...] = Field(min_length=1)
    negative: tuple[str, ...] = Field(min_length=1)


class ClinicalLanguage(Row):
    """All words of patients, checked against each other."""

    symptoms: tuple[Symptom, ...]
    anatomy: Anatomy
    drugs: tuple[Term, ...]
    diseases: tuple[Disease, ...]
    findings: tuple[Term, ...]
    """What people carry home from an examination (心肌缺血, 早搏): told like a disease."""
    examinations: tuple[Term, ...]
    operations: tuple[Term, ...]
    treatments: tuple[Term, ...]
    habits: tuple[Habit, ...]
    kinds: dict[str, str]
    """For a symptom the more general one that it is a kind of: 右下腹痛 is a kind of 下腹痛, that of 腹痛."""


def load_clinical_language(folder: Path = FOLDER) -> ClinicalLanguage:
    """The words in ``folder``; ``DataError`` where a file is missing, wrong, or names what another file lacks."""
    symptoms = read_rows(folder / "symptoms.json", Symptom)
    anatomy = read_object(folder / "anatomy.json", Anatomy)
    _check_symptoms(folder / "symptoms.json", symptoms)
    _check_anatomy(folder / "anatomy.json", anatomy, {row.name for row in symptoms})
    names = {row.name for row in symptoms}
    operations = _read_terms(folder / "operations.json")
    diseases = read_diseases(folder / "diseases", names, {row.name for row in operations})
    _check_terms(folder / "diseases", diseases)
    kinds = read_object(folder / "symptom_kinds.json", dict[str, str])
    _check_kinds(folder / "symptom_kinds.json", kinds, names)
    return ClinicalLanguage(
        symptoms=symptoms,
        anatomy=anatomy,
        drugs=_read_terms(folder / "drugs.json"),
        diseases=diseases,
        findings=_read_terms(folder / "findings.json"),
        examinations=_read_terms(folder / "examinations.json"),
        operations=operations,
        treatments=_read_terms(folder / "treatments.json"),
        habits=_read_habits(folder / "habits.json", names),
        kinds=kinds,
    )


@cache
def clinical_language() -> ClinicalLanguage:
    """The shipped words."""
    return load_clinical_language()


def _check_symptoms(path: Path, rows: tuple[Symptom, ...]) -> None:
    require_unique(path, "id", [row.id for row in rows])
    require_unique(path, "name or synonym", [word for row in rows for word in (row.name, *row.synonyms)])
    for row in rows:
        _check_departments(path, row.id, row.departments)
        _check_patterns(path, row.id, row.patterns)


def _check_patterns(path: Path, owner: str, patterns: tuple[str, ...]) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise DataError(f"{path}: {owner}: bad pattern {pattern!r} ({error})") from error


def _read_terms(path: Path) -> tuple[Term, ...]:
    rows = read_rows(path, Term)
    _check_terms(path, rows)
    return rows


def _read_habits(path: Path, symptoms: set[str]) -> tuple[Habit, ...]:
    rows = read_rows(path, Habit)
    require_unique(path, "name", [row.name for row in rows])
    for row in rows:
        _check_patterns(path, row.name, (*row.positive, *row.negative))
        for symptom in row.symptoms:
            if symptom not in symptoms:
                raise DataError(f"{path}: {row.name} names the unknown symptom {symptom!r}")
    return rows


def _check_anatomy(path: Path, anatomy: Anatomy, symptoms: set[str]) -> None:
    require_unique(path, "body part", [word for part in anatomy.parts for word in part.synonyms])
    require_unique(path, "sensation", [word for row in anatomy.sensations for word in row.synonyms])
    sensations = {row.name for row in anatomy.sensations}
    for part in anatomy.parts:
        for sensation, symptom in part.symptoms.items():
            if sensation not in sensations:
                raise DataError(f"{path}: {part.name} has the unknown sensation {sensation!r}")
            if symptom not in symptoms:
                raise DataError(f"{path}: {part.name} has the unknown symptom {symptom!r}")


def _check_terms(path: Path, rows: Sequence[Term]) -> None:
    require_unique(path, "name or synonym", [word for row in rows for word in (row.name, *row.synonyms)])
    for row in rows:
        _check_departments(path, row.name, row.departments)


def _check_kinds(path: Path, kinds: dict[str, str], symptoms: set[str]) -> None:
    for name, general in kinds.items():
        seen = {name}
        above: str | None = general
        for known in (name, general):
            if known not in symptoms:
                raise DataError(f"{path}: unknown symptom {known!r}")
        while above is not None:
            if above in seen:
                raise DataError(f"{path}: {name!r} is a kind of itself")
            seen.add(above)
            above = kinds.get(above)


def _check_departments(path: Path, owner: str, weights: dict[str, float]) -> None:
    unknown = [code for code in weights if code not in departments()]
    if unknown:
        raise DataError(f"{path}: {owner} names the unknown department {unknown[0]!r}")
