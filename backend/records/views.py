"""What is known of a patient, as readers see it: immutable values, made only after the policy was asked."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from backend.records.background import Source
from data.observations import ObservationKind, ReferenceRange, observation_kinds


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
