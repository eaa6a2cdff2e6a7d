"""When somebody is reminded of which medicines. Pure: no I/O, no present time.

All times of day are those of China. Between 22 and 6 nobody is reminded, unless it was prescribed for the night.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from backend.clock import LOCAL_ZONE, local
from backend.errors import InvalidInput
from data.drugs import ROUTES

NIGHT_FROM, NIGHT_UNTIL = time(22), time(6)

LATER = timedelta(minutes=30)
MOST_LATER = 3
"""How often one dose is put off; then it is the person's own business."""

WORTH_SAYING = timedelta(hours=2)
"""A reminder that comes later than this is not given: it would lead to two doses at once."""

MOST_LINES = 20
LONGEST_DAYS = 366
CLOSEST = timedelta(hours=3)
"""How near two times of one medicine may be put by the person; our own: the four of a day are four hours apart."""

_MOST_TIMES = 8
_LONGEST_NAME, _LONGEST_HOW = 40, 60

TIMES: Mapping[str, tuple[time, ...]] = MappingProxyType(
    {
        "qd": (time(8),),
        "bid": (time(8), time(20)),
        "tid": (time(8), time(12), time(18)),
        "qid": (time(8), time(12), time(16), time(20)),
        "q12h": (time(8), time(20)),
        "q8h": (time(6), time(14), time(22)),
        "q6h": (time(0), time(6), time(12), time(18)),
        "qn": (time(21),),
        "qod": (time(8),),
        "qw": (time(8),),
    }
)
"""Times of day by the frequency codes of a prescription (docs/prescription.md): around the meals of a village, and
around the clock where it says so. Of what is taken once (`st`) or when needed (`prn`) nobody is reminded."""

EVERY_DAYS: Mapping[str, int] = MappingProxyType({"qod": 2, "qw": 7})
AT_NIGHT = frozenset({"q8h", "q6h"})
_GIVEN_BY_OTHERS = frozenset({ROUTES["im"], ROUTES["iv"]})


class DoseState(StrEnum):
    """What became of a reminder."""

    ASKED = "asked"
    TAKEN = "taken"
    STOPPED = "stopped"  # the person wants no more reminders
    MISSED = "missed"  # it could not be given in time


@dataclass(frozen=True)
class PlanLine:
    """One medicine of a plan.

    Args:
        name: in plain words. how: how much, before or after meals, in plain words; may be empty.
        times: of day in China. days: from the start on. every: 1 each day, 2 every other day.
        by_night: prescribed for the night, so that it may wake somebody.
    """

    name: str = field(repr=False)
    times: tuple[time, ...]
    days: int
    how: str = field(default="", repr=False)
    every: int = 1
    by_night: bool = False


@dataclass(frozen=True)
class Course:
    """A line on the calendar: `first` to `last`, both included; nothing before `since`, when it was planned."""

    line_id: str
    since: datetime
    times: tuple[time, ...]
    first: date
    last: date
    every: int = 1
    by_night: bool = False


@dataclass(frozen=True)
class Due:
    """A moment, and the lines that are to be taken then."""

    at: datetime
    line_ids: tuple[str, ...]


def line_for(name: str, frequency: str, days: int, how: str = "") -> PlanLine | None:
    """Give the line of a prescribed medicine by its frequency code; None where there is nothing to remind of."""
    times = TIMES.get(frequency)
    if times is None:
        return None
    return PlanLine(name, times, days, how, EVERY_DAYS.get(frequency, 1), frequency in AT_NIGHT)


def checked(line: PlanLine) -> PlanLine:
    """Give a line with its texts trimmed and its times in order.

    Raises:
        InvalidInput: a text, a number of days or times that cannot be, or a time in the night of what was not
            prescribed for it.
    """
    name, how = " ".join(line.name.split()), " ".join(line.how.split())
    if not 0 < len(name) <= _LONGEST_NAME or len(how) > _LONGEST_HOW:
        raise InvalidInput(f"药名要写1到{_LONGEST_NAME}个字，用法最多{_LONGEST_HOW}个字。", field="name")
    if not 0 < line.days <= LONGEST_DAYS or not 0 < line.every <= LONGEST_DAYS:
        raise InvalidInput(f"天数要在1到{LONGEST_DAYS}之间。", field="days")
    times = tuple(sorted({one.replace(second=0, microsecond=0, tzinfo=None) for one in line.times}))
    if not 0 < len(times) <= _MOST_TIMES:
        raise InvalidInput(f"一天要有1到{_MOST_TIMES}个吃药的时间。", field="times")
    if not line.by_night and any(is_night(one) for one in times):
        raise InvalidInput("夜里10点到早上6点不提醒吃药。药要夜里吃的，请医生写明。", field="times")
    return PlanLine(name, times, line.days, how, line.every, line.by_night)


