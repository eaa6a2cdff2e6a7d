"""What an expert wants of their times, put to the schedule as it is: the change that it makes. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from backend.clock import LOCAL_ZONE, local
from backend.errors import InvalidInput
from backend.scheduling import (
    AbsenceView,
    Away,
    Change,
    ScheduleView,
    Span,
    WeeklyHours,
    check_week,
    with_hours,
    without_hours,
)
from bot.cards.schedule import grouped
from bot.flows.schedule_clock import Stretch
from bot.flows.schedule_words import Wish

_USUAL_MINUTES = 30
_LAST_MINUTE = 24 * 60 - 1


def usual_minutes(view: ScheduleView) -> int:
    """Give how long a consultation of this expert takes in most of their hours."""
    lengths = [one.slot_minutes for one in view.week]
    return max(lengths, key=lengths.count) if lengths else _USUAL_MINUTES


def change_of(view: ScheduleView, wish: Wish, *, weekly: bool, instead: bool) -> Change:
    """Give the change that a wish makes of a schedule.

    Args:
        view: of today and the year to come.
        weekly: the days of every week are meant, not the single ones.
        instead: new times replace those of their days, and do not come to them.

    Raises:
        InvalidInput: it would change nothing, the expert is away then, or there is no room for a consultation.
    """
    if weekly or not wish.days:
        return _of_week(view, wish, instead)
    if wish.as_ever:
        return _as_ever(view, wish.days.on)
    if wish.off:
        return Change(away=[Away(span, wish.reason) for span in _spans(wish.days.on, wish.stretches)])
    spans = _spans(wish.days.on, wish.stretches)
    if away := next((one for one in view.absences if any(_touches(span, one) for span in spans)), None):
        when = local(away.starts_at)
        raise InvalidInput(f"您{when.month}月{when.day}日登记了不出诊，和这个时间冲突。请先恢复，再加时间。")
    return Change(
        days={
            day: _hours(view.plan.hours_of(day), wish, day.weekday(), usual_minutes(view), instead)
            for day in wish.days.on
        }
    )


def has_hours(view: ScheduleView, wish: Wish, *, weekly: bool) -> bool:
    """Tell whether the days that are meant have hours already, to which others come or which they replace."""
    if weekly:
        return any(one.weekday in wish.days.weekly for one in view.week)
    return any(view.plan.hours_of(day) for day in wish.days.on)


def _of_week(view: ScheduleView, wish: Wish, instead: bool) -> Change:
    days = wish.days.weekly or tuple(range(7))
    week: list[WeeklyHours] = []
    for weekday in range(7):
        held = [one for one in view.week if one.weekday == weekday]
        week += _hours(held, wish, weekday, usual_minutes(view), instead) if weekday in days else held
    if week == list(view.week):
        raise InvalidInput("每周的出诊时间本来就是这样，不用改。")
    return Change(week=week)


def _hours(held: Sequence[WeeklyHours], wish: Wish, weekday: int, usual: int, instead: bool) -> list[WeeklyHours]:
    """Give the hours of one day as they are to be."""
    gone = wish.stretches if wish.off else wish.given_up
    kept = [] if instead or (wish.off and not gone) else list(held)
    for stretch in gone:
        kept = without_hours(kept, stretch.start, stretch.end)
    if wish.off:
        return kept
    if not wish.stretches and wish.on_holidays is None:
        return kept
    if not wish.stretches:
        return [replace(one, on_holidays=bool(wish.on_holidays)) for one in kept]
    minutes = wish.slot_minutes or (held[0].slot_minutes if held else usual)
    more = [_stretch(weekday, one, minutes, on_holidays=bool(wish.on_holidays)) for one in wish.stretches]
    return check_week(with_hours(kept, more))


def _stretch(weekday: int, one: Stretch, minutes: int, *, on_holidays: bool) -> WeeklyHours:
    start, end = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in (one.start, min(one.end, _LAST_MINUTE)))
    return WeeklyHours(weekday, start, end, minutes, on_holidays)


def _as_ever(view: ScheduleView, wanted: Sequence[date]) -> Change:
    days: dict[date, list[WeeklyHours] | None] = {day: None for day in wanted if day in view.days}
    week = replace(view, days={})
    for day in wanted:
        if week.plan.rests(day):  # to say so for the single day is to work on the holiday
            days[day] = [one for one in view.week if one.weekday == day.weekday()]
    spans = _spans(wanted, ())
    back = {one.id for one in view.absences if any(_touches(span, one) for span in spans)}
    if not days and not back:
        raise InvalidInput("这几天本来就按每周的时间出诊，不用改。")
    return Change(days=days, back=back)


def _spans(days: Sequence[date], stretches: Sequence[Stretch]) -> list[Span]:
    """Give the times that are meant: the stretches of each day, or whole days in a row as one."""
    if not stretches:
        return [Span(_at(first), _at(last + timedelta(days=1))) for first, last, _ in grouped(dict.fromkeys(days))]
    return [Span(_at(day, one.start), _at(day, one.end)) for day in days for one in stretches]


def _at(day: date, minute: int = 0) -> datetime:
    return datetime.combine(day, time(), LOCAL_ZONE) + timedelta(minutes=minute)


def _touches(span: Span, absence: AbsenceView) -> bool:
    return span.overlaps(Span(absence.starts_at, absence.ends_at))
