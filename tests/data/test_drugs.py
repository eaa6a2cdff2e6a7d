"""The drug reference is whole, refuses damage, and finds what people call a medicine."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.drugs import Medicine, load_reference, reference
from data.drugs.__main__ import PAGE, page
from data.drugs.loading import FOLDER
from data.drugs.search import folded, sounds
from data.errors import DataError

SHIPPED = reference()
MEDICINES = st.sampled_from(sorted(SHIPPED.medicines.values(), key=lambda one: one.code))

Rows = list[dict[str, Any]]


def test_the_shipped_reference_covers_primary_care() -> None:
    assert len(SHIPPED.medicines) >= 200
    assert len(SHIPPED.interactions) >= 150


@given(MEDICINES)
def test_every_medicine_is_found_by_its_name_and_by_all_its_other_names(medicine: Medicine) -> None:
    for name in (medicine.plain_name, *medicine.aliases):
        assert medicine in [one.medicine for one in SHIPPED.search(name, 30)], name


@given(MEDICINES)
def test_every_name_can_be_typed_in_pinyin_and_in_initials(medicine: Medicine) -> None:
    typed = [sounds(character)[0] for character in folded(medicine.plain_name)]
    assert medicine in [one.medicine for one in SHIPPED.search("".join(typed), 200)]
    assert medicine in [one.medicine for one in SHIPPED.search("".join(sound[0] for sound in typed), 200)]


def test_every_character_of_a_name_has_a_sound() -> None:
    for medicine in SHIPPED.medicines.values():
        assert all(sounds(one)[0].isascii() for one in folded(medicine.plain_name)), medicine.name


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("amxl", "amoxicillin"),
        ("AMXL", "amoxicillin"),
        ("amoxilin", "amoxicillin"),
        ("amoxl", "amoxicillin"),
        ("阿莫西林", "amoxicillin"),
        ("阿莫西林胶囊", "amoxicillin"),
        ("阿墨西林", "amoxicillin"),
        ("莫西林", "amoxicillin"),
        ("头抱克肟", "cefixime"),
        ("络活喜", "amlodipine"),
        ("华发林", "warfarin"),
        ("阿斯匹灵", "aspirin"),
        ("大扶康", "fluconazole"),
        ("红霉素眼膏", "erythromycin_eye"),
    ],
)
def test_a_medicine_is_found_as_people_type_it(typed: str, found: str) -> None:
    assert SHIPPED.search(typed)[0].medicine.code == found


@pytest.mark.parametrize("typed", ["", "   ", "zzzz", "今天天气很好"])
def test_nothing_is_found_where_no_medicine_is_meant(typed: str) -> None:
    assert SHIPPED.search(typed) == ()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("青霉素", "penicillins"),
        ("青霉素过敏", "penicillins"),
        ("头孢类", "cephalosporins"),
        ("磺胺", "sulfonamides"),
        ("阿莫西林", "amoxicillin"),
        ("海鲜", "seafood"),
        ("月亮", None),
    ],
)
def test_what_somebody_is_allergic_to_is_known_by_what_they_say(said: str, code: str | None) -> None:
    assert SHIPPED.allergen_called(said) == code


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("拜阿司匹灵", "aspirin"),
        ("左氧氟沙星", "levofloxacin"),
        ("克霉唑", "clotrimazole"),
        ("阿莫西林胶囊", "amoxicillin"),
        ("布洛芬缓释胶囊", "ibuprofen"),
        ("土豆", None),
    ],
)
def test_a_medicine_is_known_by_what_people_call_it(said: str, code: str | None) -> None:
    medicine = SHIPPED.medicine_called(said)
    assert (medicine.code if medicine else None) == code


def _change(folder: Path, file: str, change: Callable[[Rows], object]) -> None:
    rows = json.loads((folder / file).read_text("utf-8"))
    change(rows)
    (folder / file).write_text(json.dumps(rows, ensure_ascii=False), "utf-8")


def _first(key: str, value: object) -> Callable[[Rows], object]:
    return lambda rows: rows[0].__setitem__(key, value)


ANTIINFECTIVES = "medicines/antiinfectives.json"

DAMAGE: dict[str, tuple[str, Callable[[Rows], object]]] = {
    "a medicine twice": (ANTIINFECTIVES, lambda rows: rows.append(rows[0])),
    "a class that there is not": (ANTIINFECTIVES, _first("classes", ["wonders"])),
    "an ingredient that is nowhere explained": (ANTIINFECTIVES, _first("ingredients", ["stone"])),
    "a form that there is not": (ANTIINFECTIVES, _first("preparations", [{"form": "ring", "strength": 1, "pack": 1}])),
    "no preparation": (ANTIINFECTIVES, _first("preparations", [])),
    "no dose": (ANTIINFECTIVES, _first("doses", [])),
    "a source that there is not": (ANTIINFECTIVES, _first("source", "hearsay")),
    "no source": (ANTIINFECTIVES, lambda rows: rows[0].pop("source")),
    "an unknown field": (ANTIINFECTIVES, _first("colour", "red")),
    "a grade that there is not": (ANTIINFECTIVES, _first("antibiotic", "good")),
    "a frequency that there is not": (ANTIINFECTIVES, lambda rows: rows[0]["doses"][0].update(frequencies=["often"])),
    "a dose without a bound": (ANTIINFECTIVES, lambda rows: rows[0]["doses"][0].pop("max_day")),
    "a range upside down": (ANTIINFECTIVES, lambda rows: rows[0]["doses"][0].update(time=[80, 20])),
    "a disease that is no code": (ANTIINFECTIVES, _first("indications", ["flu"])),
    "a class and a medicine of one code": ("classes.json", _first("code", "amoxicillin")),
    "classes within each other": ("classes.json", _first("within", ["penicillins"])),
    "a class without members": ("classes.json", lambda rows: rows.append({**rows[0], "code": "x", "name": "某某类"})),
    "one name for two classes": ("classes.json", lambda rows: rows[1].update(name=rows[0]["name"])),
    "an interaction with nothing": ("interactions.json", _first("between", ["warfarin", "wonders"])),
    "an interaction twice": (
        "interactions.json",
        lambda rows: rows.append({**rows[0], "between": rows[0]["between"][::-1]}),
    ),
    "an interaction of nothing": ("interactions.json", _first("between", ["warfarin", "seafood"])),
    "an interaction without source": ("interactions.json", lambda rows: rows[0].pop("source")),
    "a cross-reaction to nothing": ("cross_reactions.json", _first("given", "wonders")),
    "a law that a check leans on is gone": ("laws.json", lambda rows: rows.pop(0)),
    "a law without its article": ("laws.json", lambda rows: rows[0].pop("source")),
    "no rows": ("frequencies.json", lambda rows: rows.clear()),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_an_error_that_names_the_file(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "drugs"
    shutil.copytree(FOLDER, folder)
    load_reference(folder)
    file, change = DAMAGE[name]
    _change(folder, file, change)
    with pytest.raises(DataError, match=str(folder)):
        load_reference(folder)


@pytest.mark.parametrize("file", sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*.json")), ids=str)
def test_a_file_that_is_cut_off_is_an_error(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "drugs"
    shutil.copytree(FOLDER, folder)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=file.name):
        load_reference(folder)


def test_the_page_for_reviewers_is_what_the_data_say() -> None:
    assert PAGE.read_text("utf-8") == page(SHIPPED), "renew it: python -m data.drugs"


def test_every_source_is_cited_by_something() -> None:
    assert set(SHIPPED.cited) == set(SHIPPED.sources)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        load_reference(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("苯磺酸氨氯地平片", "amlodipine"),
        ("盐酸二甲双胍片", "metformin"),
        ("盐酸二甲双胍缓释片", "metformin"),
        ("富马酸比索洛尔片", "bisoprolol"),
        ("琥珀酸美托洛尔缓释片", "metoprolol"),
        ("阿托伐他汀钙片", "atorvastatin"),
        ("苯磺酸氨氯地平片 5mg×28片/盒", "amlodipine"),
        ("硫酸镁片", None),
        ("盐酸什么片", None),
        ("片", None),
    ],
)
def test_a_medicine_is_known_as_hospitals_write_it(written: str, code: str | None) -> None:
    medicine = reference().medicine_called(written)
    assert (medicine.code if medicine else None) == code


def test_what_is_put_into_the_eye_is_not_taken_for_what_is_swallowed() -> None:
    medicine = reference().medicine_called("盐酸左氧氟沙星滴眼液")
    assert medicine is None or medicine.code in reference().local
