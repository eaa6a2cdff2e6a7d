"""The shipped templates of prescriptions: read whole, or not at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.drugs import reference
from data.errors import DataError
from data.prescribing import TEMPLATES, load_prescription_templates, prescription_templates

ROW = json.loads(TEMPLATES.read_text("utf-8"))[0]
LINE = ROW["lines"][0]


def test_the_shipped_templates_fit_the_drug_reference() -> None:
    assert len(prescription_templates()) >= 12


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [ROW, ROW],
        [ROW | {"diagnosis": "Z99.99"}],
        [ROW | {"lines": []}],
        [ROW | {"lines": [LINE | {"preparation": "no-such-medicine"}]}],
        [ROW | {"lines": [LINE | {"route": "eye"}]}],
        [ROW | {"lines": [LINE | {"frequency": "hourly"}]}],
        [ROW | {"lines": [LINE | {"dose": "0"}]}],
        [ROW | {"source": ""}],
        [{key: value for key, value in ROW.items() if key != "reviewed"}],
    ],
)
def test_a_file_that_does_not_fit_is_refused(rows: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "templates.json"
    path.write_text(json.dumps(rows), "utf-8")
    with pytest.raises(DataError, match=r"templates\.json"):
        load_prescription_templates(path, reference())
