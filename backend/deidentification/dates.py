"""Dates as days before or after the visit, which is the day that a case counts from."""

from datetime import date

_DAYS_TOLD = 60
_MONTH_DAYS = 30.44
_YEAR_DAYS = 365.25
_MONTHS_TOLD = 24


def relative_day(day: date, visit: date) -> str:
    """Give where a day lies to the visit: to the day for two months, to the month for two years, else to the year."""
    away = (day - visit).days
    if away == 0:
        return "就诊当天"
    side = "就诊前" if away < 0 else "就诊后"
    return f"{side}{_span(abs(away))}"


def relative_month(year: int, month: int, visit: date) -> str:
    """Give where a month lies to the visit."""
    away = (year - visit.year) * 12 + month - visit.month
    if away == 0:
        return "就诊当月"
    side, months = ("就诊前" if away < 0 else "就诊后"), abs(away)
    return f"{side}约{months}个月" if months < _MONTHS_TOLD else f"{side}约{round(months / 12)}年"


def relative_year(year: int, visit: date) -> str:
    """Give where a year lies to the visit."""
    away = year - visit.year
    if away == 0:
        return "就诊当年"
    return f"{'就诊前' if away < 0 else '就诊后'}约{abs(away)}年"


def _span(days: int) -> str:
    if days <= _DAYS_TOLD:
        return f"{days}天"
    months = round(days / _MONTH_DAYS)
    return f"约{months}个月" if months < _MONTHS_TOLD else f"约{round(days / _YEAR_DAYS)}年"
