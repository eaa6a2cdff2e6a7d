"""What is known of a patient, as readers see it: immutable values, made only after the policy was asked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from backend.records.background import Source
from data.observations import Danger, ObservationKind, ReferenceRange, dangers_in, observation_kinds


class Mark(StrEnum):
    """How a value lies to its reference range."""

    LOW = "low"
    HIGH = "high"
    ABNORMAL = "abnormal"  # a graded answer that is not the usual one

    @property
    def sign(self) -> str:
        """What slips print beside it."""
        return {Mark.LOW: "↓", Mark.HIGH: "↑", Mark.ABNORMAL: "*"}[self]

    @property
    def label(self) -> str:
        """The words people read."""
        return {Mark.LOW: "偏低", Mark.HIGH: "偏高", Mark.ABNORMAL: "不正常"}[self]


@dataclass(frozen=True)
class ObservationView:
    """One measurement.

    Args:
        value: a number in the kind's own unit, written plainly, or one of the kind's answers.
        reference: the range that a slip printed, as it stands there; "" where none was.
        batch_id: the same for what was noted together.
        origin: what names it where it came from; None where nothing does.
        replaces_id: the observation that this one corrects.
    """

    id: str
    patient_id: str
    kind_key: str
    value: str = field(repr=False)
    reference: str = field(repr=False)
    taken_at: datetime
    source: Source
    recorded_by: str
    recorded_at: datetime
    consultation_id: str | None
    batch_id: str
    origin: str | None
    replaces_id: str | None

    @property
    def kind(self) -> ObservationKind:
        """What was measured."""
        return observation_kinds()[self.kind_key]

    @property
    def quantity(self) -> Decimal | None:
        """The number, in the kind's own unit; None for a graded answer."""
        return None if self.kind.answers else Decimal(self.value)

    @property
    def shown(self) -> str:
        """The value as people read it, with the unit."""
        quantity = self.quantity
        return self.value if quantity is None else f"{self.kind.show(quantity)}{self.kind.shown_unit}"


@dataclass(frozen=True)
class Assessment:
    """How observations lie to what is usual.

    Args:
        marks: by id, of those alone that lie outside the range that their slip printed, else that of sex and age.
        dangers: what cannot wait, the most urgent first.
    """

    marks: dict[str, Mark]
    dangers: tuple[Danger, ...]


def assess(
    observations: Iterable[ObservationView], sex: str, age_months: int | None, pregnant: bool = False
) -> Assessment:
    """Assess observations of one person; of a kind that is there several times, the last is looked at for dangers."""
    marks: dict[str, Mark] = {}
    quantities: dict[str, Decimal] = {}
    for one in observations:
        found = printed_range(one.reference) or one.kind.reference(sex, age_months)
        marked = mark(one.kind, one.value, found)
        if marked is not None:
            marks[one.id] = marked
        if one.quantity is not None:
            quantities[one.kind_key] = one.quantity
    return Assessment(marks, dangers_in(quantities, age_months, pregnant))


_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\s*(?:--|[-~～—–至])\s*(\d+(?:\.\d+)?)")
_BELOW = re.compile(r"(?:<=?|≤|＜|〈|不超过|小于)\s*=?\s*(\d+(?:\.\d+)?)")
_ABOVE = re.compile(r"(?:>=?|≥|＞|〉|大于)\s*=?\s*(\d+(?:\.\d+)?)")


def printed_range(written: str) -> ReferenceRange | None:
    """Give the range that a slip prints (3.5-9.5, 3.5--9.5, 3.5～9.5, <10, ≥1.0); None where it is none."""
    plain = written.strip()
    if found := _RANGE.search(plain):
        low, high = Decimal(found[1]), Decimal(found[2])
        return ReferenceRange(low=low, high=high, source=_PRINTED) if low < high else None
    if found := _BELOW.search(plain):
        return ReferenceRange(high=Decimal(found[1]), source=_PRINTED)
    if found := _ABOVE.search(plain):
        return ReferenceRange(low=Decimal(found[1]), source=_PRINTED)
    return None


_PRINTED = "化验单上印的"


def mark(kind: ObservationKind, value: str, reference: ReferenceRange | None) -> Mark | None:
    """Tell how a value in the kind's own unit lies to `reference`; None where it lies inside, or nothing is known."""
    if kind.answers:
        return None if value in kind.usual else Mark.ABNORMAL
    number = Decimal(value)
    if reference is not None and reference.low is not None and number < reference.low:
        return Mark.LOW
    if reference is not None and reference.high is not None and number > reference.high:
        return Mark.HIGH
    return None
