"""What is counted and how: sums that add up, shares, percentiles of a histogram, definitions. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

BUCKET_MINUTES = (1, 2, 3, 5, 10, 15, 20, 30, 60, 120)
"""Upper bounds of the histogram of answer times; one more bucket holds what took longer."""

SATISFIED_FROM = 4

# What is aimed at, in the words of the commission for this platform.
CONSULTATIONS_TARGET = 100_000
ANSWER_TARGET_MINUTES = 15
AGREEMENT_TARGET = 0.95
SATISFACTION_TARGET = 0.90
SAVING_TARGET = 0.30


@dataclass(frozen=True)
class Sums:
    """Sums over some facts; sums of disjoint sets add up.

    Attributes:
        histogram: counts answers by `BUCKET_MINUTES`.
        reckoned: completed cases of which the ways are known; of them alone are metres and fen.
        metres_instead, fen_instead: what the ways to the experts' hospitals would have been, and cost the patients.
        metres_gone, fen_spent: what it was.
    """

    asked: int = 0
    completed: int = 0
    answered: int = 0
    answer_seconds: int = 0
    compared: int = 0
    agreed: int = 0
    rated: int = 0
    satisfied: int = 0
    reckoned: int = 0
    metres_instead: int = 0
    metres_gone: int = 0
    fen_instead: int = 0
    fen_spent: int = 0
    histogram: tuple[int, ...] = (0,) * (len(BUCKET_MINUTES) + 1)

    def __add__(self, other: "Sums") -> "Sums":
        numbers = {
            one.name: getattr(self, one.name) + getattr(other, one.name)
            for one in fields(self)
            if one.name != "histogram"
        }
        return Sums(**numbers, histogram=tuple(a + b for a, b in zip(self.histogram, other.histogram, strict=True)))

    @property
    def mean_minutes(self) -> float | None:
        """The mean answer time; None where nothing was answered."""
        return self.answer_seconds / self.answered / 60 if self.answered else None

    @property
    def p90_minutes(self) -> float | None:
        """The time within which nine of ten were answered, interpolated in its bucket; None where nothing was."""
        return percentile_minutes(self.histogram, 0.9)

    @property
    def agreement(self) -> float | None:
        """The share of compared cases in which doctor and expert agree."""
        return self.agreed / self.compared if self.compared else None

    @property
    def satisfaction(self) -> float | None:
        """The share of rated cases with four or five stars."""
        return self.satisfied / self.rated if self.rated else None

    @property
    def distance_saved(self) -> float | None:
        """The share of the way that patients did not have to go."""
        return 1 - self.metres_gone / self.metres_instead if self.metres_instead else None

    @property
    def cost_saved(self) -> float | None:
        """The share of their cost that patients did not have; below 0 where they spent more."""
        return 1 - self.fen_spent / self.fen_instead if self.fen_instead else None


def total(many: Iterable[Sums]) -> Sums:
    """Add sums up."""
    found = Sums()
    for one in many:
        found += one
    return found


def bucket_of(seconds: int) -> int:
    """Give the bucket of an answer that took `seconds`."""
    return next((at for at, minutes in enumerate(BUCKET_MINUTES) if seconds <= minutes * 60), len(BUCKET_MINUTES))


def percentile_minutes(histogram: Iterable[int], share: float) -> float | None:
    """Give the value below which `share` of what was counted lies, interpolated in its bucket; what took longer than
    the last bound counts as twice that long at most."""
    counts = list(histogram)
    wanted, passed = sum(counts) * share, 0
    if not wanted:
        return None
    bounds = [0, *BUCKET_MINUTES, BUCKET_MINUTES[-1] * 2]
    for at, held in enumerate(counts):
        if held and passed + held >= wanted:
            return bounds[at] + (bounds[at + 1] - bounds[at]) * (wanted - passed) / held
        passed += held
    raise AssertionError("the share of the count lies in some bucket")


def slowest_from(histogram: Sequence[int], wanted: int) -> int:
    """Give seconds such that at least `wanted` answers, or all there are, took longer."""
    held = 0
    for at in range(len(BUCKET_MINUTES), 0, -1):
        held += histogram[at]
        if held >= wanted:
            return BUCKET_MINUTES[at - 1] * 60
    return -1


def same_disease(suspected: str, diagnosed: str) -> bool | None:
    """Tell whether two ICD-10 codes are of one category (three characters); None where one of them is missing."""
    if not suspected or not diagnosed:
        return None
    return suspected[:3].upper() == diagnosed[:3].upper()
