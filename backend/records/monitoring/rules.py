"""When readings become an alert, when somebody is told, and when it is over. Pure: no I/O, no present time.

One alert is open for a patient and a kind; what comes while it is open belongs to it. Danger opens it at once; anything
milder when two of the last three readings say so. It is over when two readings in a row are back by the margin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.clock import LOCAL_ZONE, local
from backend.records.monitoring.limits import Level, Side

LOOKED_AT = 3
"""How many readings a judgement looks at."""

WINDOW = timedelta(days=3)
"""Within which they must have been taken."""

_NEEDED = 2

QUIET_FROM, QUIET_UNTIL = 22, 7
"""Hours of the night in China, in which nobody is told of anything but danger."""

COOLDOWN: Mapping[Level, timedelta] = {
    Level.WATCH: timedelta(hours=24),
    Level.ALERT: timedelta(hours=6),
    Level.DANGER: timedelta(hours=1),
}
"""How long the same kind at the same level on the same side is not told again."""

APART = timedelta(minutes=30)
"""Between two tellings to one patient of anything but danger."""

DANGER_UNANSWERED = timedelta(minutes=15)
MORNING = 8
"""When those hear who are told because nobody answered by the next day."""

LAST_STEP: Mapping[Level, int] = {Level.WATCH: 0, Level.ALERT: 2, Level.DANGER: 3}
"""How often an alert without an answer goes on to more people: doctor, colleagues, administrators (twice of danger)."""

SILENT_AFTER = timedelta(days=7)
"""A device that says nothing for so long may be broken, or forgotten."""

_AFTERNOON = 15


@dataclass(frozen=True)
class Rated:
    """What the rules look at of a reading."""

    level: Level
    side: Side | None
    calm: bool


@dataclass(frozen=True)
class Standing:
    """Where a patient's alert of a kind stands: NORMAL where none is open. `told`: when last, by level and side."""

    level: Level
    told: Mapping[tuple[Level, Side], datetime]


@dataclass(frozen=True)
class Decision:
    """What a reading changes.

    Args:
        level: at which the alert stands from now on; NORMAL: none is open.
        side: of the reading, where it opens an alert or makes it graver.
        rises: an alert is opened, or a graver level is reached.
        tell_at: when people are to be told, where they are.
        again: it is danger again after the last telling has had its time: an answer to that does not count any more.
    """

    level: Level
    side: Side | None = None
    rises: bool = False
    closes: bool = False
    tell_at: datetime | None = None
    again: bool = False


def decide(standing: Standing, recent: Sequence[Rated], new: Rated, now: datetime) -> Decision:
    """Say what a fresh reading changes.

    Args:
        recent: the latest readings by the time at which they were taken, oldest first, at most three; the new one is
            among them unless it came late and later ones were here before it.
    """
    reached = _reached(recent, new)
    is_open = standing.level is not Level.NORMAL
    if reached is Level.NORMAL or new.side is None:
        back = is_open and len(recent) >= _NEEDED and all(one.calm for one in recent[-_NEEDED:])
        return Decision(Level.NORMAL, closes=True) if back else Decision(standing.level)
    rises = reached.rank > standing.level.rank
    free_at = _free_at(standing, reached, new.side)
    level = reached if rises else standing.level
    if reached is Level.DANGER:
        due = free_at is None or free_at <= now
        later = free_at if rises else None
        return Decision(level, new.side, rises, tell_at=now if due else later, again=due and not rises)
    if not rises:
        return Decision(level)
    return Decision(level, new.side, rises=True, tell_at=waking(max(now, free_at or now)))


def _reached(recent: Sequence[Rated], new: Rated) -> Level:
    """Give the level that the new reading proves: danger by itself, what is milder together with another one."""
    if new.level is Level.DANGER:
        return Level.DANGER
    for level in (Level.ALERT, Level.WATCH):
        if new.level.rank >= level.rank and sum(one.level.rank >= level.rank for one in recent) >= _NEEDED:
            return level
    return Level.NORMAL


def _free_at(standing: Standing, level: Level, side: Side) -> datetime | None:
    """Give from when on this may be told again; None where it was not told. What was graver counts too."""
    told = [
        at + COOLDOWN[level] for (one, where), at in standing.told.items() if where is side and one.rank >= level.rank
    ]
    return max(told, default=None)


def is_quiet(moment: datetime) -> bool:
    """Tell whether people in China sleep."""
    return not QUIET_UNTIL <= local(moment).hour < QUIET_FROM


def waking(moment: datetime) -> datetime:
    """Give `moment`, or the end of the night that it lies in."""
    if not is_quiet(moment):
        return moment
    there = local(moment)
    day = there.date() + timedelta(days=1 if there.hour >= QUIET_FROM else 0)
    return datetime(day.year, day.month, day.day, QUIET_UNTIL, tzinfo=LOCAL_ZONE)


def escalates_at(level: Level, step: int, told_at: datetime) -> datetime | None:
    """Give when an alert goes on to more people that nobody has answered since `told_at`; None where it does not.

    Args:
        step: how often it went on already.
    """
    if step >= LAST_STEP[level]:
        return None
    if level is Level.DANGER:
        return told_at + DANGER_UNANSWERED
    return _next_at(told_at, MORNING)


def silent_at(last_seen: datetime) -> datetime:
    """Give when a device that was last heard at `last_seen` has been silent for too long: in an afternoon."""
    return _next_at(last_seen + SILENT_AFTER - timedelta(days=1), _AFTERNOON)


def _next_at(moment: datetime, hour: int) -> datetime:
    """Give the next day of `moment` in China, at this hour."""
    day = local(moment).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, hour, tzinfo=LOCAL_ZONE)
