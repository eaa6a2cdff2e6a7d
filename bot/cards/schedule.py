"""An expert's times in words: hours of the week, single days, being away, holidays; and what is to change of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from backend.clock import LOCAL_ZONE, local
from backend.scheduling import AbsenceView, Change, ScheduleView, WeeklyHours, calendar_day
from bot.wording import day, lines, short_day, time_of_day

T = TypeVar("T")

_WEEKDAYS = "一二三四五六日"
_DAY = timedelta(days=1)
_HOLIDAYS_AHEAD = 45
_LAST_MINUTE = 24 * 60 - 1
_NOT_THERE = "不出诊"
_PARTS = {("00:00", "12:00"): "上午", ("12:00", "18:00"): "下午", ("18:00", "00:00"): "晚上"}


def overview(view: ScheduleView, today: date) -> str:
    """Give the hours of every week, and what is different on days to come."""
    special = sorted([*_own_days(view.days), *((one.starts_at, _away(one)) for one in view.absences)])
    return lines(
        "您每周的出诊时间：" if view.week else "您还没有每周固定的出诊时间。",
        *(f"· {line}" for line in _week_lines(view.week)),
        _holiday_rule(view.week),
        "单独安排的日子：" if special else "",
        *(f"· {line}" for _, line in special),
        *_holidays_ahead(view, today, _HOLIDAYS_AHEAD),
    )


def days_off(view: ScheduleView, today: date, days: int) -> list[str]:
    """Give when the expert is away in the coming days, and which holidays they rest."""
    until = datetime.combine(today + timedelta(days=days), time(), LOCAL_ZONE)
    return [*(_away(one) for one in view.absences if one.starts_at < until), *_holidays_ahead(view, today, days)]


def change_lines(view: ScheduleView, change: Change) -> list[str]:
    """Give what would be different, one thing a line."""
    told = []
    if change.week is not None:
        after = tuple(change.week)
        changed = [one for one in range(7) if _of(view.week, one) != _of(after, one)]
        touched = [hours for one in changed for hours in _of(after, one)]
        told += [f"以后每{line}" for line in _week_lines(after, changed)]
        told += [_holiday_rule(touched)] if touched else []
    for first, last, hours in grouped({one: tuple(hours) for one, hours in change.days.items() if hours is not None}):
        told.append(f"{_days(first, last)}：{hours_said(hours)}")
    told += [f"{_days(one, one)}：和每周一样" for one, hours in sorted(change.days.items()) if hours is None]
    told += [_away_said(one.span.starts_at, one.span.ends_at, one.reason) for one in change.away]
    told += [f"不再算：{_away(one)}" for one in view.absences if one.id in change.back]
    return told


def unannounced(change: Change, today: date) -> str:
    """Say that a holiday's days are the law's alone, where its arrangement is not known; else nothing."""
    named = {*change.days, *(local(one.span.starts_at).date() for one in change.away)}
    years = sorted({one.year for one in named if one >= today and not calendar_day(one).announced})
    return f"{years[0]}年怎么放假还没有公布，这里先按法律规定的日子。" if years else ""


def hours_said(hours: Sequence[WeeklyHours]) -> str:
    """Say the hours of one day: “上午9:00到11:30、下午2:00到5:00，每次30分钟”."""
    if not hours:
        return _NOT_THERE
    lengths = {one.slot_minutes for one in hours}
    if len(lengths) == 1:
        return f"{'、'.join(map(_stretch, hours))}，每次{lengths.pop()}分钟"
    return "、".join(f"{_stretch(one)}（每次{one.slot_minutes}分钟）" for one in hours)


def weekdays_said(weekdays: Iterable[int]) -> str:
    """Say days of the week: “周一、周三”."""
    return "、".join(f"周{_WEEKDAYS[one]}" for one in weekdays)


def _stretch(one: WeeklyHours) -> str:
    start, end = _clock(one.start_minute), _clock(one.end_minute)
    return f"{start}到{end.removeprefix(start[:2])}"


def _clock(minute: int) -> str:
    if minute >= _LAST_MINUTE:
        return "半夜12:00"
    return time_of_day(datetime.combine(date(2000, 1, 1), time(minute // 60, minute % 60), LOCAL_ZONE))


def _of(week: Iterable[WeeklyHours], weekday: int) -> list[WeeklyHours]:
    return sorted((one for one in week if one.weekday == weekday), key=lambda one: one.start_minute)


def _week_lines(week: Sequence[WeeklyHours], weekdays: Iterable[int] | None = None) -> Iterator[str]:
    """Give a line for the weekdays that have the same hours; without `weekdays` for those that have any."""
    same: dict[str, list[int]] = {}
    for weekday in range(7) if weekdays is None else weekdays:
        held = _of(week, weekday)
        if held or weekdays is not None:
            same.setdefault(hours_said(held), []).append(weekday)
    for said, found in same.items():
        yield f"{weekdays_said(found)}：{said}"


def _holiday_rule(week: Sequence[WeeklyHours]) -> str:
    if not week:
        return ""
    working = [one for one in week if one.on_holidays]
    if not working:
        return "遇到法定节假日不出诊。"
    if len(working) == len(week):
        return "遇到法定节假日照常出诊。"
    named = "、".join(f"周{_WEEKDAYS[one.weekday]}{_stretch(one)}" for one in working)
    return f"遇到法定节假日，只有{named}照常出诊。"


def _holidays_ahead(view: ScheduleView, today: date, days: int) -> Iterator[str]:
    ahead = [today + timedelta(days=number) for number in range(days)]
    resting = {one: calendar_day(one).name for one in ahead if view.plan.rests(one)}
    for first, last, name in grouped(resting):
        yield f"{_days(first, last)}{name}放假，不出诊。要出诊，请写“{name}照常出诊”。"


def _own_days(days: Mapping[date, Sequence[WeeklyHours]]) -> Iterator[tuple[datetime, str]]:
    for first, last, hours in grouped({one: tuple(hours) for one, hours in days.items()}):
        yield datetime.combine(first, time(), LOCAL_ZONE), f"{_days(first, last)}：{hours_said(hours)}"


def grouped(days: Mapping[date, T]) -> Iterator[tuple[date, date, T]]:
    """Give runs of days that have the same value, in order: the first day, the last, and it."""
    run: tuple[date, date, T] | None = None
    for one in sorted(days):
        if run is not None and one == run[1] + _DAY and days[one] == run[2]:
            run = (run[0], one, run[2])
            continue
        if run is not None:
            yield run
        run = (one, one, days[one])
    if run is not None:
        yield run


def _away(one: AbsenceView) -> str:
    return _away_said(one.starts_at, one.ends_at, one.reason)


def _away_said(starts_at: datetime, ends_at: datetime, reason: str) -> str:
    why = f"（{reason}）" if reason else ""
    begin, end = local(starts_at), local(ends_at)
    if begin.time() == end.time() == time():
        return f"{_days(begin.date(), (end - _DAY).date())}：{_NOT_THERE}{why}"
    if begin.date() == end.date() or end.time() == time():
        part = _PARTS.get((f"{begin:%H:%M}", f"{end:%H:%M}"))
        said = part or f"{time_of_day(begin)}到{time_of_day(end)}"
        return f"{_days(begin.date(), begin.date())}{said}：{_NOT_THERE}{why}"
    return f"{day(begin)}{time_of_day(begin)}到{day(end)}{time_of_day(end)}：{_NOT_THERE}{why}"


def _days(first: date, last: date) -> str:
    begin, end = (datetime.combine(one, time(12), LOCAL_ZONE) for one in (first, last))
    if first == last:
        name = calendar_day(first).name if calendar_day(first).is_holiday else ""
        return f"{day(begin)[:-1]}，{name}）" if name else day(begin)
    return f"{short_day(begin)}到{short_day(end)}"
