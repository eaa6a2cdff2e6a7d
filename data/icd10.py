"""Diseases after ICD-10 in the names used in China (GB/T 14396-2016), as far as county consultations need them.

The hierarchy is that of the WHO's ICD-10: a chapter holds blocks ("I10-I15"), a block categories ("I10"), a category
subcategories ("I10.9").
"""

import re
from functools import cache
from pathlib import Path

from data.departments import departments
from data.errors import DataError
from data.files import ROOT, Row, read_object, require_unique

PATH = ROOT / "icd10.json"

_CODE = re.compile(r"[A-Z]\d\d(\.[0-9A-Z]+)?")
_SPAN = re.compile(r"[A-Z]\d\d-[A-Z]\d\d")


class Disease(Row):
    """A disease: its code, its name, what else people call it, and the department that treats it."""

    code: str
    name: str
    department: str
    aliases: tuple[str, ...] = ()


class Block(Row):
    """A block of categories, "I10-I15"."""

    code: str
    name: str


class Chapter(Block):
    """A chapter, with its Roman number."""

    number: str


class Icd10(Row):
    """The whole file."""

    chapters: tuple[Chapter, ...]
    blocks: tuple[Block, ...]
    diseases: tuple[Disease, ...]


def load_icd10(path: Path = PATH) -> Icd10:
    """Read and check the file.

    Raises:
        DataError: it is missing or wrong: a code twice or of the wrong shape, a disease outside every block or chapter
            or inside two, a department that there is not.
    """
    tables = read_object(path, Icd10)
    require_unique(path, "disease", [disease.code for disease in tables.diseases])
    for span in (*tables.chapters, *tables.blocks):
        if not _SPAN.fullmatch(span.code):
            raise DataError(f"{path}: {span.code!r} is no span of categories")
    for disease in tables.diseases:
        if not _CODE.fullmatch(disease.code):
            raise DataError(f"{path}: {disease.code!r} is no code")
        if disease.department not in departments():
            raise DataError(f"{path}: {disease.code}: there is no department {disease.department!r}")
        for spans in (tables.chapters, tables.blocks):
            if sum(_within(disease.code, span.code) for span in spans) != 1:
                raise DataError(f"{path}: {disease.code} does not lie in exactly one block and one chapter")
    return tables


def lookup(code: str) -> Disease | None:
    """Give the disease with `code`, or the nearest that is known above it, or None.

    National extensions shorten to what they extend (I10.x00 to I10), a bare category stands for its unspecified
    disease (E11 for E11.9).
    """
    diseases = _by_code()
    wanted = _normal(code)
    if wanted in diseases:
        return diseases[wanted]
    category, _, rest = wanted.partition(".")
    for length in range(len(rest) - 1, 0, -1):
        if found := diseases.get(f"{category}.{rest[:length]}"):
            return found
    return diseases.get(category) or diseases.get(f"{category}.9")


def diseases() -> tuple[Disease, ...]:
    """Give every disease that the reference data has."""
    return _icd10().diseases


def search(text: str, limit: int = 10) -> list[Disease]:
    """Find diseases by the beginning of a code, or by any part of a name; the closest first."""
    wanted = text.strip()
    if not wanted or limit <= 0:
        return []
    ranked = [
        (rank, disease.code, disease) for disease in _icd10().diseases if (rank := _rank(disease, wanted)) is not None
    ]
    return [disease for _, _, disease in sorted(ranked, key=lambda found: found[:2])[:limit]]


def parents(code: str) -> tuple[str, ...]:
    """Give what lies above `code`, the closest first: category, block, chapter. Empty for what is no code."""
    wanted = _normal(code)
    if not _CODE.fullmatch(wanted):
        return ()
    above = [wanted[:length] for length in range(len(wanted) - 1, 4, -1)] + ([wanted[:3]] if len(wanted) > 3 else [])
    tables = _icd10()
    spans = [span.code for level in (tables.blocks, tables.chapters) for span in level if _within(wanted, span.code)]
    return (*above, *spans)


def _rank(disease: Disease, wanted: str) -> int | None:
    names = (disease.name, *disease.aliases)
    tests = (
        disease.code == _normal(wanted),
        wanted == disease.name,
        wanted in names,
        bool(_normal(wanted)) and disease.code.startswith(_normal(wanted)),
        any(name.startswith(wanted) for name in names),
        any(wanted in name for name in names),
    )
    return next((rank for rank, holds in enumerate(tests) if holds), None)


def _within(code: str, span: str) -> bool:
    first, last = span.split("-")
    return first <= code[:3] <= last


def _normal(code: str) -> str:
    return code.strip().upper().replace("．", ".").replace("。", ".").rstrip("+*")


@cache
def _icd10() -> Icd10:
    return load_icd10()


@cache
def _by_code() -> dict[str, Disease]:
    return {disease.code: disease for disease in _icd10().diseases}
