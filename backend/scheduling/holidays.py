"""Public holidays of China, and the working days that make up for them, as the State Council announces them."""

from dataclasses import dataclass
from datetime import date

import chinese_calendar

_SATURDAY = 5


@dataclass(frozen=True)
class CalendarDay:
    """A day of the calendar.

    Args:
        working: whether offices work.
        name: of the holiday that it belongs to, also where it is worked to make up for it; "" on other days.
        announced: False where the arrangement of the year is not known: then weekends alone are taken for free.
    """

    day: date
    working: bool
    name: str
    announced: bool

    @property
    def makes_up(self) -> bool:
        """Whether it is a weekend that is worked to make up for a holiday."""
        return self.working and self.day.weekday() >= _SATURDAY


def calendar_day(day: date) -> CalendarDay:
    """Say what sort of day `day` is."""
    try:
        is_free, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:  # the year lies beyond what the installed version knows
        return CalendarDay(day, day.weekday() < _SATURDAY, "", announced=False)
    chinese = chinese_calendar.Holiday(name).chinese if name else ""
    return CalendarDay(day, not is_free, chinese, announced=True)
