"""Normalised text and the way back to the original."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.normalise import MAX_CHARACTERS, normalise


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("３８．５℃", "38.5°c"),
        ("我發燒，頭痛", "我发烧,头痛"),
        ("CT检查", "ct检查"),
        ("咳嗽\u200b三天\x00", "咳嗽三天"),
        ("乾淨", "干净"),
        ("咳嗽\n发烧", "咳嗽 发烧"),
    ],
)
def test_text_takes_one_form(original: str, expected: str) -> None:
    assert normalise(original).text == expected


def test_offsets_lead_back_to_the_original_across_ligatures_and_invisible_characters() -> None:
    source = normalise("\u200b㎜頭痛了")
    start = source.text.index("头痛")
    first, last = source.span(start, start + 2)
    assert source.original[first:last] == "頭痛"


@given(st.text(max_size=60))
def test_every_character_has_an_origin_in_order(original: str) -> None:
    source = normalise(original)
    assert len(source.origin) == len(source.text)
    assert list(source.origin) == sorted(source.origin)
    assert all(0 <= index < len(original) for index in source.origin)


def test_a_very_long_text_is_cut() -> None:
    assert len(normalise("咳" * 5000).text) == MAX_CHARACTERS
