"""The thirteen days that the law itself makes holidays, for years whose arrangement has not been announced.

全国年节及纪念日放假办法 as of 2025, article 2: New Year's Day; the eve and the first three days of the lunar year;
Qingming; 1 and 2 May; the fifth of the fifth and the fifteenth of the eighth lunar month; 1 to 3 October. Which days
are moved to make one long holiday of them is announced year by year: that nobody can compute.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

_LUNAR: Mapping[int, tuple[str, str, str]] = {
    2025: ("01-29", "05-31", "10-06"), 2026: ("02-17", "06-19", "09-25"), 2027: ("02-06", "06-09", "09-15"),
    2028: ("01-26", "05-28", "10-03"), 2029: ("02-13", "06-16", "09-22"), 2030: ("02-03", "06-05", "09-12"),
    2031: ("01-23", "06-24", "10-01"), 2032: ("02-11", "06-12", "09-19"), 2033: ("01-31", "06-01", "09-08"),
    2034: ("02-19", "06-20", "09-27"), 2035: ("02-08", "06-10", "09-16"), 2036: ("01-28", "05-30", "10-04"),
    2037: ("02-15", "06-18", "09-24"), 2038: ("02-04", "06-07", "09-13"), 2039: ("01-24", "05-27", "10-02"),
    2040: ("02-12", "06-14", "09-20"), 2041: ("02-01", "06-03", "09-10"), 2042: ("01-22", "06-22", "09-28"),
    2043: ("02-10", "06-11", "09-17"), 2044: ("01-30", "05-31", "10-05"), 2045: ("02-17", "06-19", "09-25"),
}  # fmt: skip
"""Of each year: the first day of the lunar year, the fifth of the fifth, the fifteenth of the eighth lunar month. Two
published calendars agree on these; ICU's, which browsers have, is a day off in 2027 and 2030."""


def statutory_holiday(day: date) -> str:
    """Give the name of the holiday that the law makes of `day`, "" where it makes none.

    Before 2025 and after 2045 the lunar days are not known, and those of the sun's year alone are given.
    """
    return _of_year(day.year).get(day, "")


@cache
def _of_year(year: int) -> dict[date, str]:
    def run(first: date, days: int, name: str) -> dict[date, str]:
        return {first + timedelta(days=number): name for number in range(days)}

    found = run(date(year, 1, 1), 1, "元旦") | run(date(year, 5, 1), 2, "劳动节")
    if 2000 <= year < 2100:
        found |= run(_qingming(year), 1, "清明")
    if year in _LUNAR:
        spring, dragon_boat, autumn = (date.fromisoformat(f"{year}-{one}") for one in _LUNAR[year])
        found |= run(spring - timedelta(days=1), 4, "春节") | run(dragon_boat, 1, "端午") | run(autumn, 1, "中秋")
    return found | run(date(year, 10, 1), 3, "国庆节")


def _qingming(year: int) -> date:
    """The day on which the sun's longitude is 15°: the usual rule for the years 2000 to 2099."""
    short = year % 100
    return date(year, 4, int(short * 0.2422 + 4.81) - short // 4)
