"""Numbers as patients write them: 38.5, 三十八度五, 一百五, 两, 半."""

import re

DIGITS = {
    **{character: value for value, character in enumerate("零一二三四五六七八九")},
    "〇": 0,
    "两": 2,
    "俩": 2,
    "仨": 3,
    "壹": 1,
    "贰": 2,
    "叁": 3,
}
UNITS = {"十": 10, "百": 100, "千": 1000}

NUMBER = (
    r"(?:(?<!\d)\d{1,5}(?:[.点]\d{1,3})?(?!\d)|"
    r"[零〇一二两俩仨三四五六七八九十百千]{1,8}(?:点[零〇一二三四五六七八九]{1,2})?)"
)
"""Pattern of a number (no group); a long row of digits (a telephone or id number) holds none."""

_ARABIC = re.compile(r"\d{1,5}(?:[.点]\d{1,3})?")


def parse_number(text: str) -> float | None:
    """The value of a number in Arabic or Chinese figures; ``None`` where it is none.

    A last digit after 百 or 千 counts for the next lower unit, as people speak: 一百五 is 150. Digits in a row are read
    as written: 三八 is 38.
    """
    if _ARABIC.fullmatch(text):
        return float(text.replace("点", "."))
    whole, _, fraction = text.partition("点")
    value = _parse_whole(whole)
    if value is None or not all(character in DIGITS for character in fraction):
        return None
    if fraction:
        return float(f"{value}.{''.join(str(DIGITS[character]) for character in fraction)}")
    return float(value)


def _parse_whole(text: str) -> int | None:
    if not text or not all(character in DIGITS or character in UNITS for character in text):
        return None
    if not any(character in UNITS for character in text):
        return int("".join(str(DIGITS[character]) for character in text))
    total, digit, last_unit, after_zero = 0, None, 1, False
    for character in text:
        if character in UNITS:
            last_unit = UNITS[character]
            total += (1 if digit is None else digit) * last_unit
            digit, after_zero = None, False
        else:
            digit = DIGITS[character]
            after_zero = after_zero or digit == 0
    if digit is not None:
        spoken = last_unit >= 100 and not after_zero
        total += digit * (last_unit // 10 if spoken else 1)
    return total
