"""Chinese text on lines: nothing is lost, and lines break where they may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.typesetting import printable, wrapped


def lines(text: str, width: int) -> list[str]:
    return list(wrapped(text, width, len))


@pytest.mark.parametrize(
    ("text", "width", "broken"),
    [
        pytest.param("右肺上叶结节", 3, ["右肺上", "叶结节"], id="between any two characters"),
        pytest.param("右肺结节。", 4, ["右肺结", "节。"], id="no mark begins a line"),
        pytest.param("结节（约8mm）", 3, ["结节", "（约", "8mm", "）"], id="no opening mark ends one"),
        pytest.param("直径12.5mm左右", 6, ["直径", "12.5mm", "左右"], id="a number stays with its unit"),
        pytest.param("aaaaaaaa", 3, ["aaa", "aaa", "aa"], id="a word that fits on no line is cut"),
        pytest.param("一行\n\n二行", 9, ["一行", "", "二行"], id="lines of the writer stay"),
        pytest.param("。。。。。", 2, ["。。", "。。", "。"], id="nothing but marks"),
    ],
)
def test_where_a_line_breaks(text: str, width: int, broken: list[str]) -> None:
    assert lines(text, width) == broken


@given(st.text(st.sampled_from("右肺上叶，。（）8m. %\n"), max_size=60), st.integers(4, 12))
def test_wrapping_loses_nothing_but_blanks_and_fills_no_line_too_much(text: str, width: int) -> None:
    broken = lines(text, width)
    assert "".join(broken).replace(" ", "") == text.replace("\n", "").replace(" ", "")
    assert all(len(line) <= width for line in broken)


def test_a_character_that_the_font_lacks_is_printed_as_its_code() -> None:
    glyphs = {ord(mark) for mark in "张先生 "}
    assert printable("张𠮷\u200b先生\t", glyphs) == ("张[U+20BB7]先生 ", ["𠮷"])
