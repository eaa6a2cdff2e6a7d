"""The invented county is complete, fits together, and names nobody who exists."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.people import rules
from data.demo import FOLDER, Demo, demo, load_demo
from data.departments import departments
from data.errors import DataError
from data.icd10 import load_icd10


def experts(content: Demo) -> list[Any]:
    return [row for row in content.practitioners if row.role == "expert"]


def test_there_are_as_many_of_each_as_the_story_needs() -> None:
    assert Counter(row.kind for row in demo().institutions) == {"tertiary": 3, "township": 6, "pharmacy": 2}
    assert Counter(row.role for row in demo().practitioners) == {
        "expert": 30,
        "grassroots_doctor": 10,
        "pharmacist": 4,
        "administrator": 1,
    }
    assert len(demo().patients) >= 3


def test_every_township_has_a_doctor_and_every_hospital_an_expert() -> None:
    staffed = {"township": "grassroots_doctor", "tertiary": "expert", "pharmacy": "pharmacist"}
    for institution in demo().institutions:
        roles = {row.role for row in demo().practitioners if row.institution == institution.code}
        assert staffed[institution.kind] in roles, institution.name


def test_the_departments_that_see_most_patients_have_three_experts_to_invite() -> None:
    by_department = Counter(row.department for row in experts(demo()))
    assert by_department["respiratory"] >= 3
    assert by_department["cardiology"] >= 3
    assert set(by_department) <= set(departments())
    assert len(by_department) >= 20


def test_every_disease_has_an_expert_except_those_of_the_teeth() -> None:
    spans = [rules.icd10_span(code) for row in experts(demo()) for code in row.icd10]
    uncovered = {
        disease.department
        for disease in load_icd10().diseases
        if not any(first <= disease.code <= last for first, last in spans)
    }
    assert uncovered == {"stomatology"}


def test_somebody_is_on_call_and_somebody_has_hours_on_every_day_of_the_week() -> None:
    assert sum(row.on_call for row in experts(demo())) >= 3
    assert {hours.weekday for row in experts(demo()) for hours in row.week} == set(range(7))


def test_titles_licences_and_expertise_are_such_as_the_directory_takes() -> None:
    for row in demo().practitioners:
        if row.role == "pharmacist":
            assert row.title in rules.PHARMACIST_TITLES
        elif row.role != "administrator":
            assert row.title in rules.TITLE_RANKS
        for code in row.icd10:
            rules.icd10_span(code)
        assert row.licence_number.startswith("DEMO-")


def test_nobody_shares_a_name() -> None:
    names = [row.name for row in demo().practitioners] + [row.name for row in demo().patients]
    assert len(set(names)) == len(names)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in FOLDER.glob("*.json"):
        shutil.copy(path, tmp_path)
    return tmp_path


def change(name: str, **values: object) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        rows = json.loads((folder / name).read_text("utf-8"))
        rows[0] |= values
        (folder / name).write_text(json.dumps(rows), "utf-8")

    return apply


def damage(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content)


BACKWARDS = [{"weekday": 0, "start": "11:00", "end": "09:00", "slot_minutes": 20}]
NO_DAY = [{"weekday": 7, "start": "09:00", "end": "11:00", "slot_minutes": 20}]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (change("practitioners.json", institution="nowhere"), "no institution"),
        (change("practitioners.json", department="astrology"), "no department"),
        (change("practitioners.json", icd10=["高血压"]), "ICD-10"),
        (change("practitioners.json", icd10=[]), "needs expertise"),
        (change("practitioners.json", week=BACKWARDS), "end before"),
        (change("practitioners.json", week=NO_DAY), "weekday"),
        (change("practitioners.json", licence_number="110000000000001"), "licence_number"),
        (change("practitioners.json", code="EXP-02"), "twice"),
        (change("institutions.json", latitude=91), "latitude"),
        (change("institutions.json", kind="clinic"), "kind"),
        (change("patients.json", birth_date="yesterday"), "birth_date"),
        (change("patients.json", id_number="110101195903120026"), "id_number"),
        (change("patients.json", phone="13800000000"), "phone"),
        (damage("patients.json", "[]"), "no rows"),
        (damage("patients.json", "{"), "not JSON"),
    ],
)
def test_a_faulty_set_is_refused_in_one_line_that_names_the_fault(
    folder: Path, spoil: Callable[[Path], object], fault: str
) -> None:
    load_demo(folder)
    spoil(folder)
    with pytest.raises(DataError, match=fault) as refused:
        load_demo(folder)
    assert "\n" not in str(refused.value)
