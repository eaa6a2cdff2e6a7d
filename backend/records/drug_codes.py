"""Names of medicines and of what people are allergic to, as codes of `data.drugs`."""

import importlib
from typing import Any

from data.errors import DataError


def medicine_code(name: str) -> str | None:
    """Give the code of the one medicine that is called so; None where it is not known, or may be several."""
    reference = _reference()
    medicine = reference.medicine_called(name) if reference else None
    return medicine.code if medicine else None


def allergen_code(substance: str) -> str | None:
    """Give the code of the class, substance or medicine that somebody who names `substance` is allergic to, or None."""
    reference = _reference()
    code: str | None = reference.allergen_called(substance) if reference else None
    return code


def atc_code(code: str | None) -> str:
    """Give WHO's code of the medicine of this code; "" where it is no medicine, or has none."""
    reference = _reference() if code else None
    medicine = reference.medicines.get(code) if reference else None
    return medicine.atc if medicine else ""


def _reference() -> Any | None:
    # None while this version of the product has no drug reference. One that cannot be read stops prescribing, not
    # reading what a patient has told: the name stands there all the same.
    try:
        return importlib.import_module("data.drugs").reference()
    except (ModuleNotFoundError, DataError):
        return None
