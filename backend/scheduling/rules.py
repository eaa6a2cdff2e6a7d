"""Weekly hours as slots. Pure: no I/O, no present time."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from backend.clock import local
from backend.errors import InvalidInput
from backend.scheduling.holidays import calendar_day

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
        on_holidays: whether it holds on public holidays too; without meaning for the hours of a single day.
    """

    weekday: int
    start: str
    end: str
    slot_minutes: int = 30
    on_holidays: bool = False

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


def without_hours(hours: Iterable[WeeklyHours], start_minute: int, end_minute: int) -> list[WeeklyHours]:
    """Give the hours of a day without a stretch of it; what is left too short for a slot goes too."""
    kept = []
    for one in hours:
        before = (one.start_minute, min(one.end_minute, start_minute))
        after = (max(one.start_minute, end_minute), one.end_minute)
        for begin, end in dict.fromkeys((before, after)):
            if end - begin >= one.slot_minutes:
                kept.append(replace(one, start=clock_text(begin), end=clock_text(end)))
    return kept


def with_hours(hours: Iterable[WeeklyHours], more: Iterable[WeeklyHours]) -> list[WeeklyHours]:
    """Give the hours of a day with more of them, in order; where both claim a time it is that of `more`."""
    kept, added = list(hours), list(more)
    for one in added:
        kept = without_hours(kept, one.start_minute, one.end_minute)
    return sorted((*kept, *added), key=lambda one: one.start_minute)


@dataclass(frozen=True)
class Plan:
    """When an expert takes consultations: the week's hours, days that have their own instead, and absences.

    On a public holiday the week's hours rest, unless they were given for holidays too; the hours of the single day say
    so as well. Weekends that are worked to make up for a holiday have the hours of their weekday as ever: on which
    day's plan a hospital works then is its own affair.
    """

    week: Sequence[WeeklyHours] = ()
    days: Mapping[date, Sequence[WeeklyHours]] = field(default_factory=dict)
    absences: Sequence[Span] = ()

    def hours_of(self, day: date) -> list[WeeklyHours]:
        """Give the hours of one day, in order; none where the day is free."""
        own = self.days.get(day)
        hours = self._of_week(day) if own is None else own
        return sorted(hours, key=lambda one: one.start_minute)

    def rests(self, day: date) -> bool:
        """Tell whether hours of the week are left out on `day` because it is a public holiday."""
        is_left_out = any(one.weekday == day.weekday() and not one.on_holidays for one in self.week)
        return day not in self.days and is_left_out and calendar_day(day).is_holiday

    def _of_week(self, day: date) -> list[WeeklyHours]:
        hours = [one for one in self.week if one.weekday == day.weekday()]
        return [one for one in hours if one.on_holidays] if hours and calendar_day(day).is_holiday else hours

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
