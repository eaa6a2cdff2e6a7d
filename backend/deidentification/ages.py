"""Ages in bands, as narrow as medicine needs and as wide as privacy allows.

A child's dose and diseases hang on months, an adult's on decades: bands are of months in the first year, of two to four
years until 20, of five years until 90, and one above it (as 45 CFR 164.514(b)(2)(i)(C) has it).
"""

_NEWBORN_DAYS = 28
_MONTHS = 12
_CHILD_BANDS = ((1, 2), (3, 5), (6, 9), (10, 14), (15, 19))
_ADULT, _BAND, _OLDEST = 20, 5, 90


def age_band(years: int, *, months: int | None = None, days: int | None = None) -> str:
    """Give the band of an age, in words.

    Args:
        years: whole years.
        months, days: whole months and days since birth, used in the first year alone.
    """
    if years >= _OLDEST:
        return f"{_OLDEST}岁以上"
    if years >= _ADULT:
        first = years - years % _BAND
        return f"{first}–{first + _BAND - 1}岁"
    if years >= 1:
        first, last = next(band for band in _CHILD_BANDS if band[0] <= years <= band[1])
        return f"{first}–{last}岁"
    if days is not None and days < _NEWBORN_DAYS:
        return "新生儿"
    if months is None:
        return "不满1岁"
    return "不满6个月" if months < _MONTHS // 2 else "6–11个月"
