"""A reading as a device says it: believable or not, and when it was really taken. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from backend.consultation.vitals import GLUCOSE_TIMING, describe_vitals
from backend.errors import InvalidInput
from backend.records.rules import NewObservation, check_pressures, check_value
from data.observations import observation_kinds

AHEAD = timedelta(minutes=5)
"""How far in the future a reading may lie: clocks of two machines differ a little."""

FRESH = timedelta(hours=6)
"""What is older raises no alarm: whoever is told of it could do nothing about it any more."""

OLDEST = timedelta(days=5 * 366)
"""What says that it is older was measured by a device whose clock was never set."""

CLOCKS = datetime(1960, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Between which moments the clock of a device stands, however wrong it is."""

_SKEW = timedelta(minutes=1)
_GLUCOSE = {"fasting": "glucose_fasting", "after_meal": "glucose_after_meal"}
OBSERVED = (
    "systolic", "diastolic", "heart_rate", "spo2", "glucose", "glucose_fasting", "glucose_after_meal", "temperature",
)  # fmt: skip
"""Every kind of observation that a reading may become."""

_TIMINGS = {"fasting": "空腹", "after_meal": "餐后", "random": "随机"}


class Kind(StrEnum):
    """What a device measures in one go."""

    BLOOD_PRESSURE = "blood_pressure"
    HEART_RATE = "heart_rate"
    SPO2 = "spo2"
    GLUCOSE = "glucose"
    TEMPERATURE = "temperature"

    @property
    def label(self) -> str:
        """The word people read."""
        return _LABELS[self]

    @property
    def device(self) -> str:
        """What people call the device."""
        return _DEVICES[self]

    @property
    def measures(self) -> tuple[str, ...]:
        """The values that a reading of this kind has."""
        return ("systolic", "diastolic") if self is Kind.BLOOD_PRESSURE else (self.value,)


_LABELS = {
    Kind.BLOOD_PRESSURE: "血压",
    Kind.HEART_RATE: "心率",
    Kind.SPO2: "血氧",
    Kind.GLUCOSE: "血糖",
    Kind.TEMPERATURE: "体温",
}
_DEVICES = {
    Kind.BLOOD_PRESSURE: "血压计",
    Kind.HEART_RATE: "心率手环",
    Kind.SPO2: "血氧仪",
    Kind.GLUCOSE: "血糖仪",
    Kind.TEMPERATURE: "体温计",
}


class Refusal(StrEnum):
    """Why a reading is not taken."""

    IMPLAUSIBLE = "implausible"  # no such value, or none that a living person has
    FUTURE = "future"  # from a time that has not come
    CLOCK_UNSET = "clock_unset"  # from a time before there was such a device


@dataclass(frozen=True)
class Said:
    """A reading in the device's words.

    Args:
        id: the device's own name of it, the same when it is sent again.
        taken_at: by the device's clock.
        values: numbers by measure. unit: of all of them, as devices write it; empty for mmHg, /min, %, mmol/L, °C.
        timing: of glucose: fasting, after_meal or random; empty where the device does not know.
    """

    id: str
    kind: Kind
    taken_at: datetime
    values: Mapping[str, float] = field(repr=False)
    timing: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Reading:
    """A believable reading.

    Args:
        said_at: by the device's clock. taken_at: by ours.
        values: by measure, in the units in which observations are kept.
    """

    id: str
    kind: Kind
    said_at: datetime
    taken_at: datetime
    values: Mapping[str, Decimal] = field(repr=False)
    timing: str = ""

    @property
    def shown(self) -> dict[str, float]:
        """The values as people see them, rounded; by these they are judged, so that nobody wonders why."""
        kinds = observation_kinds()
        return {
            measure: float(kinds[_observed(measure, self.timing)].show(value)) for measure, value in self.values.items()
        }

    @property
    def words(self) -> str:
        """The reading as people read it: 血压150/95mmHg."""
        timing = {GLUCOSE_TIMING: _TIMINGS[self.timing]} if self.timing else {}
        return describe_vitals({**self.shown, **timing})

    def is_fresh(self, now: datetime) -> bool:
        """Whether it may raise an alarm."""
        return now - self.taken_at <= FRESH

    def observations(self, device_id: str) -> list[NewObservation]:
        """Give it as the patient's record keeps it."""
        return [
            NewObservation(
                _observed(measure, self.timing),
                value,
                taken_at=self.taken_at,
                origin=f"device:{device_id}:{self.id}:{measure}",
            )
            for measure, value in self.values.items()
        ]


def judge(said: Said, sent_at: datetime | None, now: datetime) -> Reading | Refusal:
    """Give the reading with its values rounded and its time set right, or why it is not taken.

    Args:
        sent_at: what the device's clock showed when it sent; where that is not the present, every reading of the device
            is as wrong, and is put right by the difference.
    """
    if not CLOCKS[0] <= said.taken_at <= CLOCKS[1]:
        return Refusal.CLOCK_UNSET
    skew = now - sent_at if sent_at is not None else timedelta()
    try:
        taken_at = said.taken_at + skew if abs(skew) > _SKEW else said.taken_at
    except OverflowError:
        return Refusal.CLOCK_UNSET
    if taken_at > now + AHEAD:
        return Refusal.FUTURE
    if taken_at < now - OLDEST:
        return Refusal.CLOCK_UNSET
    values = _believable(said)
    if values is None:
        return Refusal.IMPLAUSIBLE
    return Reading(said.id, said.kind, said.taken_at, min(taken_at, now), values, said.timing)


def _believable(said: Said) -> dict[str, Decimal] | None:
    """Give the values, or None where one is missing, foreign to the kind, or cannot be."""
    is_timed = said.kind is Kind.GLUCOSE
    if set(said.values) != set(said.kind.measures) or (said.timing and (not is_timed or said.timing not in _TIMINGS)):
        return None
    kinds = observation_kinds()
    try:
        checked = {
            measure: Decimal(check_value(kinds[_observed(measure, said.timing)], said.values[measure], said.unit))
            for measure in said.kind.measures
        }
        check_pressures(checked)
    except InvalidInput:
        return None
    return checked


def _observed(measure: str, timing: str) -> str:
    """Give the kind of observation that a measure is."""
    return _GLUCOSE.get(timing, measure) if measure == Kind.GLUCOSE else measure
