"""k-anonymity (Sweeney, 2002) and l-diversity (Machanavajjhala and others, 2007) by full-domain generalisation. Pure.

Every row of a column gets the same level. Of all combinations of levels that hold, the one that loses least is taken;
rows whose class is too small even so are left out, as long as they are few. Classes count people, not rows: five visits
of one person hide nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Column:
    """A quasi-identifier: for each of its levels, from fine to coarse, the value of every row."""

    name: str
    levels: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Demand:
    """What has to hold.

    Attributes:
        k: people in each class at least.
        different: values of the column `sensitive` among those who are alike in all other columns, at least.
        suppressed_at_most: the share of rows that may be left out.
    """

    k: int
    sensitive: str
    different: int
    suppressed_at_most: float


@dataclass(frozen=True)
class Solution:
    """The level of each column, in their order, and for each row whether it stays."""

    levels: tuple[int, ...]
    kept: NDArray[np.bool_]
    smallest_class: int
    classes: int


@dataclass(frozen=True)
class Unreachable:
    """No combination holds: `suppressed` is the share that would have to be left out of the coarsest one."""

    people: int
    suppressed: float


def generalise(people: Sequence[int], columns: Sequence[Column], demand: Demand) -> Solution | Unreachable:
    """Find what holds and loses least; `people` numbers the person of each row from 0."""
    persons = np.asarray(people, dtype=np.int64)
    if not len(persons):
        return Unreachable(0, 1.0)
    coded = [[_coded(values) for values in column.levels] for column in columns]
    sensitive = [column.name for column in columns].index(demand.sensitive)
    best: tuple[float, float] | None = None
    found: Solution | None = None
    for levels in sorted(
        product(*(range(len(column.levels)) for column in columns)), key=lambda one: _loss(one, columns)
    ):
        loss = _loss(levels, columns)
        if best is not None and loss > best[0]:
            break
        chosen = [coded[at][level] for at, level in enumerate(levels)]
        solution, suppressed = _tried(levels, persons, chosen, sensitive, demand)
        if suppressed <= demand.suppressed_at_most and (best is None or suppressed < best[1]):
            best, found = (loss, suppressed), solution
    if found is not None:
        return found
    coarsest = tuple(len(column.levels) - 1 for column in columns)
    chosen = [coded[at][level] for at, level in enumerate(coarsest)]
    _, suppressed = _tried(coarsest, persons, chosen, sensitive, demand)
    return Unreachable(len(np.unique(persons)), suppressed)


def _loss(levels: Sequence[int], columns: Sequence[Column]) -> float:
    """How much is lost: each column counts from 0 (as fine as it is) to 1 (as coarse as it gets)."""
    return sum(level / (len(column.levels) - 1) for level, column in zip(levels, columns, strict=True))


def _tried(
    levels: tuple[int, ...], persons: Codes, chosen: Sequence[Codes], sensitive: int, demand: Demand
) -> tuple[Solution, float]:
    classes = _combined(chosen)
    sizes = _different(classes, persons)
    kept = sizes[classes] >= demand.k
    others = _combined([codes for at, codes in enumerate(chosen) if at != sensitive])
    # Counted among what stays: a rare disease that is left out makes nobody's neighbours more diverse.
    diverse = np.zeros(others.max() + 1, dtype=np.int64)
    if kept.any():
        counted = _different(others[kept], chosen[sensitive][kept])
        diverse[: len(counted)] = counted
    kept &= diverse[others] >= demand.different
    staying = np.unique(classes[kept])
    smallest = int(sizes[staying].min()) if len(staying) else 0
    return Solution(levels, kept, smallest, len(staying)), float(1 - kept.mean())


def _coded(values: Sequence[str]) -> Codes:
    return np.unique(np.asarray(values, dtype=np.str_), return_inverse=True)[1].astype(np.int64)


def _combined(columns: Sequence[Codes]) -> Codes:
    """Number the combinations of values from 0."""

    def join(one: Codes, other: Codes) -> Codes:
        return np.unique(one * (other.max() + 1) + other, return_inverse=True)[1].astype(np.int64)

    return reduce(join, columns)


def _different(groups: Codes, values: Codes) -> Codes:
    """Give for each group how many different values there are in it."""
    pairs = np.unique(np.stack([groups, values]), axis=1)
    return np.bincount(pairs[0]).astype(np.int64)
