"""Small numbers are not shown, nor can they be computed from what is. Pure.

The table that is published is one syndrome and one day: its areas, and the whole. An area with 1 to 4 cases is shown as
"1 to 4", and the whole is the number that hides it (complementary suppression): it is exact only where each hidden area
can still have two values for somebody who knows this rule; else it is the range that follows from the areas. Every
other number (a week, a month, a row of a table) is the sum of published ones, so that no choice of days and areas tells
more than the days themselves do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SMALLEST = 5
"""Counts from 1 to one below this are not shown (as Chinese and other health statistics commonly have it)."""


@dataclass(frozen=True, order=True)
class Published:
    """A count as everybody may see it: from `low` to `high`, both possible; exact where they are the same."""

    low: int
    high: int

    def __add__(self, other: "Published") -> "Published":
        return Published(self.low + other.low, self.high + other.high)

    @property
    def middle(self) -> float:
        """The middle of the range, to draw and to compute with."""
        return (self.low + self.high) / 2

    def __str__(self) -> str:
        if self.low == self.high:
            return str(self.low)
        return f"<{SMALLEST}" if self == SMALL else f"{self.low}~{self.high}"


NONE = Published(0, 0)
SMALL = Published(1, SMALLEST - 1)


def publish(counts: Mapping[str, int]) -> tuple[dict[str, Published], Published]:
    """Give the areas of one syndrome and one day as they are published, and the whole.

    With n hidden areas that hold r cases together, each has two possible values at least where n > 1 and
    n < r < 4 n; the whole is exact there, unless it is small itself.
    """
    areas = {area: SMALL if 0 < count < SMALLEST else Published(count, count) for area, count in counts.items()}
    hidden = [counts[area] for area, one in areas.items() if one is SMALL]
    whole = sum(counts.values())
    is_open = len(hidden) > 1 and len(hidden) < sum(hidden) < SMALL.high * len(hidden)
    if not hidden or (is_open and whole >= SMALLEST):
        return areas, Published(whole, whole)
    return areas, total(areas.values())


def total(many: Iterable[Published]) -> Published:
    """Add published counts up."""
    return sum(many, NONE)
