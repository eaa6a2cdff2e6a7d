"""Quasi-identifiers made coarser, level by level, along the hierarchies that `data.research` declares. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import date

from backend.deidentification import age_band
from data.icd10 import parents

UNKNOWN = "不详"
ALL = "全部"

_COUNTY = re.compile(r".*?(?:县|区|旗|市(?!.*(?:县|区|旗|市)))")
_GENERATIONS = ((20, "0–19岁"), (40, "20–39岁"), (60, "40–59岁"))
_OLD = "60岁以上"
_OLDEST = 90


def age_at(level: str, months: int | None) -> str:
    """Give an age of so many completed months: in bands of five years, in decades, or as a generation."""
    if months is None:
        return UNKNOWN
    years = months // 12
    if level == "band":
        return age_band(years, months=months)
    if level == "decade":
        first = years - years % 10
        return f"{_OLDEST}岁以上" if years >= _OLDEST else f"{first}–{first + 9}岁"
    return next((name for until, name in _GENERATIONS if years < until), _OLD)


def sex_at(level: str, sex: str) -> str:
    """Give a sex, or that of everybody."""
    return ALL if level == "all" else {"male": "男", "female": "女"}.get(sex, UNKNOWN)


def region_at(level: str, region: str) -> str:
    """Give a region as the directory has it, down to its county, or that of everybody."""
    if level == "all":
        return ALL
    if not region:
        return UNKNOWN
    county = _COUNTY.match(region)
    return region if level == "town" or county is None else county[0]


def diagnosis_at(level: str, code: str) -> str:
    """Give a code of ICD-10 as its category of three characters, its block, or its chapter."""
    above = [one for one in parents(code) if "-" in one]
    if not above:
        return UNKNOWN
    if level == "category":
        return code.strip()[:3].upper()
    return above[0] if level == "block" else above[-1]


def month_at(level: str, day: date) -> str:
    """Give a day's month, quarter, or year."""
    if level == "month":
        return f"{day:%Y-%m}"
    return f"{day.year}Q{(day.month + 2) // 3}" if level == "quarter" else str(day.year)


HIERARCHIES: Mapping[str, Callable[..., str]] = {
    "age": age_at,
    "sex": sex_at,
    "region": region_at,
    "diagnosis": diagnosis_at,
    "month": month_at,
}
"""By the names of `data.research`: gives the value at a level."""
