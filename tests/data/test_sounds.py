"""How characters sound and look."""

from pathlib import Path

import pytest

from data.errors import DataError
from data.sounds import SHAPES, SOUNDS, merged, pinyin, readings


def test_characters_that_sound_alike_share_a_reading() -> None:
    assert set(readings()["芬"]) & set(readings()["分"])
    assert not set(readings()["炎"]) & set(readings()["痒"])


def test_the_pinyin_of_a_character_is_told_with_every_reading() -> None:
    assert pinyin()["张"] == ("zhang",)
    assert set(pinyin()["曾"]) == {"ceng", "zeng"}


def test_a_character_that_looks_like_another_has_its_reading_too() -> None:
    assert set(readings()["孢"]) <= set(readings()["炮"])


@pytest.mark.parametrize(("one", "other"), [("zhi", "zi"), ("cheng", "cen"), ("shi", "si"), ("jing", "jin")])
def test_sounds_that_many_people_do_not_tell_apart_are_merged(one: str, other: str) -> None:
    assert merged(one) == merged(other)


def test_tan_and_tang_are_told_apart() -> None:
    assert merged("tan") != merged("tang")


@pytest.mark.parametrize("content", ["[]", "{}", '{"a": 1}', "{"])
def test_a_wrong_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "sounds.json"
    file.write_text(content, "utf-8")
    with pytest.raises(DataError, match=r"sounds\.json"):
        readings(file, SHAPES)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"shapes\.json"):
        readings(SOUNDS, tmp_path / "shapes.json")
