"""Words by which people and places are named."""

import json
from pathlib import Path

import pytest

from data.errors import DataError
from data.naming import PATH, load_naming, naming


def test_the_shipped_words_are_read() -> None:
    assert {"王", "李"} <= set(naming().surnames)
    assert set(naming().words_before_titles) <= set(naming().surnames)
    assert all(len(name) == 2 for name in naming().compound_surnames)


def test_a_word_that_comes_twice_is_told(tmp_path: Path) -> None:
    content = json.loads(PATH.read_text(encoding="utf-8"))
    content["titles"] += content["titles"][:1]
    wrong = tmp_path / "naming.json"
    wrong.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DataError, match="comes twice"):
        load_naming(wrong)
