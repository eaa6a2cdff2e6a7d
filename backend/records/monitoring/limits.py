"""At which level a value is: the limits of everybody, those that a doctor set for one patient, and margins. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from backend.errors import InvalidInput
from backend.records.monitoring.readings import Kind
from data.monitoring import limits, measures
from data.observations import dangers, observation_kinds

_FASTING = "fasting"
_GROWN = 18 * 12


class Level(StrEnum):
    """How much a value matters."""

    NORMAL = "normal"
    WATCH = "watch"  # the patient hears of it, the doctor finds it in a list
    ALERT = "alert"  # the doctor hears of it by day
    DANGER = "danger"  # everybody hears of it now

    @property
    def rank(self) -> int:
        """0 to 3; a higher one matters more."""
        return list(Level).index(self)


class Side(StrEnum):
    """On which side of what is usual a value lies."""

    LOW = "low"
    HIGH = "high"

    @property
    def label(self) -> str:
        """The word people read."""
        return "偏低" if self is Side.LOW else "偏高"


@dataclass(frozen=True)
class OwnLimit:
    """A limit that a doctor set for one patient."""

    measure: str
    side: Side
    level: Level
    bound: float = field(repr=False)


@dataclass(frozen=True)
class Line:
    """One limit that holds: reached at `bound` itself."""

    measure: str
    side: Side
    level: Level
    bound: float = field(repr=False)
    timing: str | None = None

    def is_reached(self, value: float, margin: float = 0.0) -> bool:
        """Whether `value` is at or beyond it, or nearer to it than `margin`."""
        beyond = value - self.bound if self.side is Side.HIGH else self.bound - value
        return beyond >= 0 if not margin else beyond > -margin

    def holds_for(self, timing: str) -> bool:
        """Whether it is meant for a value of this timing."""
        return self.timing is None or (self.timing == _FASTING) == (timing == _FASTING)


@dataclass(frozen=True)
class Grade:
    """What is to be made of a reading.

    Args:
        side: of the gravest value; None where all are normal.
        calm: every value is inside its mildest limit by the margin: it counts towards the end of an alert.
    """

    level: Level
    side: Side | None
    calm: bool


def lines_for(age_months: int | None, own: Collection[OwnLimit] = ()) -> tuple[Line, ...]:
    """Give the limits that hold for a patient.

    Children have the danger lines that `data.observations` has for their age; of pulse and pressure nothing milder is
    known of them, and a doctor sets it.

    A limit of their own takes the place of everybody's at its level; a milder one that it has left behind is dropped,
    and with a doctor's alert line the watch line, which is for patients whose values nobody has thought about.

    Args:
        age_months: None, where it is not known, counts as an adult.
    """
    age = _GROWN if age_months is None else age_months
    mine = {(one.measure, one.side, one.level): one.bound for one in own}
    watched = {(measure, side) for measure, side, level in mine if level is Level.ALERT}
    lines = []
    for row in limits():
        side, level = Side(row.side), Level(row.level)
        if age < row.from_years * 12 or (row.measure, side, level) in mine:
            continue
        if level is Level.WATCH and (row.measure, side) in watched:
            continue
        lines.append(Line(row.measure, side, level, row.bound, row.timing))
    lines += [line for line in _childrens(age) if (line.measure, line.side, line.level) not in mine]
    lines += [Line(measure, side, level, bound) for (measure, side, level), bound in mine.items()]
    dangers = [line for line in lines if line.level is Level.DANGER]
    return tuple(line for line in lines if not _is_behind(line, dangers))


def _childrens(age_months: int) -> list[Line]:
    """Give the danger lines that are written for children of this age."""
    found = []
    for row in dangers():
        if row.age_below_months is None or row.age_below_months > _GROWN or row.kind not in measures():
            continue
        if not (row.age_from_months or 0) <= age_months < row.age_below_months:
            continue
        if row.value_from is not None:
            found.append(Line(row.kind, Side.HIGH, Level.DANGER, float(row.value_from)))
        elif row.value_below is not None:  # a line is reached at its bound, such a danger begins below it
            last = row.value_below - Decimal(1).scaleb(-observation_kinds()[row.kind].decimals)
            found.append(Line(row.kind, Side.LOW, Level.DANGER, float(last)))
    return found


def _is_behind(line: Line, dangers: list[Line]) -> bool:
    """Whether a mild line begins where a danger line that a doctor has moved has begun already."""
    return line.level is not Level.DANGER and any(
        danger.is_reached(line.bound)
        for danger in dangers
        if (danger.measure, danger.side) == (line.measure, line.side)
    )


def grade(kind: Kind, values: Mapping[str, float], timing: str, lines: Collection[Line]) -> Grade:
    """Say at which level a reading is, and on which side; of two values at one level the side of the first counts."""
    gravest: Line | None = None
    calm = True
    for measure in kind.measures:
        for line in lines:
            if line.measure != measure or not line.holds_for(timing):
                continue
            calm = calm and not line.is_reached(values[measure], measures()[measure].margin)
            if line.is_reached(values[measure]) and (gravest is None or line.level.rank > gravest.level.rank):
                gravest = line
    return Grade(gravest.level if gravest else Level.NORMAL, gravest.side if gravest else None, calm)


def checked(own: OwnLimit, lines: Collection[Line]) -> OwnLimit:
    """Let a doctor's limit pass where it leaves everybody safe.

    Args:
        lines: those that hold for the patient now.

    Raises:
        InvalidInput: a danger line outside the range in which it may be moved, or an alert line beyond the danger line.
    """
    measure = measures()[own.measure]
    if own.level is Level.DANGER:
        allowed = measure.danger_high if own.side is Side.HIGH else measure.danger_low
        if allowed is None:
            raise InvalidInput(f"{measure.name}{own.side.label}没有危险线，只能设提醒线。")
        if not allowed[0] <= own.bound <= allowed[1]:
            raise InvalidInput(f"{measure.name}的危险线只能设在{allowed[0]:g}到{allowed[1]:g}{measure.unit}之间。")
        return own
    danger = next(
        (line for line in lines if (line.measure, line.side, line.level) == (own.measure, own.side, Level.DANGER)), None
    )
    if danger is not None and danger.is_reached(own.bound):
        raise InvalidInput(
            f"{measure.name}到{danger.bound:g}{measure.unit}就是危险，会马上通知。提醒线要比它早，请重新设。"
        )
    return own
