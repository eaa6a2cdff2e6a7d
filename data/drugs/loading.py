"""Reading the drug reference. Whatever is wrong in it is an error: nothing is checked against half of it."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TypeVar

from data.drugs.reference import Reference
from data.drugs.rows import (
    CrossReaction,
    DrugClass,
    Form,
    Frequency,
    Ingredient,
    Interaction,
    Law,
    Medicine,
    Source,
)
from data.errors import DataError
from data.files import ROOT, read_rows, require_unique

FOLDER = ROOT / "drugs"

LAWS = (
    "max_medicines",
    "diagnosis",
    "acute_days",
    "chronic_days",
    "chronic_reason",
    "chronic_excluded",
    "controlled_online",
    "young_child_online",
    "first_visit_online",
    "antibiotic_grades",
    "special_antibiotics",
    "patient",
    "suitability",
)
"""The articles that the checks lean on."""

Coded = TypeVar("Coded", DrugClass, Form, Frequency, Ingredient, Law, Source)


@cache
def reference() -> Reference:
    """The shipped drug reference.

    Raises:
        DataError: a file is missing or damaged. Then nothing may be prescribed.
    """
    return load_reference()


def load_reference(folder: Path = FOLDER) -> Reference:
    """Read and check all files of `folder`.

    Raises:
        DataError: a file is missing, cannot be read or does not fit; a code comes twice, or is used and nowhere
            explained; a fact is without source, a class without members, a medicine without a dose for a route.
    """
    medicines = _medicines(folder / "medicines")
    classes = _coded(folder / "classes.json", DrugClass)
    forms = _coded(folder / "forms.json", Form)
    frequencies = _coded(folder / "frequencies.json", Frequency)
    sources = _coded(folder / "sources.json", Source)
    ingredients = _coded(folder / "ingredients.json", Ingredient)
    interactions = read_rows(folder / "interactions.json", Interaction)
    crossings = read_rows(folder / "cross_reactions.json", CrossReaction)
    laws = _coded(folder / "laws.json", Law)
    _require(folder, LAWS, {one.code for one in laws}, "a check")
    codes = [[one.code for one in medicines], [one.code for one in classes], [one.code for one in ingredients]]
    require_unique(folder, "code", [code for rows in codes for code in rows])
    require_unique(folder, "interaction", ["+".join(sorted(one.between)) for one in interactions])
    require_unique(folder, "cross-reaction", [f"{one.allergic_to} to {one.given}" for one in crossings])
    names = [name for one in classes for name in (one.name, *one.aliases)]
    require_unique(folder / "classes.json", "name or alias", names)

    classed = {one.code for one in classes}
    known = classed | {one.code for one in medicines}
    _require_layers(folder, {one.code: one.within for one in classes})
    for one in classes:
        _require(folder, one.within, classed, f"class {one.code}")
        if one.duplicate and not one.why:
            raise DataError(f"{folder}: class {one.code} does not say why two of it are too many")
    for medicine in medicines:
        _check_medicine(folder, medicine, classed, {one.code for one in forms}, {one.code for one in frequencies})
        _require(folder, medicine.ingredients, {*codes[0], *codes[2]}, f"medicine {medicine.code}")
    for interaction in interactions:
        _require(folder, interaction.between, known, "an interaction")
    for crossing in crossings:
        _require(folder, (crossing.allergic_to, crossing.given), known, "a cross-reaction")
    built = Reference(medicines, classes, interactions, crossings, forms, frequencies, sources, laws, ingredients)
    _require(folder, built.cited, set(built.sources), "a fact")
    _check_whole(folder, built)
    return built


def _coded(path: Path, row: type[Coded]) -> tuple[Coded, ...]:
    rows = read_rows(path, row)
    require_unique(path, "code", [one.code for one in rows])
    return rows


def _medicines(folder: Path) -> tuple[Medicine, ...]:
    files = sorted(folder.glob("*.json"))
    if not files:
        raise DataError(f"{folder}: holds no medicines")
    medicines = tuple(one for file in files for one in read_rows(file, Medicine))
    require_unique(folder, "name", [one.name for one in medicines])
    return medicines


def _require(folder: Path, codes: Iterable[str], known: set[str], what: str) -> None:
    for code in codes:
        if code not in known:
            raise DataError(f"{folder}: {what} names {code!r}, which there is not")


def _require_layers(folder: Path, within: dict[str, tuple[str, ...]]) -> None:
    left = dict(within)
    while free := [code for code, above in left.items() if not set(above) & set(left)]:
        for code in free:
            del left[code]
    if left:
        raise DataError(f"{folder}: the classes {', '.join(sorted(left))} lie within each other")


def _check_medicine(folder: Path, one: Medicine, classes: set[str], forms: set[str], frequencies: set[str]) -> None:
    place = f"medicine {one.code}"
    _require(folder, one.classes, classes, place)
    _require(folder, (row.form for row in one.preparations), forms, place)
    for dose in one.doses:
        _require(folder, dose.frequencies, frequencies, place)
    if one.days and not 0 < one.days[0] <= one.days[1]:
        raise DataError(f"{folder}: {place}: the days are upside down")
    for span in (*one.indications, *(code for fact in one.avoid for code in fact.icd)):
        first, _, last = span.partition("-")
        if last and first[:3] > last:
            raise DataError(f"{folder}: {place}: the span {span} is upside down")


def _check_whole(folder: Path, built: Reference) -> None:
    rows = sum(len(one.preparations) for one in built.medicines.values())
    if len(built.preparations) != rows:
        raise DataError(f"{folder}: a preparation comes twice")
    for code, one in built.classes.items():
        if one.substance == bool(built.members(code)):
            raise DataError(f"{folder}: class {code} has members and is a substance, or neither")
    found = {one.between for pair in built.pairs for one in built.between(*pair)}
    if lost := [one for one in built.interactions if one.between not in found]:
        raise DataError(f"{folder}: the interaction {lost[0].between} is of no two medicines")
    for preparation in built.preparations.values():
        for route in preparation.routes:
            if not any(not dose.routes or route in dose.routes for dose in preparation.medicine.doses):
                raise DataError(f"{folder}: {preparation.code}: there is no dose for the route {route!r}")
