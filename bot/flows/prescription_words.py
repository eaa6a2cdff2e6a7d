"""What a doctor says of a medicine: so much at a time, so many days."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation

from data.drugs import Preparation
from nlu.numbers import parse_number

_AMOUNT = re.compile(r"(半|[0-9.]+|[一二两三四五六七八九十百点]+)\s*(.*)")
_DAYS = re.compile(r"(?:吃|用)?\s*([0-9]+|[一二两三四五六七八九十百]+)\s*(天|日|周|个?星期|个?月)?")
_DAYS_OF = {"天": 1, "日": 1, "周": 7, "星期": 7, "月": 28}
_MASSES = {"g": Decimal(1000), "mg": Decimal(1), "µg": Decimal("0.001")}
_SCALE = {**_MASSES, "克": _MASSES["g"], "毫克": _MASSES["mg"], "ug": _MASSES["µg"], "微克": _MASSES["µg"]}
_VOLUMES = {"ml": "ml", "毫升": "ml"}


def dose_in(words: str, preparation: Preparation) -> Decimal | None:
    """Read a dose in the unit of the preparation's strength: "0.5g", "500毫克", "2粒", "半片"; None where it is none.

    A number alone is in pieces where that is how it is handed out (2 is two capsules), and needs a unit elsewhere.
    """
    said = _AMOUNT.fullmatch(unicodedata.normalize("NFKC", words).strip().lower().removeprefix("一次"))
    if said is None:
        return None
    value = _number(said.group(1))
    unit = said.group(2).strip().replace("μ", "µ")
    if value is None or value <= 0:
        return None
    piece = preparation.form.piece
    if _VOLUMES.get(unit, unit) == piece or (not unit and piece not in ("ml", "g")):
        return value if preparation.unit == piece else value * preparation.strength
    if unit == preparation.unit.lower():
        return value
    if unit in _SCALE and preparation.unit in _MASSES:
        return value * _SCALE[unit] / _MASSES[preparation.unit]
    return None


def days_in(words: str) -> int | None:
    """Read a number of days: "7", "七天", "两周", "1个月" (28 days, as courses count); None where it is none."""
    said = _DAYS.fullmatch(unicodedata.normalize("NFKC", words).strip())
    if said is None:
        return None
    value = _number(said.group(1))
    unit = (said.group(2) or "天").removeprefix("个")
    return None if value is None or value != int(value) else int(value) * _DAYS_OF[unit]


def _number(text: str) -> Decimal | None:
    if text == "半":
        return Decimal("0.5")
    try:
        return Decimal(text)
    except InvalidOperation:
        value = parse_number(text)
        return None if value is None else Decimal(str(value))
