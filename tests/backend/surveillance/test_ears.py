"""EARS and the counts that it works on: the published formulas, computed once more in plain Python, are the oracle."""

import statistics
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.surveillance import expressions
from backend.surveillance.engine import Question, _computed, _tables, answer
from backend.surveillance.publication import SMALL, Published
from backend.surveillance.rules import REACH, WHOLE

FIRST = date(2026, 3, 2)
SYNDROME = "fever_respiratory"
Series = Sequence[int | None]


def on(day: int) -> date:
    return FIRST + timedelta(days=day)


def question(areas: dict[str, Series], first: int = REACH.days, since: dict[str, int] | None = None) -> Question:
    """Facts of some areas, day by day; None is a day on which the platform did not run, and the same in all areas."""
    length = len(next(iter(areas.values())))
    rows = [
        (on(day), area) for area, series in areas.items() for day, count in enumerate(series) for _ in range(count or 0)
    ]
    known = frozenset(on(day) for day in range(length) if any(series[day] is not None for series in areas.values()))
    begun = {area: on((since or {}).get(area, 0)) for area in areas}
    facts = ([day for day, _ in rows], [area for _, area in rows], [SYNDROME] * len(rows))
    return Question(on(first), on(length - 1), {SYNDROME: 5}, facts, known, begun)


def methods_of(areas: dict[str, Series], area: str, **more: Any) -> dict[int, tuple[str, ...]]:
    """The days on which an area has an alarm, and by which methods."""
    found = answer(question(areas, **more))
    return {(one.day - FIRST).days: one.methods for one in found if one.area == area and one.methods}


def deviation(series: Series, day: int, lag: int) -> float | None:
    """C1 (lag 0) or C2 (lag 2) of a day, as their authors define them, with our floor under the deviation."""
    count = series[day]
    held = [one for one in series[max(day - 7 - lag, 0) : max(day - lag, 0)] if one is not None]
    if count is None or len(held) < 5:
        return None
    return (count - statistics.fmean(held)) / max(statistics.stdev(held), 0.5)


def third(series: Series, day: int) -> float | None:
    three = [deviation(series, one, 2) for one in range(day - 2, day + 1)] if day >= 2 else [None]
    return None if None in three else sum(max(one - 1, 0) for one in three if one is not None)


_DAYS = st.one_of(st.none(), st.integers(0, 30), st.integers(0, 3))


@settings(max_examples=8)
@given(st.lists(st.lists(_DAYS, min_size=24, max_size=24), min_size=1, max_size=6))
def test_c1_c2_and_c3_are_what_their_definitions_say(many: list[Series]) -> None:
    rows = [
        {"syndrome": SYNDROME, "area": str(area), "day": on(day), "cases": count}
        for area, series in enumerate(many)
        for day, count in enumerate(series)
    ]
    connection = ibis.duckdb.connect()
    found = _computed(connection, rows)
    connection.disconnect()
    assert len(found) == len(rows)
    for row in found:
        series, day = many[int(row["area"])], (row["day"] - FIRST).days
        expected = [deviation(series, day, 0), deviation(series, day, 2), third(series, day)]
        assert [row["c1"], row["c2"], row["c3"]] == [
            None if one is None else pytest.approx(one, abs=1e-9) for one in expected
        ], (series, day)


def test_counts_that_never_change_raise_no_alarm() -> None:
    steady: dict[str, Series] = {str(level): [level] * 40 for level in (0, 1, 5, 40)}
    assert not [one for one in answer(question(steady)) if one.methods]


def test_without_c2_there_is_no_alarm() -> None:
    """A day that C1 alone finds: the days right before it were quiet, and those of C2's baseline were not."""
    series: list[int | None] = [10, 30, 10, 30, 10, 30, 10, 30, 10, 30, 30, 12, 12, 12, 12, 12, 12, 12, 16]
    assert deviation(series, 18, 0) == pytest.approx(8)
    assert (deviation(series, 18, 2) or 0) < 3
    assert methods_of({"甲": series, "乙": [9] * 19}, "甲").get(18) is None


