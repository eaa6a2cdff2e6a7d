"""Observations of FHIR as measured values, with the mark of what is abnormal. Pure."""

from decimal import Decimal, InvalidOperation
from typing import Any

from backend.records.hospital.facts import Measurement
from backend.records.hospital.numbers import plain
from backend.records.hospital.reading import coded, day, has_code, text_of
from backend.records.hospital.validation import Resource

LOINC = ("http://loinc.org",)

_UNUSABLE = {"cancelled", "entered-in-error", "registered"}
# HL7 v3 ObservationInterpretation, the codes that say that a value is not as it should be.
_MARKS = {
    "HH": "HH", "HU": "HH", "H>": "HH", "LL": "LL", "LU": "LL", "L<": "LL", "AA": "A", "H": "H", "L": "L", "A": "A",
    "POS": "A", "DET": "A",
}  # fmt: skip
_LONGEST = 200


def measurements(resource: Resource) -> list[Measurement] | None:
    """Give the values of an Observation: its own, or those of its components; None where it has none."""
    if resource.get("status") in _UNUSABLE:
        return []
    taken = day(resource, "effectiveDateTime", "effectiveInstant", "effectivePeriod", "issued")
    vital = any(has_code(one, {"vital-signs"}) for one in resource.get("category", []))
    parts = [part for part in resource.get("component", []) if _value(part)[0]]
    panel = coded(resource.get("code"), LOINC) or text_of(resource.get("code"))
    found = [_measurement(part, taken, vital, panel) for part in parts]
    if _value(resource)[0]:
        found.append(_measurement(resource, taken, vital, ""))
    named = [one for one in found if one.code or one.name]
    return named or None


def _measurement(part: Resource, taken: str, vital: bool, panel: str) -> Measurement:
    value, unit = _value(part)
    low, high = _range(part, unit)
    name = text_of(part.get("code"))
    code = coded(part.get("code"), LOINC)
    return Measurement(code, name or code, value, unit, low, high, _mark(part, value, low, high), taken, vital, panel)


def _value(part: Resource) -> tuple[str, str]:
    """Give the value and its unit; words and codes have none."""
    quantity = part.get("valueQuantity")
    if isinstance(quantity, dict) and _number(quantity.get("value")) is not None:
        comparator = str(quantity.get("comparator", ""))
        return f"{comparator}{plain(quantity['value'])}", str(quantity.get("code") or quantity.get("unit") or "")[:40]
    if "valueInteger" in part:
        return str(part["valueInteger"]), ""
    words = text_of(part.get("valueCodeableConcept")) or str(part.get("valueString", ""))
    return " ".join(words.split())[:_LONGEST], ""


def _range(part: Resource, unit: str) -> tuple[str, str]:
    """Give the first reference range that is for everybody normal and in the value's own unit."""
    for one in part.get("referenceRange", []):
        if one.get("type") is not None and not has_code(one["type"], {"normal"}):
            continue
        ends = [one.get(end) or {} for end in ("low", "high")]
        if all(str(end.get("code") or end.get("unit") or unit) == unit for end in ends):
            low, high = ("" if _number(end.get("value")) is None else plain(end["value"]) for end in ends)
            return low, high
    return "", ""


def _mark(part: Resource, value: str, low: str, high: str) -> str:
    """Give what the hospital says, and what the range says where the hospital says nothing or "normal"."""
    for concept in part.get("interpretation", []):
        for coding in concept.get("coding", []):
            if coding.get("code") in _MARKS:
                return _MARKS[coding["code"]]
    number = _number(value.lstrip("<>="))
    if number is None:
        return ""
    if low and number < Decimal(low):
        return "L"
    return "H" if high and number > Decimal(high) else ""


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
