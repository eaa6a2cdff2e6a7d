"""Counts and alarms computed: facts go in, counts come out. Runs in a process of its own, which alone loads DuckDB."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from backend.surveillance.publication import Published, publish
from backend.surveillance.rules import C1_LIMIT, C2_LIMIT, C3_LIMIT, DECISIVE, REACH, WHOLE, DayCount

if TYPE_CHECKING:
    from ibis.expr.types import Table

_SETTINGS = {"memory_limit": "512MB", "threads": 2, "enable_external_access": False}
_LIMITS = {"C1": C1_LIMIT, "C2": C2_LIMIT, "C3": C3_LIMIT}


@dataclass(frozen=True)
class Question:
    """What is asked of some facts.

    Attributes:
        first, last: the days that are asked about, both among them; the facts of `REACH` before are there as well.
        least: by syndrome, how many cases in a day make an alarm at least.
        facts: the day, the area and the syndrome of each case, as three columns.
        known: the days on which the platform ran. since: the first day of each area's first case.
    """

    first: date
    last: date
    least: Mapping[str, int]
    facts: tuple[Sequence[date], Sequence[str], Sequence[str]]
    known: frozenset[date]
    since: Mapping[str, date]


def answer(question: Question) -> list[DayCount]:
    """Give every syndrome, area and day of the question: areas by their names, the whole first; days in order."""
    import ibis

    from backend.surveillance import expressions

    if not question.since:
        return []
    connection = ibis.duckdb.connect(**_SETTINGS)
    try:
        counts = connection.to_pyarrow(expressions.daily(*_tables(question))).to_pylist()
        shown = _published(counts)
        alarms = {_key(row): row for row in _computed(connection, counts)}
        bands = {_key(row): row for row in _computed(connection, [_drawn(row, shown) for row in counts])}
    finally:
        connection.disconnect()
    asked = sorted(key for key in alarms if key[2] >= question.first)
    return [
        DayCount(
            *key,
            shown=shown[key],
            usual=bands[key]["usual"],
            bound=bands[key]["bound"],
            methods=_exceeded(alarms[key], question.least[key[0]]),
        )
        for key in asked
    ]


Key = tuple[str, str, date]
Row = Mapping[str, Any]


def _tables(question: Question) -> "tuple[Table, Table, Table, Table]":
    begin = question.first - REACH
    days = [begin + timedelta(days=number) for number in range((question.last - begin).days + 1)]
    since = {**question.since, WHOLE: min(question.since.values())}
    day, area, syndrome = question.facts
    return (
        _table(day=day, area=area, syndrome=syndrome),
        _table(day=days, known=[one in question.known for one in days]),
        _table(area=list(since), since=list(since.values())),
        _table(syndrome=list(question.least)),
    )


def _table(**columns: Sequence[Any]) -> "Table":
    import ibis
    import pyarrow

    types = {"day": pyarrow.date32(), "since": pyarrow.date32(), "known": pyarrow.bool_(), "cases": pyarrow.float64()}
    held = {name: pyarrow.array(values, types.get(name, pyarrow.string())) for name, values in columns.items()}
    return ibis.memtable(pyarrow.table(held))


def _computed(connection: Any, counts: Sequence[Row]) -> list[dict[str, Any]]:
    from backend.surveillance import expressions

    names = ("syndrome", "area", "day", "cases")
    table = _table(**{name: [row[name] for row in counts] for name in names})
    found: list[dict[str, Any]] = connection.to_pyarrow(expressions.ears(table)).to_pylist()
    return found


def _published(counts: Iterable[Row]) -> dict[Key, Published | None]:
    tables: dict[tuple[str, date], dict[str, int | None]] = {}
    for row in counts:
        tables.setdefault((row["syndrome"], row["day"]), {})[row["area"]] = row["cases"]
    shown: dict[Key, Published | None] = {}
    for (syndrome, day), held in tables.items():
        areas, whole = publish({area: count for area, count in held.items() if area != WHOLE and count is not None})
        for area, count in held.items():
            at = whole if area == WHOLE else areas.get(area)
            shown[syndrome, area, day] = None if count is None else at
    return shown


def _drawn(row: Row, shown: Mapping[Key, Published | None]) -> Row:
    one = shown[_key(row)]
    return {**row, "cases": None if one is None else one.middle}


def _exceeded(row: Row, least: int) -> tuple[str, ...]:
    if row["cases"] is None or row["cases"] < least:
        return ()
    beyond = tuple(name for name, limit in _LIMITS.items() if (row[name.lower()] or 0) > limit)
    return beyond if DECISIVE in beyond else ()


def _key(row: Row) -> Key:
    return row["syndrome"], row["area"], row["day"]
