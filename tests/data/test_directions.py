"""The directions and their cues: complete, and every fault told in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.departments import departments
from data.directions import directions, load_directions
from data.errors import DataError

ROW: dict[str, Any] = {
    "code": "thyroid",
    "name": "甲状腺",
    "departments": {"endocrinology": 1.0},
    "cues": {"decisive": ["甲亢"]},
    "source": "《内科学》（第9版）",
}


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    (folder / "some.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    return folder


def test_every_department_has_a_direction() -> None:
    assert set(departments()) == {code for row in directions().values() for code in row.departments}


def test_every_direction_has_a_source_and_words() -> None:
    for row in directions().values():
        assert row.source, row.code
        assert sum(len(words) for words in row.cues.values()) >= 5, row.code


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"departments": {"nowhere": 1.0}}, "thyroid names 'nowhere', which there is not"),
        ({"departments": {"endocrinology": 0.5}}, "the shares of thyroid do not add up to 1"),
        ({"like": ["nothing"]}, "thyroid names 'nothing', which there is not"),
        ({"cues": {"decisive": ["甲亢"], "faint": ["甲亢"]}}, "cue of thyroid '甲亢' comes twice"),
        ({"cues": {"strongish": ["甲亢"]}}, "cues"),
        ({"source": ""}, "source"),
    ],
)
def test_a_wrong_row_is_told_in_one_line(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    with pytest.raises(DataError, match=fault) as raised:
        load_directions(write(tmp_path, ROW | change))
    assert "\n" not in str(raised.value)


def test_a_code_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="code 'thyroid' comes twice"):
        load_directions(write(tmp_path, ROW, ROW))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no directions"):
        load_directions(tmp_path)
