"""Holidays, the working days that make up for them, and years that nobody has announced."""

from datetime import date, timedelta

import chinese_calendar
import pytest

from backend.scheduling import calendar_day
from backend.scheduling.statutory import statutory_holiday


def test_national_day_is_free_and_a_saturday_makes_up_for_it() -> None:
    day = calendar_day(date(2026, 10, 1))
    assert (day.working, day.name, day.announced, day.is_holiday) == (False, "国庆节", True, True)
    made_up = calendar_day(date(2026, 10, 10))
    assert (made_up.working, made_up.makes_up, made_up.name, made_up.is_holiday) == (True, True, "国庆节", False)


def test_plain_days_have_no_name() -> None:
    assert (calendar_day(date(2026, 11, 23)).working, calendar_day(date(2026, 11, 23)).name) == (True, "")
    sunday = calendar_day(date(2026, 11, 22))
    assert (sunday.working, sunday.name, sunday.is_holiday) == (False, "", False)


def test_a_year_that_is_not_announced_has_what_the_law_names_and_weekends_and_says_so() -> None:
    new_year, saturday, monday = (calendar_day(date(2099, 1, one)) for one in (1, 3, 5))
    assert (new_year.working, new_year.name, new_year.announced) == (False, "元旦", False)
    assert (saturday.working, saturday.is_holiday, saturday.announced) == (False, False, False)
    assert monday.working


@pytest.mark.parametrize("year", [2025, 2026])
def test_every_day_that_the_law_names_was_free_in_the_years_that_were_announced(year: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    named = [day for day in days if statutory_holiday(day)]
    assert len(named) == 13
    assert [day for day in named if not chinese_calendar.is_holiday(day)] == []
    told = {day: chinese_calendar.get_holiday_detail(day)[1] for day in named}
    assert {chinese_calendar.Holiday(name).chinese for name in told.values()} == set(map(statutory_holiday, named))


def test_the_lunar_year_has_thirteen_holidays_as_far_as_it_is_known() -> None:
    for year in range(2025, 2046):
        days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
        # In three years the Mid-autumn day is one of the first three of October.
        assert sum(map(bool, map(statutory_holiday, days))) == (12 if year in (2028, 2031, 2039) else 13), year
    # Known from the almanac: the new moon of February 2030 is seven minutes after midnight in China.
    assert [statutory_holiday(date(2030, 2, one)) for one in (1, 2, 3, 5, 6)] == ["", "春节", "春节", "春节", ""]
    assert [statutory_holiday(date(2027, 4, one)) for one in (4, 5, 6)] == ["", "清明", ""]
