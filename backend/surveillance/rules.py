"""What is counted, compared and told. Pure; the numbers of EARS are those of `expressions`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.surveillance.publication import Published

WHOLE = ""
"""Stands for all areas together."""

UNKNOWN_AREA = "地区不明"
"""Of cases at an institution of which no region is known."""

BASELINE_DAYS = 7
LAG_DAYS = 2
C3_DAYS = 3
REACH = timedelta(days=BASELINE_DAYS + LAG_DAYS + C3_DAYS - 1)
"""So long before a day reaches what takes part in what is said of it."""

C1_LIMIT = C2_LIMIT = 3
C3_LIMIT = 2

DECISIVE = "C2"
"""The method without which there is no alarm; the others are told with it (own, weighed in docs/surveillance.md)."""

LEAST_KNOWN_DAYS = 5
"""With fewer known days in the baseline nothing is said (own)."""

LEAST_SD = 0.5
"""A smaller standard deviation counts as this one: else one case after a week without would be beyond every limit. The
value that Burkom suggests for sparse counts (manual of the R package surveillance, `earsC`, `minSigma`)."""

HOURS_THAT_COUNT = 12
"""In so many hours of a day the platform has to have run for its counts to be known (own)."""


@dataclass(frozen=True)
class DayCount:
    """One syndrome, area and day.

    Attributes:
        shown: the count as it is published; None where nobody can know it: the platform did not run, or the area had
            not had its first case.
        usual, bound: the mean of the days before and the most that C2 lets pass, computed of published counts.
        methods: which of C1, C2 and C3 the true count exceeds, where there are cases enough and C2 is one of them: an
            alarm.
    """

    syndrome: str
    area: str
    day: date
    shown: Published | None
    usual: float | None
    bound: float | None
    methods: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alarm:
    """More cases of a syndrome in a day and an area than is usual; `note` is what the person wrote who looked at it."""

    id: str
    day: date
    syndrome: str
    area: str
    methods: Sequence[str]
    shown: Published
    bound: float | None
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    note: str
