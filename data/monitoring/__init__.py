"""At which values measured at home somebody is told: limits by level with sources, and how far a doctor moves them.

What is marked `own`, the margins and the ranges of the danger lines are our own judgement, to be reviewed by a
clinician (docs/records.md).
"""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from data.errors import DataError
from data.files import ROOT, Row, read_rows, require_unique

FOLDER = ROOT / "monitoring"
MEASURES = FOLDER / "measures.json"
LIMITS = FOLDER / "limits.json"

MeasureCode = Literal["systolic", "diastolic", "heart_rate", "spo2", "glucose", "temperature"]
Range = tuple[float, float]


class Measure(Row):
    """A measured value.

    ``margin``: how far inside a limit it must come before it counts as back. ``danger_low`` and ``danger_high``:
    between which values a doctor may put the danger line of one patient; ``null`` where there is no danger there.
    """

    code: MeasureCode
    name: str = Field(min_length=2, max_length=4)
    unit: str
    margin: float = Field(gt=0)
    danger_low: Range | None
    danger_high: Range | None


class Limit(Row):
    """A limit for everybody from an age in years on: reached at ``bound`` itself.

    ``timing``: of glucose alone, where a limit holds for fasting values or for all others; ``null`` for all.
    """

    measure: MeasureCode
    side: Literal["low", "high"]
    level: Literal["watch", "alert", "danger"]
    bound: float
    timing: Literal["fasting", "other"] | None
    from_years: int = Field(ge=0, le=18)
    source: str = Field(min_length=3)


def load_measures(path: Path = MEASURES) -> dict[str, Measure]:
    """The measures in ``path`` by their codes; ``DataError`` where the file is missing or wrong."""
    rows = read_rows(path, Measure)
    require_unique(path, "code", [row.code for row in rows])
    for row in rows:
        for low, high in filter(None, (row.danger_low, row.danger_high)):
            if low >= high:
                raise DataError(f"{path}: {row.code}: the range of the danger line is empty")
    return {row.code: row for row in rows}


def load_limits(path: Path = LIMITS) -> tuple[Limit, ...]:
    """The limits in ``path``; ``DataError`` where the file is missing or wrong, or a level begins behind the next."""
    rows = read_rows(path, Limit)
    require_unique(path, "limit", [f"{row.measure} {row.side} {row.level} {row.timing}" for row in rows])
    order = {"watch": 0, "alert": 1, "danger": 2}
    for mild in rows:
        for grave in rows:
            same = (mild.measure, mild.side) == (grave.measure, grave.side) and order[mild.level] < order[grave.level]
            if same and (grave.bound <= mild.bound if mild.side == "high" else grave.bound >= mild.bound):
                raise DataError(f"{path}: {mild.measure} {mild.side}: {mild.level} begins behind {grave.level}")
    return rows


@cache
def measures() -> dict[str, Measure]:
    """The shipped measures."""
    return load_measures()


@cache
def limits() -> tuple[Limit, ...]:
    """The shipped limits."""
    return load_limits()
