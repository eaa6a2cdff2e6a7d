"""ICD-10 codes as a hierarchy: which expertise (a code, a category or a range) covers which disease.

The shape of a code is that of the WHO's ICD-10 (volume 2, section 2.4): a letter, two digits, and after a point up to
four more characters of the national extension (GB/T 14396-2016).
"""

import re

from backend.errors import InvalidInput
from data.icd10 import lookup

_CODE = re.compile(r"([A-Z])(\d{2})(?:\.([0-9A-Zx]{1,6}))?(?:\+|\*)?")
_RANGE = re.compile(r"([A-Z]\d{2})\s*[-\u2013~\u81f3]\s*([A-Z]\d{2})")

EXACT, CATEGORY, NONE = 1.0, 0.9, 0.0
_WIDEST_RANGE, _NARROWEST_RANGE = 0.6, 0.85
_CHAPTER_CODES = 100


def normalise(code: str) -> str:
    """Give a code as it is compared: upper case, half width, no blanks.

    Raises:
        InvalidInput: it has not the shape of an ICD-10 code.
    """
    text = code.strip().upper().replace("．", ".").replace("。", ".").replace(" ", "")
    if _CODE.fullmatch(text) is None:
        raise InvalidInput(f"疾病编码“{code[:16]}”不像 ICD-10 编码，应该像 I10 或 J18.9 这样。")
    return text.rstrip("+*")


def covers(expertise: str, code: str) -> float:
    """Tell how closely one entry of an expert's expertise fits a disease.

    Args:
        expertise: a code ("I10", "J18.9"), or a range of categories ("I10-I15").
        code: the code of the disease.

    Returns:
        0 where it does not cover the disease; else up to 1, the higher the more specific: the very code 1, its category
        0.9, a range 0.85 (few categories) down to 0.6 (a chapter). An entry below the code ("J18.9" for "J18") fits as
        its category does.
    """
    wanted = normalise(code)
    bounds = _RANGE.fullmatch(expertise.strip().upper())
    if bounds is not None:
        low, high = bounds.groups()
        if not low <= wanted[:3] <= high:
            return NONE
        share = min(1.0, _width(low, high) / _CHAPTER_CODES)
        return _NARROWEST_RANGE - (_NARROWEST_RANGE - _WIDEST_RANGE) * share
    held = expertise.strip().upper()
    if held == wanted:
        return EXACT
    if len(held) == 1:  # a chapter's letter
        return _WIDEST_RANGE if wanted[0] == held else NONE
    if wanted.startswith(held) or (held.startswith(wanted) and len(wanted) >= len("I10")):
        return CATEGORY
    return NONE


def best_cover(expertise: tuple[str, ...], code: str) -> tuple[float, str]:
    """Give the closest fit among `expertise` and the entry that has it (empty where none covers the disease)."""
    fits = [(covers(entry, code), entry) for entry in expertise]
    best = max(fits, default=(NONE, ""), key=lambda fit: fit[0])
    return best if best[0] > NONE else (NONE, "")


def disease_name(code: str) -> str:
    """Give the Chinese name of a disease by its code, empty where the reference data does not have it."""
    disease = lookup(code) if code else None
    return disease.name if disease is not None else ""


def _width(low: str, high: str) -> int:
    def position(category: str) -> int:
        return (ord(category[0]) - ord("A")) * 100 + int(category[1:])

    return position(high) - position(low)
