"""Vital signs as a grassroots doctor types them, checked for being believable. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from backend.errors import InvalidInput


@dataclass(frozen=True)
class VitalSign:
    """One sign: its Chinese name, its unit, the decimals it is kept with, and the limits outside which a slip of the
    finger is likelier than a measurement."""

    name: str
    unit: str
    lowest: float
    highest: float
    decimals: int = 0


# The limits are the project's own: about what the devices of a township centre can show at all. Sphygmomanometers reach
# 300 mmHg, electronic thermometers show about 32 to 43 °C, glucose meters about 1.1 to 33.3 mmol/L.
VITAL_SIGNS = MappingProxyType(
    {
        "temperature": VitalSign("体温", "℃", 32, 43, 1),
        "systolic": VitalSign("收缩压（高压）", "mmHg", 50, 300),
        "diastolic": VitalSign("舒张压（低压）", "mmHg", 20, 200),
        "heart_rate": VitalSign("脉搏", "次/分", 20, 250),
        "respiratory_rate": VitalSign("呼吸", "次/分", 4, 80),
        "spo2": VitalSign("血氧饱和度", "%", 40, 100),
        "glucose": VitalSign("血糖", "mmol/L", 1.0, 40, 1),
        "weight": VitalSign("体重", "kg", 0.5, 300, 1),
        "height": VitalSign("身高", "cm", 25, 250, 1),
    }
)
"""Every sign that is kept, by its code."""

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
    if not sign.lowest <= value <= sign.highest:
        raise InvalidInput(
            f"{sign.name}{value:g}{sign.unit}不太可能，一般在{sign.lowest:g}到{sign.highest:g}之间，请检查后再发一次。",
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
            parts.append(f"{timing}{sign.name}{rest[code]:g}{sign.unit}")
    return "，".join(parts)
