"""Weekly hours as slots. Pure: no I/O, no present time."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

from backend.clock import local
from backend.errors import InvalidInput

HORIZON = timedelta(days=14)
"""Slots are made for so long ahead."""

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_WEEKDAYS = "一二三四五六日"
_SHORTEST_SLOT, _LONGEST_SLOT = 5, 240


@dataclass(frozen=True)
class WeeklyHours:
    """A stretch of a weekday in which an expert takes consultations.

    Args:
        weekday: 0 for Monday to 6 for Sunday.
        start: "HH:MM" in China.
        end: "HH:MM", after `start`.
        slot_minutes: length of one slot; what is left at the end is no slot.
    """

    weekday: int
    start: str
    end: str
    slot_minutes: int = 30

    @property
    def start_minute(self) -> int:
        """Minute of the day at which it begins."""
        return minute_of_day(self.start)

    @property
    def end_minute(self) -> int:
        """Minute of the day at which it ends."""
        return minute_of_day(self.end)


@dataclass(frozen=True)
class Span:
    """A stretch of time, its end not included."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: "Span") -> bool:
        """Tell whether the two have a moment in common."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def minute_of_day(text: str) -> int:
    """Give the minute of the day that "HH:MM" names.

    Raises:
        InvalidInput: it is no such time.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(f"时间“{text[:8]}”不对，请写成 09:00 这样。")
    return int(match[1]) * 60 + int(match[2])


def clock_text(minute: int) -> str:
    """Give a minute of the day as "HH:MM"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def check_week(week: Iterable[WeeklyHours]) -> list[WeeklyHours]:
    """Give the hours in order.

    Raises:
        InvalidInput: a weekday, a time or a length that cannot be, or two stretches that overlap.
    """
    ordered = sorted(week, key=lambda hours: (hours.weekday, hours.start_minute))
    for hours in ordered:
        if hours.weekday not in range(7):
            raise InvalidInput("星期只能是周一到周日。")
        if not _SHORTEST_SLOT <= hours.slot_minutes <= _LONGEST_SLOT:
            raise InvalidInput(f"每次会诊的时长要在{_SHORTEST_SLOT}到{_LONGEST_SLOT}分钟之间。")
        if hours.end_minute - hours.start_minute < hours.slot_minutes:
            raise InvalidInput(f"周{_WEEKDAYS[hours.weekday]}的结束时间太早，放不下一次会诊。")
    for before, after in pairwise(ordered):
        if before.weekday == after.weekday and after.start_minute < before.end_minute:
            raise InvalidInput(f"周{_WEEKDAYS[before.weekday]}有两段时间重叠，请检查。")
    return ordered


def check_day(day: date, hours: Iterable[WeeklyHours]) -> list[WeeklyHours]:
    """Give the hours of one day in order, each with the day's weekday.

    Raises:
        InvalidInput: as `check_week`.
    """
    return check_week(WeeklyHours(day.weekday(), one.start, one.end, one.slot_minutes) for one in hours)


@dataclass(frozen=True)
class Plan:
    """When an expert takes consultations: the week's hours, days that have their own instead, and absences."""

    week: Sequence[WeeklyHours] = ()
    days: Mapping[date, Sequence[WeeklyHours]] = field(default_factory=dict)
    absences: Sequence[Span] = ()

    def hours_of(self, day: date) -> list[WeeklyHours]:
        """Give the hours of one day, in order; none where the day is free."""
        own = self.days.get(day)
        hours = [one for one in self.week if one.weekday == day.weekday()] if own is None else own
        return sorted(hours, key=lambda one: one.start_minute)

    def spans(self, from_: datetime, until: datetime) -> Iterator[Span]:
        """Give every slot that begins in [`from_`, `until`) and touches no absence, in order."""
        midnight = local(from_).replace(hour=0, minute=0, second=0, microsecond=0)
        while midnight < until:
            for hours in self.hours_of(midnight.date()):
                for span in _cut(midnight, hours):
                    if from_ <= span.starts_at < until and not self._is_away(span):
                        yield span
            midnight += timedelta(days=1)

    def in_hours(self, at: datetime) -> bool:
        """Tell whether `at` lies in the hours; absences do not count."""
        when = local(at)
        minute = when.hour * 60 + when.minute
        return any(one.start_minute <= minute < one.end_minute for one in self.hours_of(when.date()))

    def covers(self, span: Span) -> bool:
        """Tell whether the whole of `span` lies in one stretch of hours and in no absence."""
        begin = local(span.starts_at)
        first = begin.hour * 60 + begin.minute
        last = first + (span.ends_at - span.starts_at) / timedelta(minutes=1)
        held = any(one.start_minute <= first and last <= one.end_minute for one in self.hours_of(begin.date()))
        return held and not self._is_away(span)

    def _is_away(self, span: Span) -> bool:
        return any(span.overlaps(absence) for absence in self.absences)


def _cut(midnight: datetime, hours: WeeklyHours) -> Iterator[Span]:
    length = timedelta(minutes=hours.slot_minutes)
    start = midnight + timedelta(minutes=hours.start_minute)
    end = midnight + timedelta(minutes=hours.end_minute)
    while start + length <= end:
        yield Span(start, start + length)
        start += length
