"""What a remote consultation costs: every title has a fee, every region a tariff, every day one."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.errors import DataError
from data.insurance.tariffs import load_tariffs, tariff_for, tariffs

DAY = date(2026, 11, 23)


def written(folder: Path, **changes: Any) -> Path:
    [first, *_] = json.loads((Path(__file__).parents[2] / "data/insurance/tariffs.json").read_text(encoding="utf-8"))
    path = folder / "tariffs.json"
    path.write_text(json.dumps([first, {**first, "code": "other", **changes}]), encoding="utf-8")
    return path


def test_a_title_without_a_row_of_its_own_has_the_fee_of_its_level() -> None:
    tariff = tariff_for("桥县", DAY)
    assert tariff.fee("tertiary", "主任医师") == Decimal(200)
    assert tariff.fee("tertiary", "主治医师") == Decimal(100)
    assert tariff.fee("primary", "主任医师") == Decimal(60)


def test_the_narrowest_region_counts_and_its_dates() -> None:
    assert tariff_for("江西省银川县", DAY).code == "jiangxi-tariff-2026"
    assert tariff_for("四川省", DAY).region == ""
    with pytest.raises(DataError):
        tariff_for("江西省", date(2019, 1, 1))


def test_every_tariff_says_where_it_is_from() -> None:
    assert all(one.source for one in tariffs())


@pytest.mark.parametrize(
    "changes",
    [
        {},  # two of one region on one day
        {"region": "江西省", "no_show_fee": "-1"},
        {"region": "江西省", "fees": [{"level": "tertiary", "title": "any", "fee": "1"}]},
        {"region": "江西省", "until": "2025-01-01"},
    ],
)
def test_a_wrong_tariff_is_told(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        load_tariffs(written(tmp_path, **changes))


def test_a_tariff_that_ends_makes_room_for_the_next(tmp_path: Path) -> None:
    path = written(tmp_path, **{"from": "2025-01-01", "until": "2025-12-31"})
    assert tariff_for("", date(2025, 6, 1), load_tariffs(path)).code == "other"