@settings(max_examples=8)
@given(
    st.lists(st.integers(8, 16), min_size=32, max_size=32),
    st.integers(20, 31),
    st.integers(5, 12),
)
def test_an_outbreak_of_so_many_standard_deviations_is_found_on_its_day(usual: list[int], day: int, k: int) -> None:
    held = usual[day - 9 : day - 2] + usual[day - 7 : day]
    centre, spread = statistics.fmean(held), max(statistics.stdev(usual[day - 9 : day]), 0.5)
    both = max(spread, statistics.stdev(usual[day - 7 : day]), statistics.stdev(usual[day - 9 : day - 2]))
    outbreak = [*usual[:day], round(max(centre, *usual[day - 9 : day]) + k * both) + 1, *usual[day + 1 :]]
    assert set(methods_of({"甲": outbreak, "乙": [9] * 32}, "甲")[day]) >= {"C1", "C2", "C3"}


def test_days_on_which_the_platform_did_not_run_are_no_zeros() -> None:
    usual: list[int | None] = [20, 22, 19, 21, 20, 23, 18] * 4
    for away in range(21, 23):
        usual[away] = None
    found = {(one.day - FIRST).days: one for one in answer(question({"甲": usual})) if one.area == "甲"}
    assert [found[day].shown for day in (20, 21, 22, 23)] == [Published(18, 18), None, None, Published(19, 19)]
    assert not any(one.methods for one in found.values())
    zeros: dict[str, Series] = {"甲": [0 if count is None else count for count in usual], "乙": [1] * 28}
    below = {(one.day - FIRST).days: one for one in answer(question(zeros)) if one.area == "甲"}
    assert below[26].usual is not None
    usual_there = found[26].usual
    assert usual_there is not None
    assert below[26].usual < usual_there


def test_with_too_few_known_days_nothing_is_said() -> None:
    series: list[int | None] = [None, None, None, None, None, None, None, None, None, 10, 10, 10, 10, 60]
    found = [one for one in answer(question({"甲": series}, first=13)) if one.area == "甲"]
    assert [(one.shown, one.usual, one.methods) for one in found] == [(Published(60, 60), None, ())]


def test_an_area_is_unknown_before_its_first_case() -> None:
    late = [0] * 14 + [6] * 8
    found = {
        (one.day - FIRST).days: one
        for one in answer(question({"甲": late, "乙": [9] * 22}, since={"甲": 14}))
        if one.area == "甲"
    }
    assert (found[13].shown, found[14].shown) == (None, Published(6, 6))
    assert not found[14].methods


def test_fewer_than_five_cases_are_no_alarm_and_are_not_shown() -> None:
    quiet = [0] * 20 + [4, 0, 5]
    found = {(one.day - FIRST).days: one for one in answer(question({"甲": quiet, "乙": [9] * 23})) if one.area == "甲"}
    assert (found[20].shown, found[20].methods) == (SMALL, ())
    assert "C2" in found[22].methods


def test_the_usual_range_tells_nothing_that_the_published_numbers_do_not() -> None:
    one: dict[str, Series] = {"甲": [1, 4, 2, 3] * 6, "乙": [9] * 24, "丙": [2] * 24}
    other: dict[str, Series] = {"甲": [4, 1, 3, 2] * 6, "乙": [9] * 24, "丙": [2] * 24}

    def bands(areas: dict[str, Series]) -> list[tuple[object, ...]]:
        return [(row.day, row.usual, row.bound) for row in answer(question(areas)) if row.area == "甲"]

    assert bands(one) == bands(other)


def test_the_whole_is_counted_and_compared_too() -> None:
    areas: dict[str, Series] = {name: [2, 2, 1, 2, 2, 2, 2] * 3 + [4] for name in "甲乙丙丁戊己庚辛"}
    assert methods_of(areas, "甲") == {}
    assert "C2" in methods_of(areas, WHOLE)[21]


@pytest.mark.parametrize("dialect", ["duckdb", "clickhouse", "trino", "databricks"])
def test_the_same_expressions_are_sql_for_larger_machines(dialect: str) -> None:
    """Databricks' SQL is Spark's; Ibis compiles for Spark itself only where pyspark is installed."""
    counts = expressions.daily(*_tables(question({"甲": [1] * 12})))
    sql = str(ibis.to_sql(expressions.ears(counts), dialect=dialect)).upper()
    assert "OVER (" in sql
    assert "BETWEEN 9 PRECEDING AND 3 PRECEDING" in sql


def test_neither_the_product_nor_chat_imports_what_computes() -> None:
    heavy = "{'ibis', 'duckdb', 'pyarrow', 'pandas'} & set(sys.modules)"
    script = f"import sys, qiaoyi.server; print({heavy})"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
