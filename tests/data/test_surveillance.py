"""The syndromes: shipped ones load and say where they come from, wrong ones are told in one line, cases are of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.errors import DataError
from data.surveillance import load_syndromes, syndromes, syndromes_of

ROW = {
    "code": "cough", "name": "咳嗽", "definition": "咳嗽三天以上的人，不管有没有发烧。", "rules": [[["咳嗽"]]],
    "icd10": ["R05"], "least": 5, "source": "own",
}  # fmt: skip


def written(tmp_path: Path, *rows: Any) -> Path:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows), "utf-8")
    return path


def test_every_syndrome_has_a_definition_and_a_source() -> None:
    assert len(syndromes()) >= 8
    assert all(one.definition.endswith("。") and one.source for one in syndromes().values())


@pytest.mark.parametrize(
    ("symptoms", "codes", "expected"),
    [
        ({"发烧", "咳嗽"}, [], ["fever_respiratory"]),
        ({"咳嗽"}, [], []),
        ({"咳嗽"}, ["J11.101"], ["fever_respiratory"]),
        ({"呕吐"}, [], []),
        ({"呕吐", "腹痛"}, [], ["diarrhoea_vomiting"]),
        ({"发烧", "手足皮疹"}, ["B08.4"], ["fever_rash"]),
        ({"发烧", "抽搐", "腹泻"}, [], ["diarrhoea_vomiting", "encephalitis"]),
        ({"农药中毒"}, [], ["pesticide"]),
        (set(), ["T62.0"], ["food_poisoning"]),
        (set(), ["I10", ""], []),
    ],
)
def test_a_case_is_of_the_syndromes_that_its_symptoms_and_codes_make(
    symptoms: set[str], codes: list[str], expected: list[str]
) -> None:
    assert syndromes_of(symptoms, codes) == expected


def test_a_yellow_newborn_is_no_case_of_jaundice_unless_a_doctor_codes_one() -> None:
    assert syndromes_of({"黄疸"}, [], age_months=0) == []
    assert syndromes_of({"黄疸"}, [], age_months=2) == syndromes_of({"黄疸"}, []) == ["jaundice"]
    assert syndromes_of({"黄疸"}, ["B15.9"], age_months=0) == ["jaundice"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": ""},
        {"rules": [[["没有这个症状"]]]},
        {"rules": [[[]]]},
        {"rules": [[]]},
        {"rules": [], "icd10": []},
        {"icd10": ["J0"]},
        {"icd10": ["J18-J09"]},
        {"least": 4},
        {"unknown": 1},
    ],
)
def test_wrong_syndromes_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    assert list(load_syndromes(written(tmp_path, ROW))) == ["cough"]
    with pytest.raises(DataError):
        load_syndromes(written(tmp_path, ROW | wrong))
    with pytest.raises(DataError):
        load_syndromes(written(tmp_path, ROW, ROW))
