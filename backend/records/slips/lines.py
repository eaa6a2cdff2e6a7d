"""Words of a photograph put into the lines of the paper, however the paper lay. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

_LONG = 3.0  # a word so many times as wide as high tells how the paper lay
_SAME_LINE = 0.55  # of a word's height

Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Word:
    """What was read at one place: corners in pixels, clockwise from its upper left, and how sure it is (0 to 1)."""

    text: str = field(repr=False)
    corners: Corners
    score: float

    @property
    def width(self) -> float:
        """Pixels along the writing."""
        return math.dist(self.corners[0], self.corners[1])

    @property
    def height(self) -> float:
        """Pixels across the writing."""
        return math.dist(self.corners[1], self.corners[2])

    @property
    def middle(self) -> tuple[float, float]:
        """Where it is."""
        return sum(x for x, _ in self.corners) / 4, sum(y for _, y in self.corners) / 4


@dataclass(frozen=True)
class Cell:
    """A word in its line: where it begins, and how sure it is."""

    text: str = field(repr=False)
    left: float
    score: float


Axis = tuple[int, int]
_TURNS: tuple[tuple[Axis, Axis], ...] = (((1, 0), (0, 1)), ((0, -1), (1, 0)), ((-1, 0), (0, -1)), ((0, 1), (-1, 0)))
"""By quarters: of what the new x and the new y are made, as shares of the old x and y."""


def turned(words: Sequence[Word], quarters: int) -> list[Word]:
    """Give the words as they would stand if the photograph were turned by so many quarters clockwise."""
    across, down = _TURNS[quarters % 4]
    found = []
    for word in words:
        first, second, third, fourth = ((_along(one, across), _along(one, down)) for one in _reordered(word, quarters))
        found.append(Word(word.text, (first, second, third, fourth), word.score))
    return found


def _along(place: tuple[float, float], axis: Axis) -> float:
    return place[0] * axis[0] + place[1] * axis[1]


def _reordered(word: Word, quarters: int) -> Corners:
    # The reader gives the corners from the upper left of the photograph: after a turn another one is the upper left.
    shift = -quarters % 4
    return word.corners[shift:] + word.corners[:shift]  # type: ignore[return-value]


def lines_of(words: Sequence[Word]) -> list[list[Cell]]:
    """Give the lines of the paper from its top, each from its left, with the tilt of the photograph taken out."""
    tilt = _tilt(words)
    cosine, sine = math.cos(-tilt), math.sin(-tilt)
    placed = []
    for word in words:
        x, y = word.middle
        left, top = x * cosine - y * sine - word.width / 2, x * sine + y * cosine
        placed.append((top, left, word))
    lines: list[tuple[float, list[tuple[float, Word]]]] = []
    for top, left, word in sorted(placed, key=lambda one: one[0]):
        reach = word.height * _SAME_LINE
        if lines and abs(top - lines[-1][0]) < reach:
            known = lines[-1][1]
            known.append((left, word))
            lines[-1] = ((lines[-1][0] * (len(known) - 1) + top) / len(known), known)
        else:
            lines.append((top, [(left, word)]))
    return [
        [Cell(word.text, left, word.score) for left, word in sorted(line, key=lambda one: one[0])] for _, line in lines
    ]


def _tilt(words: Sequence[Word]) -> float:
    angles = [
        math.atan2(word.corners[1][1] - word.corners[0][1], word.corners[1][0] - word.corners[0][0])
        for word in words
        if word.width > _LONG * word.height
    ]
    return median(angles) if angles else 0.0
