"""The knowledge base: the diseases whose symptoms are known, checked against all other reference data."""

from functools import cache
from pathlib import Path

from data.clinical_language import FOLDER, clinical_language
from data.diseases import Disease
from data.errors import DataError
from data.icd10 import lookup
from data.red_flags import red_flags


def check_knowledge(rows: tuple[Disease, ...], path: Path = FOLDER / "diseases") -> tuple[Disease, ...]:
    """Those of ``rows`` that have symptoms.

    Raises ``DataError`` where one has an ICD-10 code that ``icd10.json`` lacks, or a danger sign that
    ``red_flags.json`` lacks.
    """
    known = tuple(row for row in rows if row.symptoms)
    flags = {rule.code for rule in red_flags()}
    for row in known:
        coded = lookup(row.icd10)
        if coded is None or coded.code != row.icd10:
            raise DataError(f"{path}: {row.name} has the unknown ICD-10 code {row.icd10!r}")
        for code in row.red_flags:
            if code not in flags:
                raise DataError(f"{path}: {row.name} names the unknown danger sign {code!r}")
    return known


@cache
def knowledge_base() -> tuple[Disease, ...]:
    """The shipped diseases with symptoms, in the order of their chapters."""
    return check_knowledge(clinical_language().diseases)
