"""Vital signs as a grassroots doctor types them, checked for being believable. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from backend.errors import InvalidInput
from data.observations import ObservationKind, observation_kinds

_CODES = (
    "temperature",
    "systolic",
    "diastolic",
    "heart_rate",
    "respiratory_rate",
    "spo2",
    "glucose",
    "weight",
    "height",
)

VITAL_SIGNS: Mapping[str, ObservationKind] = MappingProxyType({code: observation_kinds()[code] for code in _CODES})
"""Every sign that is kept, by its code; names, units and limits are those of `data.observations`."""

GLUCOSE_TIMING = "glucose_timing"
_GLUCOSE_TIMINGS = ("空腹", "餐后", "随机")


def check_vitals(vitals: Mapping[str, Any]) -> dict[str, float | str]:
    """Give the signs as numbers, rounded to what the devices show.

    Args:
        vitals: numbers by the codes of `VITAL_SIGNS`, and when the glucose was measured (空腹, 餐后, 随机) under
            `glucose_timing`; a value of None is left out.

    Raises:
        InvalidInput: an unknown sign, no number, outside its limits, or a blood pressure that cannot be.
    """
    timing = vitals.get(GLUCOSE_TIMING)
    if timing is not None and timing not in _GLUCOSE_TIMINGS:
        raise InvalidInput("血糖的时间只能是：空腹、餐后、随机。", field=GLUCOSE_TIMING)
    checked = {
        code: _check(code, value) for code, value in vitals.items() if value is not None and code != GLUCOSE_TIMING
    }
    systolic, diastolic = checked.get("systolic"), checked.get("diastolic")
    if systolic is not None and diastolic is not None and systolic <= diastolic:
        raise InvalidInput(
            f"血压{systolic:g}/{diastolic:g}不对：高压要比低压高，请检查后再发一次，例如“血压150/95”。",
            field="systolic",
        )
    return {**checked} if timing is None else {**checked, GLUCOSE_TIMING: timing}


def _check(code: str, value: Any) -> float:
    sign = VITAL_SIGNS.get(code)
    if sign is None:
        known = "、".join(known.name for known in VITAL_SIGNS.values())
        raise InvalidInput(f"不认识这项体征，可以填：{known}。", field=code[:32])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{sign.name}要填数字。", field=code)
    if not sign.is_believable(Decimal(str(value))):
        raise InvalidInput(
            f"{sign.name}{value:g}{sign.shown_unit}不太可能，一般在{sign.lowest}到{sign.highest}之间，请检查后再发一次。",
            field=code,
        )
    return round(float(value), sign.decimals)


def describe_vitals(vitals: Mapping[str, Any]) -> str:
    """Say the signs in one line: “体温38.5℃，血压150/95mmHg”."""
    rest = dict(vitals)
    parts = []
    if "systolic" in rest and "diastolic" in rest:
        parts.append(f"血压{rest.pop('systolic'):g}/{rest.pop('diastolic'):g}mmHg")
    for code, sign in VITAL_SIGNS.items():
        if code in rest:
            timing = rest.get(GLUCOSE_TIMING, "") if code == "glucose" else ""
            parts.append(f"{timing}{sign.name}{rest[code]:g}{sign.shown_unit}")
    return "，".join(parts)