def prescribed_line(document_line: Mapping[str, Any]) -> PlanLine | None:
    """Give the line of a medicine as a signed prescription writes it; None where there is nothing to remind of, which
    holds for injections too: who gives them keeps the hours."""
    if document_line["route"] in _GIVEN_BY_OTHERS:
        return None
    amount = document_line["pieces"] or document_line["dose"]
    said = f"{document_line['route']}，一次{amount}"
    how = f"{said}，{document_line['note']}" if document_line["note"] else said
    how = how if len(how) <= _LONGEST_HOW else said
    return line_for(document_line["name"], document_line["frequency"], document_line["days"], how)


def first_day(line: PlanLine, now: datetime) -> date:
    """Give the day on which a course begins that is begun now: today while one of its times is to come, else
    tomorrow."""
    here = local(now)
    return here.date() if any(one > here.time() for one in line.times) else here.date() + timedelta(days=1)


def moved(times: tuple[time, ...], old: time, new: time, *, by_night: bool) -> tuple[time, ...]:
    """Give the times of a medicine with one of them moved.

    Raises:
        InvalidInput: it would come before or behind another time, too near to it, or into the night.
    """
    if is_night(new) and not by_night:
        raise InvalidInput("夜里10点到早上6点不提醒吃药，请换个时间。", field="times")
    changed = tuple(new if one == old else one for one in times)
    minutes = [one.hour * 60 + one.minute for one in changed]
    gaps = [later - earlier for earlier, later in pairwise(minutes)]
    if len(minutes) > 1:
        gaps.append(minutes[0] + 24 * 60 - minutes[-1])
    if any(gap * 60 < CLOSEST.total_seconds() for gap in gaps):
        raise InvalidInput("同一种药，两次之间至少要隔3个小时，请换个时间。", field="times")
    return changed


def is_night(of_day: time) -> bool:
    """Tell whether people sleep at this time of day."""
    return of_day >= NIGHT_FROM or of_day < NIGHT_UNTIL


def due_between(courses: Collection[Course], after: datetime, until: datetime) -> list[Due]:
    """Give the moments after `after` and not after `until`, in order, with everything that is due at each."""
    found: dict[datetime, list[str]] = {}
    for course in courses:
        for moment in _moments(course, after, until):
            found.setdefault(moment, []).append(course.line_id)
    return [Due(moment, tuple(sorted(found[moment]))) for moment in sorted(found)]


def next_due(courses: Collection[Course], after: datetime) -> datetime | None:
    """Give the first moment after `after`; None where nothing is due any more."""
    moments = (_first_after(course, after) for course in courses)
    return min((moment for moment in moments if moment is not None), default=None)


def later(now: datetime, by_night: bool, before: int) -> datetime | None:
    """Give when a dose that is put off is reminded of again; None where it is not: too often, or in the night.

    Args:
        before: how often it was put off already.
    """
    at = now + LATER
    if before >= MOST_LATER or (is_night(local(at).time()) and not by_night):
        return None
    return at


def _moments(course: Course, after: datetime, until: datetime) -> list[datetime]:
    found = []
    moment = _first_after(course, after)
    while moment is not None and moment <= until:
        found.append(moment)
        moment = _first_after(course, moment)
    return found


def _first_after(course: Course, after: datetime) -> datetime | None:
    after = max(after, course.since)
    day = max(course.first, local(after).date())
    day += timedelta(days=-(day - course.first).days % course.every)
    while day <= course.last:
        for of_day in course.times:
            moment = datetime.combine(day, of_day, LOCAL_ZONE)
            if moment > after:
                return moment
        day += timedelta(days=course.every)
    return None
