"""What may be kept of a patient, and in which form. Pure functions and values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from backend.errors import InvalidInput
from data.observations import ObservationKind, UnknownUnit, observation_kinds, unit_code

MOST_AT_ONCE = 200
"""So many observations may be kept in one go; a slip has up to sixty."""

_AHEAD = timedelta(minutes=5)
"""A device's clock may be so far ahead of ours."""

PRESSURE = ("systolic", "diastolic")
"""The kinds that are noted as a pair."""
_NUMBER = re.compile(r"[-+]?\d{1,9}(?:\.\d{1,6})?")
_LONGEST_REFERENCE = 60
_LONGEST_ORIGIN = 160


class Question(StrEnum):
    """What a prescriber has to have asked."""

    ALLERGIES = "allergies"
    MEDICINES = "medicines"
    PREGNANT = "pregnant"
    LACTATING = "lactating"


@dataclass(frozen=True)
class NewObservation:
    """Something measured, as somebody gave it.

    Args:
        kind: a key of `data.observations`. value: a number, or one of the kind's answers.
        unit: as it was written, or a UCUM code; "" for the kind's own.
        taken_at: when it was measured; None for now.
        reference: the range that a slip printed beside it.
        origin: names it where it came from, unique for the patient (`device:…`, `hospital:…`); given again, it is the
            observation that is there.
    """

    kind: str
    value: str | int | float | Decimal = field(repr=False)
    unit: str = ""
    taken_at: datetime | None = None
    reference: str = field(default="", repr=False)
    origin: str | None = None


@dataclass(frozen=True)
class Checked:
    """An observation that may be kept: `value` is a number in the kind's own unit, or one of its answers."""

    kind: ObservationKind
    value: str = field(repr=False)
    taken_at: datetime
    reference: str = field(repr=False)
    origin: str | None


def check_observations(given: Sequence[NewObservation], now: datetime) -> list[Checked]:
    """Give what was measured, converted to the units in which it is kept; all of it, or none.

    Raises:
        InvalidInput: nothing or too much was given; no such kind, no number, a unit that cannot be converted, a value
            that cannot be, a moment that has not come yet, or an upper pressure that is not above the lower one.
    """
    if not 0 < len(given) <= MOST_AT_ONCE:
        raise InvalidInput(f"一次最多记{MOST_AT_ONCE}项，至少一项。")
    checked = [_check(one, now) for one in given]
    check_pressures({one.kind.key: Decimal(one.value) for one in checked if one.kind.key in PRESSURE})
    return checked


def check_value(kind: ObservationKind, value: str | float | Decimal, unit: str = "") -> str:
    """Give a value in the form in which it is kept.

    Raises:
        InvalidInput: as in `check_observations`.
    """
    if kind.answers:
        answer = graded(kind, str(value))
        if answer is None:
            raise InvalidInput(f"{kind.name}只能是：{'、'.join(kind.answers)}。", field=kind.key)
        return answer
    number = _number(kind, value)
    try:
        own = kind.to_own_unit(number, unit)
    except UnknownUnit:
        raise InvalidInput(
            f"{kind.name}的单位“{unit[:20]}”没法换算，应该是{kind.shown_unit or '没有单位的数'}。", field=kind.key
        ) from None
    if not kind.is_believable(own):
        shown = f"{number.normalize():f}{_shown(kind, unit)}"
        raise InvalidInput(
            f"{kind.name}{shown}不太可能，一般在{kind.lowest}到{kind.highest}{kind.shown_unit}之间，请检查后再发一次。",
            field=kind.key,
        )
    return f"{own.normalize():f}"


def graded(kind: ObservationKind, written: str) -> str | None:
    """Give the answer of `kind` that slips write in many ways (-, 阴性(-), Neg, ++, 2+, (+)); None where it is none."""
    plain = re.sub(r"[\s()（）]", "", written).translate(str.maketrans("＋－—﹢﹣", "+--+-")).lower()
    if plain in kind.answers:
        return plain
    if re.fullmatch(r"(阴性|neg(ative)?)?-*", plain) and plain:
        answer = "阴性"
    elif re.fullmatch(r"(弱阳性)?(±|\+-|\+/-|trace)?", plain) and plain:
        answer = "±"
    elif plain in ("norm", "normal", "正常"):
        answer = "正常"
    else:
        answer = _pluses(plain, kind)
    return answer if answer in kind.answers else None


def _pluses(plain: str, kind: ObservationKind) -> str:
    found = re.fullmatch(r"(?:阳性|pos(?:itive)?)?(?:(\+{1,4})|\+?([1-4])\+?)?", plain)
    if found is None or not plain or plain.isdigit():
        return ""
    if "阳性" in kind.answers:
        return "阳性"
    return f"{len(found[1]) if found[1] else found[2] or 1}+"


def _check(given: NewObservation, now: datetime) -> Checked:
    kind = observation_kinds().get(given.kind)
    if kind is None:
        raise InvalidInput("不认识这一项检查，没有记。", field=given.kind[:32])
    taken_at = given.taken_at or now
    if taken_at > now + _AHEAD:
        raise InvalidInput(f"{kind.name}的测量时间还没到，请检查日期。", field=kind.key)
    if len(given.reference) > _LONGEST_REFERENCE or len(given.origin or "") > _LONGEST_ORIGIN:
        raise InvalidInput(field=kind.key)
    return Checked(kind, check_value(kind, given.value, given.unit), taken_at, given.reference.strip(), given.origin)


def _number(kind: ObservationKind, value: str | float | Decimal) -> Decimal:
    written = str(value).strip()
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(written)):
        raise InvalidInput(f"{kind.name}要填数字。", field=kind.key)
    try:
        number = Decimal(written)
    except InvalidOperation:
        raise InvalidInput(f"{kind.name}要填数字。", field=kind.key) from None
    if not number.is_finite():
        raise InvalidInput(f"{kind.name}要填数字。", field=kind.key)
    return number


def _shown(kind: ObservationKind, unit: str) -> str:
    return kind.shown_unit if not unit or unit_code(unit) == kind.unit else unit


def check_pressures(pressures: Mapping[str, Decimal]) -> None:
    """See that the upper pressure is above the lower one; both in mmHg by kind, and one may be missing.

    Raises:
        InvalidInput: it is not.
    """
    upper, lower = (pressures.get(key) for key in PRESSURE)
    if upper is not None and lower is not None and upper <= lower:
        raise InvalidInput(
            f"血压{upper}/{lower}不对：高压要比低压高，请检查后再发一次，例如“血压150/95”。", field="systolic"
        )
