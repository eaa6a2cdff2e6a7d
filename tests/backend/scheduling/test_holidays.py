"""Holidays, the working days that make up for them, and years that nobody has announced."""

from datetime import date

from backend.scheduling import calendar_day


def test_national_day_is_free_and_a_saturday_makes_up_for_it() -> None:
    day = calendar_day(date(2026, 10, 1))
    assert (day.working, day.name, day.announced) == (False, "国庆节", True)
    made_up = calendar_day(date(2026, 10, 10))
    assert (made_up.working, made_up.makes_up, made_up.name) == (True, True, "国庆节")


def test_plain_days_have_no_name() -> None:
    assert (calendar_day(date(2026, 11, 23)).working, calendar_day(date(2026, 11, 23)).name) == (True, "")
    assert (calendar_day(date(2026, 11, 22)).working, calendar_day(date(2026, 11, 22)).name) == (False, "")


def test_a_year_that_is_not_announced_has_weekends_alone_and_says_so() -> None:
    new_year, saturday = calendar_day(date(2099, 1, 1)), calendar_day(date(2099, 1, 3))
    assert (new_year.working, new_year.name, new_year.announced) == (True, "", False)
    assert (saturday.working, saturday.announced) == (False, False)
