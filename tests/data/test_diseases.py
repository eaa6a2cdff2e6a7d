"""The knowledge base is whole, and a row that is wrong stops the start with one line that names it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from data.clinical_language import FOLDER, clinical_language, load_clinical_language
from data.diseases import BANDS, CHAPTERS, Disease
from data.errors import DataError
from data.files import ROOT
from data.knowledge import check_knowledge, knowledge_base

SCHEMA = ROOT.parent / "docs" / "diseases.schema.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files that a test may break."""
    return Path(shutil.copytree(FOLDER, tmp_path / "nlu"))


def change(folder: Path, edit: Callable[[Any], object], chapter: str = "cardiovascular") -> None:
    path = folder / "diseases" / f"{chapter}.json"
    rows = json.loads(path.read_text("utf-8"))
    edit(rows)
    path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")


def test_two_hundred_diseases_are_known_as_a_doctor_knows_them() -> None:
    rows = knowledge_base()
    assert len(rows) >= 200
    assert all(row.icd10 and row.departments and row.examine and row.source.startswith("《") for row in rows)
    assert sum(bool(row.red_flags) for row in rows) >= 80
    assert sum(bool(row.vitals) for row in rows) >= 60


@pytest.mark.parametrize(
    "name",
    [
        *("高血压", "糖尿病", "肺炎", "冠心病", "上呼吸道感染", "小儿支气管炎", "小儿腹泻", "小儿消化不良", "小儿发热"),
        *(
            "小儿感冒",
            "小儿咳嗽",
            "新生儿黄疸",
            "小儿便秘",
            "支气管肺炎",
            "手足口病",
            "过敏性鼻炎",
            "皮炎",
            "过敏性皮炎",
        ),
        *(
            "脂溢性皮炎",
            "胃炎",
            "肠胃炎",
            "鼻炎",
            "肠炎",
            "病毒性肝炎",
            "食管炎",
            "脂肪肝",
            "肝炎",
            "十二指肠炎",
            "肝硬化",
        ),
    ],
)
def test_the_diseases_that_everybody_asks_for_are_there(name: str) -> None:
    row = next(row for row in knowledge_base() if row.name == name)
    assert len(row.symptoms) >= 2
    assert max(row.symptoms.values()) >= 0.3 or row.name == "脂肪肝"


def test_the_diseases_see_nearly_every_department() -> None:
    codes = {code for row in knowledge_base() for code in row.departments}
    assert len(codes) >= 28


def test_nearly_every_symptom_belongs_to_a_disease() -> None:
    used = {name for row in knowledge_base() for name in row.symptoms}
    unused = {row.name for row in clinical_language().symptoms if row.kind != "event"} - used
    assert not unused


def test_shares_are_judgements_in_bands_and_say_so() -> None:
    assert all(row.shares == "judgement" for row in knowledge_base())
    assert {share for row in knowledge_base() for share in row.symptoms.values()} <= set(BANDS)


def test_every_row_of_a_symptom_has_a_source() -> None:
    assert all(row.source.startswith("《") for row in clinical_language().symptoms)


def test_what_is_a_kind_of_something_follows_no_circle(folder: Path) -> None:
    (folder / "symptom_kinds.json").write_text('{"腹痛": "上腹痛", "上腹痛": "腹痛"}', "utf-8")
    with pytest.raises(DataError, match="kind of itself"):
        load_clinical_language(folder)
    (folder / "symptom_kinds.json").write_text('{"没有这个": "腹痛"}', "utf-8")
    with pytest.raises(DataError, match="unknown symptom '没有这个'"):
        load_clinical_language(folder)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_missing_chapter_stops_the_load(folder: Path, chapter: str) -> None:
    (folder / "diseases" / f"{chapter}.json").unlink()
    with pytest.raises(DataError, match=chapter):
        load_clinical_language(folder)


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda rows: rows[0]["symptoms"].update({"头晕": 0.42}), "none of the bands"),
        (lambda rows: rows[0]["symptoms"].update({"没有这个": 0.5}), "高血压 names the unknown symptom '没有这个'"),
        (lambda rows: rows[0].update(risks={"没有这个": 2}), "高血压 names the unknown risk '没有这个'"),
        (lambda rows: rows[0].update(risks={"糖尿病": 100}), "risks"),
        (lambda rows: rows[0].update(departments={"nowhere": 1}), "unknown department 'nowhere'"),
        (lambda rows: rows[0].pop("source"), "高血压 has symptoms but lacks source"),
        (lambda rows: rows[0].update(examine=[]), "lacks examine"),
        (lambda rows: rows[0].pop("symptoms"), "knowledge but no symptoms"),
        (lambda rows: rows[0].update(ages=[240, 120]), "are none"),
        (lambda rows: rows[0].update(sex="both"), "sex"),
        (lambda rows: rows[0].update(frequency="often"), "frequency"),
        (lambda rows: rows[0].update(vitals=[{"measure": "systolic", "share": 0.5}]), "either minimum or below"),
        (lambda rows: rows[0].update(vitals=[{"measure": "mood", "minimum": 1, "share": 0.5}]), "measure"),
        (lambda rows: rows[0].update(colour="red"), "colour"),
        (lambda rows: rows.append(rows[0]), "comes twice"),
    ],
)
def test_a_wrong_row_is_named_in_one_line(folder: Path, edit: Callable[[Any], object], fault: str) -> None:
    change(folder, edit)
    with pytest.raises(DataError, match=fault) as caught:
        load_clinical_language(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        ({"icd10": "I99.99"}, "unknown ICD-10 code 'I99.99'"),
        ({"red_flags": ("NOTHING",)}, "unknown danger sign 'NOTHING'"),
    ],
)
def test_codes_of_other_files_must_exist(edit: dict[str, Any], fault: str) -> None:
    row = knowledge_base()[0].model_copy(update=edit)
    with pytest.raises(DataError, match=fault):
        check_knowledge((row,))


def test_the_schema_for_editors_is_that_of_the_loader() -> None:
    schema = TypeAdapter(list[Disease]).json_schema()
    assert json.loads(SCHEMA.read_text("utf-8")) == schema, "write it anew: python -m data.diseases"
