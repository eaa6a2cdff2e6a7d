"""The list of diseases is whole, and finds what doctors and patients call them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import icd10
from data.errors import DataError

SHIPPED = icd10.load_icd10()
DISEASES = st.sampled_from(SHIPPED.diseases)


def test_the_shipped_list_covers_the_scope_of_county_consultations() -> None:
    assert len(SHIPPED.diseases) >= 300
    assert len({disease.department for disease in SHIPPED.diseases}) >= 25


@given(DISEASES)
def test_every_disease_is_found_by_its_code_and_by_its_name(disease: icd10.Disease) -> None:
    assert icd10.lookup(disease.code) == disease
    assert disease in icd10.search(disease.code)
    assert icd10.search(disease.name)[0].name == disease.name


@given(DISEASES)
def test_every_disease_lies_in_its_category_block_and_chapter(disease: icd10.Disease) -> None:
    *below, block, chapter = icd10.parents(disease.code)
    assert below == ([disease.code[:3]] if "." in disease.code else [])
    for span in (block, chapter):
        first, last = span.split("-")
        assert first <= disease.code[:3] <= last


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("I10", "I10"),
        ("i10", "I10"),
        ("I10.x00", "I10"),
        ("J18.901", "J18.9"),
        ("E11", "E11.9"),
        ("E11．9", "E11.9"),
        ("E11.800", "E11.9"),
        ("Z99", None),
        ("", None),
        ("高血压", None),
    ],
)
def test_a_code_is_looked_up_as_doctors_type_it(typed: str, found: str | None) -> None:
    disease = icd10.lookup(typed)
    assert (disease.code if disease else None) == found


@pytest.mark.parametrize(
    ("typed", "first"),
    [("高血压", "I10"), ("中风", "I63.9"), ("感冒", "J00"), ("慢阻肺", "J44.9"), ("甲亢", "E05.9"), ("J44", "J44.0")],
)
def test_what_people_call_a_disease_finds_it(typed: str, first: str) -> None:
    assert icd10.search(typed)[0].code == first


@given(st.text(max_size=20), st.integers(-1, 5))
def test_any_search_gives_at_most_what_was_asked_for(text: str, limit: int) -> None:
    assert len(icd10.search(text, limit)) <= max(limit, 0)


def test_nothing_finds_nothing() -> None:
    assert icd10.search("") == icd10.search("   ") == icd10.search("*") == []
    assert icd10.parents("高血压") == ()


def written(path: Path, **changes: Any) -> Path:
    good: dict[str, Any] = {
        "chapters": [{"code": "I00-I99", "number": "IX", "name": "循环系统疾病"}],
        "blocks": [{"code": "I10-I15", "name": "高血压病"}],
        "diseases": [{"code": "I10", "name": "原发性高血压", "department": "cardiology"}],
    }
    file = path / "icd10.json"
    file.write_text(json.dumps(good | changes), "utf-8")
    return file


def test_a_small_list_loads(tmp_path: Path) -> None:
    assert icd10.load_icd10(written(tmp_path)).diseases[0].code == "I10"


DISEASE = {"code": "I10", "name": "原发性高血压", "department": "cardiology"}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"diseases": [DISEASE, DISEASE]}, "twice"),
        ({"diseases": [DISEASE | {"code": "高血压"}]}, "no code"),
        ({"diseases": [DISEASE | {"department": "astrology"}]}, "no department"),
        ({"diseases": [DISEASE | {"code": "J18.9"}]}, "exactly one block"),
        ({"diseases": [DISEASE | {"colour": "red"}]}, "colour"),
        ({"blocks": [{"code": "I10", "name": "高血压病"}]}, "no span"),
        ({"blocks": [{"code": "I10-I15", "name": "a"}, {"code": "I10-I11", "name": "b"}]}, "exactly one block"),
        ({"chapters": "none"}, "chapters"),
    ],
)
def test_a_faulty_list_is_refused_in_one_line_that_names_the_fault(
    tmp_path: Path, changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(DataError, match=fault) as refused:
        icd10.load_icd10(written(tmp_path, **changes))
    assert "\n" not in str(refused.value)
