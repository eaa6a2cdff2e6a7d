"""The reference files of the understanding of language: the shipped ones load, broken ones stop with one clear line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.clinical_language import FOLDER, load_clinical_language
from data.departments import PATH as DEPARTMENTS
from data.departments import load_departments
from data.errors import DataError
from data.intents import load_spoken_intents
from data.questions import PATH as QUESTIONS
from data.questions import load_questions
from data.red_flags import PATH as RED_FLAGS
from data.red_flags import load_red_flags
from data.urgency import PATH as URGENCY
from data.urgency import load_urgency_rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files that a test may break."""
    return Path(shutil.copytree(FOLDER, tmp_path / "nlu"))


def change(path: Path, edit: Callable[[Any], object]) -> Path:
    """Apply ``edit`` to the JSON value in ``path``."""
    value = json.loads(path.read_text("utf-8"))
    edit(value)
    path.write_text(json.dumps(value, ensure_ascii=False), "utf-8")
    return path


def test_the_shipped_words_cover_two_hundred_symptoms_with_synonyms() -> None:
    language = load_clinical_language()
    assert len(language.symptoms) >= 200
    assert sum(len(row.synonyms) for row in language.symptoms) >= 1000
    assert all(row.departments for row in language.symptoms)


def test_about_thirty_departments_have_numbers_of_the_national_catalogue() -> None:
    rows = load_departments()
    assert 25 <= len(rows) <= 35
    assert all(row.catalogue and row.keywords for row in rows)


def test_every_red_flag_names_its_source_and_advice() -> None:
    assert all(rule.source and rule.advice for rule in load_red_flags())


@pytest.mark.parametrize(
    ("load", "path"),
    [
        (load_departments, DEPARTMENTS),
        (load_red_flags, RED_FLAGS),
        (load_questions, QUESTIONS),
        (load_urgency_rules, URGENCY),
    ],
)
@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "cannot be read"),
        (b"[{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "no rows"),
        (b'[{"x": 1}]', ": 0."),
    ],
)
def test_a_missing_or_broken_file_is_told_in_one_line(
    load: Callable[[Path], object], path: Path, content: bytes | None, fault: str, tmp_path: Path
) -> None:
    broken = tmp_path / path.name
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(broken)
    assert fault in str(caught.value)
    assert str(broken) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["symptoms.json", "anatomy.json", "drugs.json", "diseases/cardiovascular.json", "symptom_kinds.json"]
)
def test_a_missing_list_of_words_stops_the_load(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DataError, match=name):
        load_clinical_language(folder)


@pytest.mark.parametrize("name", ["intents.json", "commands.json"])
def test_missing_intents_stop_the_load(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DataError, match=name):
        load_spoken_intents(folder)


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda rows: rows[1].update(id=rows[0]["id"]), "comes twice"),
        (lambda rows: rows[1]["synonyms"].append(rows[0]["name"]), "comes twice"),
        (lambda rows: rows[0].update(patterns=["("]), "bad pattern"),
        (lambda rows: rows[0].update(departments={"nowhere": 1}), "unknown department 'nowhere'"),
        (lambda rows: rows[0].update(colour="red"), "colour"),
    ],
)
def test_a_wrong_symptom_is_named(folder: Path, edit: Callable[[Any], object], fault: str) -> None:
    change(folder / "symptoms.json", edit)
    with pytest.raises(DataError, match=fault):
        load_clinical_language(folder)


@pytest.mark.parametrize("name", ["examinations.json", "operations.json", "treatments.json", "findings.json"])
def test_a_word_for_two_examinations_or_operations_is_named(folder: Path, name: str) -> None:
    change(folder / name, lambda rows: rows[1]["synonyms"].append(rows[0]["name"]))
    with pytest.raises(DataError, match=rf"{name}.*comes twice"):
        load_clinical_language(folder)


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda rows: rows[1].update(name=rows[0]["name"]), "comes twice"),
        (lambda rows: rows[0].update(positive=["("]), "bad pattern"),
        (lambda rows: rows[0].update(positive=[]), "positive"),
        (lambda rows: rows[0].update(symptoms=["没有这个"]), "unknown symptom '没有这个'"),
    ],
)
def test_a_wrong_habit_is_named(folder: Path, edit: Callable[[Any], object], fault: str) -> None:
    change(folder / "habits.json", edit)
    with pytest.raises(DataError, match=fault):
        load_clinical_language(folder)


def test_a_body_part_with_an_unknown_symptom_is_named(folder: Path) -> None:
    change(folder / "anatomy.json", lambda value: value["parts"][0]["symptoms"].update({"痛": "没有这个"}))
    with pytest.raises(DataError, match="没有这个"):
        load_clinical_language(folder)


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda rows: rows[0].update(when=[{"any_of": ["没有这个"]}]), "unknown finding '没有这个'"),
        (lambda rows: rows[0].update(when=[{"any_disease": ["没有这个"]}]), "unknown disease '没有这个'"),
        (lambda rows: rows[0].update(when=[{}]), "always hold"),
        (lambda rows: rows[0].update(level=3), "level"),
        (lambda rows: rows[0].pop("source"), "source"),
    ],
)
def test_a_wrong_red_flag_is_named(folder: Path, edit: Callable[[Any], object], fault: str) -> None:
    path = change(folder / "red_flags.json", edit)
    with pytest.raises(DataError, match=fault):
        load_red_flags(path)


def test_a_question_for_an_unknown_finding_is_named(folder: Path) -> None:
    path = change(folder / "questions.json", lambda rows: rows[0].update(values=["没有这个"]))
    with pytest.raises(DataError, match="没有这个"):
        load_questions(path)


def test_a_pattern_of_an_intent_must_compile(folder: Path) -> None:
    change(folder / "intents.json", lambda rows: rows[0].update(patterns=["["]))
    with pytest.raises(DataError, match="bad pattern"):
        load_spoken_intents(folder)
