"""How a value has gone: which observations make a trend, and what it says in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from backend.clock import local
from backend.records.background import Source
from backend.records.views import ObservationView
from data.observations import ObservationKind, ReferenceRange, observation_kinds

LONGEST = timedelta(days=90)
"""Older values are not drawn: what is asked is how it is going now."""

MOST_POINTS = 40


class Subject(StrEnum):
    """What a trend may be of."""

    PRESSURE = "pressure"
    GLUCOSE = "glucose"
    TEMPERATURE = "temperature"
    WEIGHT = "weight"
    HEART_RATE = "heart_rate"
    SPO2 = "spo2"

    @property
    def label(self) -> str:
        """The words people read."""
        return _LABELS[self]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of observation that it is drawn from."""
        return _KINDS.get(self, (self.value,))


_LABELS = {
    Subject.PRESSURE: "血压",
    Subject.GLUCOSE: "血糖",
    Subject.TEMPERATURE: "体温",
    Subject.WEIGHT: "体重",
    Subject.HEART_RATE: "脉搏",
    Subject.SPO2: "血氧",
}
_KINDS = {
    Subject.PRESSURE: ("systolic", "diastolic"),
    Subject.GLUCOSE: ("glucose_fasting", "glucose_after_meal", "glucose"),
}
_NAMES = {"glucose": "随机", "glucose_fasting": "空腹", "glucose_after_meal": "餐后"}


@dataclass(frozen=True)
class Point:
    """One value of a series."""

    at: datetime
    value: Decimal = field(repr=False)


@dataclass(frozen=True)
class Series:
    """The values of one kind, the oldest first; `name` is for the legend, `band` what is usual."""

    kind: ObservationKind
    name: str
    points: tuple[Point, ...]
    band: ReferenceRange | None


@dataclass(frozen=True)
class Trend:
    """What is drawn: one series or a few in one unit."""

    subject: Subject
    series: tuple[Series, ...]

    @property
    def unit(self) -> str:
        """The unit of all series."""
        return self.series[0].kind.shown_unit

    @property
    def points(self) -> list[Point]:
        """Every value that is drawn."""
        return [point for series in self.series for point in series.points]


def subject_of(kind: str) -> Subject | None:
    """Give the trend that an observation of `kind` belongs to."""
    return next((subject for subject in Subject if kind in subject.kinds), None)


def make_trend(
    subject: Subject, observations: Sequence[ObservationView], sex: str, age_months: int | None
) -> Trend | None:
    """Make the trend of a patient's observations; None where there is none of its kinds.

    Args:
        observations: as they stand, in any order; each kind's newest 40 are taken.
    """
    series = []
    for key in subject.kinds:
        kind = observation_kinds()[key]
        mine = sorted((one for one in observations if one.kind_key == key), key=lambda one: (one.taken_at, one.id))
        points = tuple(Point(one.taken_at, Decimal(one.value)) for one in mine[-MOST_POINTS:])
        if points:
            name = _NAMES.get(key) or kind.short or kind.name
            series.append(Series(kind, name, points, kind.reference(sex, age_months)))
    return Trend(subject, tuple(series)) if series else None


def latest_in_words(subject: Subject, observations: Sequence[ObservationView], most: int = 5) -> list[str]:
    """Say the newest measurements, the newest first, one a line: “11月22日 上午10:20　150/95mmHg（家用设备）”."""
    batches: dict[tuple[datetime, str], list[ObservationView]] = {}
    for one in sorted(observations, key=lambda one: (one.taken_at, one.id), reverse=True):
        if one.kind_key in subject.kinds:
            batches.setdefault((one.taken_at, one.batch_id), []).append(one)
    return [_line(subject, batch) for batch in list(batches.values())[:most]]


def _line(subject: Subject, batch: list[ObservationView]) -> str:
    at = local(batch[0].taken_at)
    when = f"{at.month}月{at.day}日 {at.hour}:{at.minute:02d}"
    by_kind = {one.kind_key: one for one in batch}
    if subject is Subject.PRESSURE and len(by_kind) == len(subject.kinds):
        said = f"{by_kind['systolic'].value}/{by_kind['diastolic'].shown}"
    else:
        said = "，".join(f"{_prefix(one)}{one.shown}" for one in by_kind.values())
    source = "" if batch[0].source is Source.PATIENT else f"（{batch[0].source.label}）"
    return f"{when}　{said}{source}"


def _prefix(one: ObservationView) -> str:
    return _NAMES.get(one.kind_key, "") or one.kind.short
