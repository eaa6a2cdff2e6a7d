"""Public holidays of China, and the working days that make up for them, as the State Council announces them.

The arrangement of a year is announced in the autumn before it, and known here once `chinese-calendar` has it. Until
then the days that the law names are holidays (`statutory`), and weekends are free: no day is moved.
"""

from dataclasses import dataclass
from datetime import date

import chinese_calendar

from backend.scheduling.statutory import statutory_holiday

_SATURDAY = 5


@dataclass(frozen=True)
class CalendarDay:
    """A day of the calendar.

    Args:
        working: whether offices work.
        name: of the holiday that it belongs to, also where it is worked to make up for it; "" on other days.
        announced: False where the arrangement of the year is not known: then it is what the law alone makes of it.
    """

    day: date
    working: bool
    name: str
    announced: bool

    @property
    def makes_up(self) -> bool:
        """Whether it is a weekend that is worked to make up for a holiday."""
        return self.working and self.day.weekday() >= _SATURDAY

    @property
    def is_holiday(self) -> bool:
        """Whether it is free because of a public holiday, not as a plain weekend is."""
        return bool(self.name) and not self.working


def calendar_day(day: date) -> CalendarDay:
    """Say what sort of day `day` is."""
    try:
        is_free, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:  # the year lies beyond what the installed version knows
        name = statutory_holiday(day)
        return CalendarDay(day, not name and day.weekday() < _SATURDAY, name, announced=False)
    chinese = chinese_calendar.Holiday(name).chinese if name else ""
    return CalendarDay(day, not is_free, chinese, announced=True)
