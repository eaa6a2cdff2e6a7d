"""Moments, spans and names as people say them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wording import clip, distance, elapsed, lines, masked_phone, moment, short_day, time_of_day, waiting

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # noon of a Saturday in China


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (1, "今天下午1:00"),
        (0, "今天中午12:00"),
        (21, "明天上午9:00"),
        (45, "后天上午9:00"),
        (-24, "昨天中午12:00"),
        (8, "今天晚上8:00"),
        (14, "明天凌晨2:00"),
        (93, "11月25日（周三）上午9:00"),
        (24 * 60 - 3, "2027年1月20日（周三）上午9:00"),
    ],
)
def test_a_moment_is_said_as_seen_from_now_in_china(hours: int, said: str) -> None:
    assert moment(NOW + timedelta(hours=hours), NOW) == said


def test_a_moment_that_is_read_later_is_said_by_its_date() -> None:
    assert moment(NOW) == "11月21日（周六）中午12:00"
    assert short_day(NOW) == "11月21日"


@pytest.mark.parametrize(("hours", "said"), [(0.5, "刚才"), (3, "3小时前"), (50, "2天前")])
def test_how_long_ago_something_was(hours: float, said: str) -> None:
    assert elapsed(timedelta(hours=hours)) == said


@pytest.mark.parametrize(("kilometres", "said"), [(0.44, "0.4公里"), (9.96, "10.0公里"), (12.3, "12公里")])
def test_a_distance_has_no_more_digits_than_help(kilometres: float, said: str) -> None:
    assert distance(kilometres) == said


@pytest.mark.parametrize(("number", "shown"), [("13812345678", "138****5678"), ("110", "****")])
def test_a_telephone_is_shown_in_part(number: str, shown: str) -> None:
    assert masked_phone(number) == shown


@given(st.integers(0, 30 * 24 * 3600))
def test_every_moment_has_a_part_of_the_day_and_an_hour_up_to_twelve(seconds: int) -> None:
    said = time_of_day(NOW + timedelta(seconds=seconds))
    assert said[:2] in ("凌晨", "上午", "中午", "下午", "晚上")
    assert 0 <= int(said[2:].split(":")[0]) <= 12


@pytest.mark.parametrize(
    ("minutes", "said"), [(1440, "1天"), (60, "1小时"), (10, "10分钟"), (90, "90分钟"), (2880, "2天")]
)
def test_a_span_is_said_in_its_largest_whole_unit(minutes: int, said: str) -> None:
    assert waiting(minutes) == said


@given(st.text(), st.integers(1, 40))
def test_clipped_text_is_one_line_within_the_limit(text: str, limit: int) -> None:
    assert len(clip(text, limit)) <= limit
    assert "\n" not in clip(text, limit)


def test_what_says_nothing_leaves_no_line() -> None:
    assert lines("一", "", "二") == "一\n二"
