"""Names of medicines and of what people are allergic to, as codes of `data.drugs`."""

from data.drugs import Reference, reference
from data.errors import DataError


def medicine_code(name: str) -> str | None:
    """Give the code of the one medicine that is called so; None where it is not known, or may be several."""
    known = _reference()
    medicine = known.medicine_called(name) if known else None
    return medicine.code if medicine else None


def allergen_code(substance: str) -> str | None:
    """Give the code of the class, substance or medicine that somebody who names `substance` is allergic to, or None."""
    known = _reference()
    return known.allergen_called(substance) if known else None


def atc_code(code: str | None) -> str:
    """Give WHO's code of the medicine of this code; "" where it is no medicine, or has none."""
    known = _reference()
    medicine = known.medicines.get(code or "") if known else None
    return medicine.atc if medicine else ""


def _reference() -> Reference | None:
    # One that cannot be read stops prescribing, but not reading what a patient has told: the name stands there.
    try:
        return reference()
    except DataError:
        return None
