"""What a visit to the expert's hospital would have cost: the parameters and the sum, reckoned by hand."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backend.analytics.definitions import definitions
from backend.analytics.rules import Sums, slowest_from
from backend.analytics.savings import Saving, saving
from data.errors import DataError
from data.savings import FOLDER, load_parameters, parameters, parameters_on

CENTRE, HOSPITAL = (30.0, 114.0), (30.0, 115.0)
STRAIGHT_KM = 96.297  # one degree of longitude at 30 degrees north


def test_the_way_and_the_cost_are_what_one_reckons_by_hand() -> None:
    held = parameters()[0]
    found = saving(held, CENTRE, HOSPITAL, paid_fen=5_000)
    kilometres = 10 + 2 * STRAIGHT_KM * 1.33
    assert found.metres_instead == pytest.approx(kilometres * 1000, abs=20)
    assert found.metres_gone == 10_000
    assert found.fen_instead == pytest.approx(100 * (kilometres * 0.25 + 63.34 + 20), abs=2)
    assert found.fen_spent == round(100 * (10 * 0.25 + 63.34 / 2)) + 5_000


def test_an_expert_at_the_same_place_spares_nothing_and_a_fee_makes_it_dearer() -> None:
    found = saving(parameters()[0], CENTRE, CENTRE, paid_fen=0)
    assert (found.metres_instead, found.fen_instead) == (found.metres_gone, found.fen_spent)
    paid = saving(parameters()[0], CENTRE, CENTRE, paid_fen=1_000)
    sums = Sums(reckoned=1, **{name: getattr(paid, name) for name in Saving.__dataclass_fields__})
    assert (sums.distance_saved, Sums().distance_saved, Sums().cost_saved) == (0, None, None)
    assert sums.cost_saved is not None
    assert sums.cost_saved < 0


def test_parameters_hold_from_their_day_on_and_the_definition_tells_each() -> None:
    first = parameters()[0]
    assert parameters_on(first.valid_from) is first
    assert parameters_on(date(2025, 12, 31)) is None
    told = {one.key: one for one in definitions(first.valid_from)}
    assert set(told) == {"asked", "answer", "agreement", "satisfaction", "distance", "cost"}
    assert set(told["cost"].notes[1:]) == {one.said for one in first.all}
    assert "还没有参数" in definitions(date(2025, 1, 1))[-1].notes[0]
    assert definitions(date(2025, 12, 1), date(2026, 1, 31)) == definitions(first.valid_from)
    for one in first.all:  # what is said to people holds the number
        assert one.value.to_eng_string() in one.said or one.value in (1, 5) or one.said.endswith("半天"), one.said


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"road_factor": {"value": "0.9"}}, "no road is shorter"),
        ({"fare_per_km": {"value": "-1"}}, "fare_per_km"),
        ({"home_km": {"basis": "guessed"}}, "home_km"),
        ({"home_km": {"source": ""}}, "home_km"),
    ],
)
def test_a_wrong_parameter_is_named(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    [row] = json.loads((FOLDER / "parameters.json").read_text("utf-8"))
    for name, values in change.items():
        row[name] |= values
    path = tmp_path / "parameters.json"
    path.write_text(json.dumps([row]), "utf-8")
    with pytest.raises(DataError, match=fault):
        load_parameters(path)


def test_the_histogram_tells_from_where_on_enough_answers_were_slow() -> None:
    histogram = [100, 50, 20, 10, 5, 4, 3, 2, 1, 0, 1]
    assert slowest_from(histogram, 1) == 120 * 60
    assert slowest_from(histogram, 2) == 30 * 60
    assert slowest_from(histogram, 12) == 5 * 60
    assert slowest_from(histogram, 10_000) == -1
