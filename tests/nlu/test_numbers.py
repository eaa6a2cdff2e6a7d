"""Numbers in Arabic and Chinese figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.numbers import DIGITS, parse_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("38.5", 38.5),
        ("三十八", 38),
        ("三十八点五", 38.5),
        ("一百五", 150),
        ("一百五十", 150),
        ("一百零五", 105),
        ("两", 2),
        ("十", 10),
        ("十二", 12),
        ("二百", 200),
        ("三八", 38),
        ("一千二", 1200),
    ],
)
def test_a_number_is_read(text: str, value: float) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["", "头", "点五", "3.", "一二三头", "38度"])
def test_what_is_no_number_gives_none(text: str) -> None:
    assert parse_number(text) is None


@given(st.integers(min_value=0, max_value=99))
def test_every_number_below_a_hundred_is_read_back(value: int) -> None:
    figures = "零一二三四五六七八九"
    tens, ones = divmod(value, 10)
    text = figures[ones] if tens == 0 else f"{figures[tens]}十{figures[ones] if ones else ''}"
    assert parse_number(text) == value


@given(st.text(alphabet=[*DIGITS, "十", "百", "千", "点"], max_size=10))
def test_any_run_of_figures_is_read_or_refused(text: str) -> None:
    value = parse_number(text)
    assert value is None or value >= 0
