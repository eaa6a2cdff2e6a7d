"""Measured values as lines of a page: the newest of each kind, its mark, and where it has been going. Pure.

Values are compared in one unit alone; what cannot be converted into it is no trend.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from backend.records.hospital.facts import HospitalHistory, Measurement
from backend.records.hospital.reading import instant
from backend.records.hospital.references import (
    DIASTOLIC,
    PRESSURE,
    SYSTOLIC,
    in_own_unit,
    name_of,
    unit_of,
    with_reference,
)

_FIRST = (PRESSURE, "8867-4", "8310-5", "59408-5", "2708-6", "9279-1")  # pressure, pulse, temperature, SpO₂, breathing
_DAY = 86_400.0
_SHARE = 0.05  # less than this is no change
_MOST_POINTS = 12
_MARKS = ("", "A", "L", "H", "LL", "HH")  # the later, the graver


class Trend(StrEnum):
    """Where the newest value went from the one before it."""

    UP = "up"
    DOWN = "down"
    SAME = "same"
    UNKNOWN = "unknown"  # there is none before it, or they cannot be compared


@dataclass(frozen=True)
class Point:
    """A value at a moment."""

    at: datetime
    value: float


@dataclass(frozen=True)
class MeasurementLine:
    """The newest value of one kind.

    Args:
        value: as people read it, with its unit beside it. reference: "3.5–5.3", "" where none is stated.
        mark: "H", "L", "A", "HH", "LL" or "". taken: as FHIR writes it.
        previous: the value before it, and its day as FHIR writes it; "" where there is none.
        points: the latest values, oldest first, for a small curve.
    """

    name: str = field(repr=False)
    value: str = field(repr=False)
    unit: str
    reference: str
    mark: str
    trend: Trend
    taken: str
    previous: str = field(repr=False)
    previous_taken: str
    points: tuple[Point, ...] = field(repr=False)
    hospital: str


@dataclass
class _Value:
    """A value with what it needs to be compared and sorted."""

    at: float
    hospital: str
    one: Measurement
    lower: Measurement | None = None  # the diastolic of a blood pressure

    @property
    def shown(self) -> str:
        return f"{self.one.value}/{self.lower.value}" if self.lower else self.one.value

    @property
    def mark(self) -> str:
        marks = [self.one.mark, self.lower.mark if self.lower else ""]
        return max(marks, key=_MARKS.index)


def measurement_lines(
    sources: Sequence[tuple[str, HospitalHistory]], sex: str, age_months: int | None
) -> tuple[tuple[MeasurementLine, ...], tuple[MeasurementLine, ...]]:
    """Give the lines of vital signs and of laboratory values: abnormal ones first, then the newest.

    Args:
        sources: where it is known from, by name. sex, age_months: for the range where none was stated.
    """
    kinds: dict[tuple[str, str, bool], list[_Value]] = {}
    for hospital, history in sources:
        for value in _values(hospital, history.measurements):
            key = PRESSURE if value.lower else value.one.code or value.one.name
            kinds.setdefault((key, value.one.unit, value.one.vital), []).append(value)
    newest: dict[tuple[str, bool], list[_Value]] = {}
    for (key, _, vital), values in kinds.items():
        values.sort(key=lambda value: value.at)
        known = newest.get((key, vital))
        if known is None or known[-1].at < values[-1].at:
            newest[key, vital] = values
    for values in newest.values():
        last = values[-1]
        last.one = with_reference(last.one, sex, age_months)
        last.lower = with_reference(last.lower, sex, age_months) if last.lower else None
    lines = {
        vital: sorted((values for (_, of), values in newest.items() if of is vital), key=_order)
        for vital in (True, False)
    }
    return tuple(map(_line, lines[True])), tuple(map(_line, lines[False]))


def _values(hospital: str, measurements: Sequence[Measurement]) -> list[_Value]:
    """Give the values with a time, the two numbers of a blood pressure as one."""
    values: list[_Value] = []
    pressures: dict[tuple[str, str], dict[str, Measurement]] = {}
    for one in map(in_own_unit, measurements):
        taken = instant(one.taken)
        if taken is None:
            continue
        if one.panel and one.code in (SYSTOLIC, DIASTOLIC):
            pressures.setdefault((one.panel, one.taken), {})[one.code] = one
        else:
            values.append(_Value(taken.timestamp(), hospital, one))
    for (_, text), pair in pressures.items():
        taken = instant(text)
        upper, lower = pair.get(SYSTOLIC), pair.get(DIASTOLIC)
        at = taken.timestamp() if taken else 0.0
        if upper and lower:
            values.append(_Value(at, hospital, upper, lower))
        else:
            values += [_Value(at, hospital, one) for one in pair.values()]
    return values


def _order(values: list[_Value]) -> tuple[int, float, int]:
    last = values[-1]
    kind = PRESSURE if last.lower else last.one.code
    return -_MARKS.index(last.mark), -(last.at // _DAY), _FIRST.index(kind) if kind in _FIRST else len(_FIRST)


def _line(values: list[_Value]) -> MeasurementLine:
    last = values[-1]
    before = values[-2] if len(values) > 1 else None
    numbers = [(value.at, _number(value.one.value)) for value in values[-_MOST_POINTS:]]
    points = tuple(Point(datetime.fromtimestamp(at, UTC), number) for at, number in numbers if number is not None)
    return MeasurementLine(
        name="血压" if last.lower else name_of(last.one),
        value=last.shown,
        unit=unit_of(last.one),
        reference=_reference(last.one) if last.lower is None else "",
        mark=last.mark,
        trend=_trend(before, last),
        taken=last.one.taken,
        previous=before.shown if before else "",
        previous_taken=before.one.taken if before else "",
        points=points,
        hospital=last.hospital,
    )


def _trend(before: _Value | None, last: _Value) -> Trend:
    old = _number(before.one.value) if before else None
    new = _number(last.one.value)
    if old is None or new is None:
        return Trend.UNKNOWN
    if abs(new - old) <= abs(old) * _SHARE:
        return Trend.SAME
    return Trend.UP if new > old else Trend.DOWN


def _reference(one: Measurement) -> str:
    if one.low and one.high:
        return f"{one.low}–{one.high}"
    return f"≥{one.low}" if one.low else f"≤{one.high}" if one.high else ""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
