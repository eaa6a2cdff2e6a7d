"""Measurements in the terms of `data.observations`: one unit a kind, and a reference range where none was stated. Pure.

What has a code that is not known there, or a unit that cannot be converted, stays as it was told.
"""

from decimal import Decimal, InvalidOperation
from functools import cache

from backend.records.hospital.facts import Measurement
from backend.records.hospital.numbers import plain
from backend.records.hospital.units import shown_unit
from data.observations import ObservationKind, UnknownUnit, observation_kinds

PRESSURE = "85354-9"
SYSTOLIC, DIASTOLIC = "8480-6", "8462-4"
PRESSURES = (SYSTOLIC, DIASTOLIC)


@cache
def _kinds() -> dict[str, ObservationKind]:
    return {kind.loinc: kind for kind in observation_kinds().values()}


def in_own_unit(one: Measurement) -> Measurement:
    """Give a measurement in its kind's unit."""
    kind = _kinds().get(one.code)
    if kind is None or not kind.unit or one.unit == kind.unit:
        return one
    try:
        value, low, high = (_converted(kind, text, one.unit) for text in (one.value, one.low, one.high))
    except (UnknownUnit, InvalidOperation):
        return one
    return one._replace(value=value, low=low, high=high, unit=kind.unit)


def _converted(kind: ObservationKind, text: str, unit: str) -> str:
    return plain(kind.to_own_unit(Decimal(text), unit)) if text else ""


def with_reference(one: Measurement, sex: str, age_months: int | None) -> Measurement:
    """Give a measurement with the range for somebody, where it has none, and with the mark that follows from it."""
    kind = _kinds().get(one.code)
    if kind is None or one.mark or one.low or one.high or one.unit != kind.unit:
        return one
    if kind.answers:
        return one._replace(mark="" if one.value in kind.usual or one.value not in kind.answers else "A")
    reference = kind.reference(sex, age_months)
    try:
        number = Decimal(one.value)
    except InvalidOperation:
        return one
    if reference is None:
        return one
    low, high = ("" if end is None else plain(end) for end in (reference.low, reference.high))
    mark = "L" if low and number < Decimal(low) else "H" if high and number > Decimal(high) else ""
    return one._replace(low=low, high=high, mark=mark)


def name_of(one: Measurement) -> str:
    """Give what people call it."""
    kind = _kinds().get(one.code)
    return one.name if kind is None else kind.name


def unit_of(one: Measurement) -> str:
    """Give the unit as people read it."""
    kind = _kinds().get(one.code)
    return kind.shown_unit if kind is not None and kind.unit == one.unit else shown_unit(one.unit)
