"""The limits of values measured at home: shipped ones load, wrong ones are told in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.errors import DataError
from data.monitoring import LIMITS, MEASURES, limits, load_limits, load_measures, measures
from data.observations import observation_kinds

LIMIT = {
    "measure": "spo2", "side": "low", "level": "alert", "bound": 93, "timing": None, "from_years": 0, "source": "own",
}  # fmt: skip


def written(tmp_path: Path, rows: Any) -> Path:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows), "utf-8")
    return path


def test_every_limit_is_of_a_measure_and_every_measure_is_a_kind_of_observation() -> None:
    assert {row.measure for row in limits()} == set(measures())
    for code, measure in measures().items():
        kind = observation_kinds()[code]
        assert kind.shown_unit == measure.unit
    for row in limits():
        kind = observation_kinds()[row.measure]
        assert kind.lowest < row.bound < kind.highest, row


def test_every_limit_says_where_it_comes_from() -> None:
    assert all(row.source for row in limits())
    assert {row.level for row in limits()} == {"watch", "alert", "danger"}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [LIMIT, LIMIT],
        [LIMIT | {"level": "panic"}],
        [LIMIT | {"measure": "weight"}],
        [LIMIT, LIMIT | {"level": "danger", "bound": 95}],
        [LIMIT | {"source": ""}],
    ],
)
def test_wrong_limits_are_refused(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    with pytest.raises(DataError):
        load_limits(written(tmp_path, rows))


def test_a_danger_line_that_may_be_moved_nowhere_is_refused(tmp_path: Path) -> None:
    rows = json.loads(MEASURES.read_text("utf-8"))
    rows[0]["danger_high"] = [200, 160]
    with pytest.raises(DataError):
        load_measures(written(tmp_path, rows))
    with pytest.raises(DataError):
        load_limits(LIMITS.with_name("missing.json"))
