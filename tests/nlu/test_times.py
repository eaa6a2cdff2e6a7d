"""How long, since when, how often."""

from collections.abc import Callable

import pytest

from nlu.facts import CaseFacts
from nlu.summary import summarise
from nlu.times import find_durations, find_frequency, find_onset
from nlu.types import Understanding

Understand = Callable[..., Understanding]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("咳嗽三天了", 3),
        ("三四天", 3.5),
        ("半个月", 15),
        ("一个半月", 45),
        ("两年多", 730),
        ("一个多星期", 7),
        ("2周", 14),
        ("好几天", 4),
        ("半天", 0.5),
        ("三天前开始拉肚子", 3),
        ("2-3天", 2.5),
        ("疼了6个小时", 0.25),
    ],
)
def test_a_duration_is_read(text: str, days: float) -> None:
    assert [found[0].days for found in find_durations(text)] == [days]


@pytest.mark.parametrize(
    "text", ["每三天一次", "怀孕三个月", "吃了三天药", "宝宝两个月发烧", "出生15天", "5岁", "第三天"]
)
def test_what_is_no_duration_is_left(text: str) -> None:
    assert find_durations(text) == []


def test_the_complaints_duration_is_taken_not_the_old_diseases(understand: Understand) -> None:
    duration = understand("高血压十年，头晕三天").duration
    assert duration is not None
    assert duration.days == 3
    assert understand("有高血压糖尿病十年").duration is None


def test_the_beginning_tells_the_duration(understand: Understand) -> None:
    result = understand("昨天晚上开始拉肚子")
    assert result.onset == "昨天晚上"
    assert result.duration is not None
    assert result.duration.days == 1


def test_a_time_of_day_alone_is_no_beginning_unless_asked() -> None:
    assert find_onset("今天吃了两碗饭") is None
    assert find_onset("今天", asked=True) is not None


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("一天七八次", False, "一天七八次"),
        ("5次", True, "5次"),
        ("5次", False, None),
        ("一阵一阵的疼", False, "一阵一阵"),
    ],
)
def test_frequency_is_kept_in_the_speakers_words(text: str, asked: bool, expected: str | None) -> None:
    assert find_frequency(text, asked) == expected


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("咳嗽好几年了", "咳嗽数年"),
        ("咳嗽几个月了", "咳嗽数月"),
        ("头晕十几天", "头晕10余天"),
        ("头晕两年多", "头晕2年余"),
        ("头晕3天左右", "头晕约3天"),
        ("头晕一两天", "头晕一两天"),
        ("头晕三天", "头晕3天"),
        ("去年开始咳嗽", "咳嗽（去年起）"),
        ("今早头晕", "头晕半天"),
    ],
)
def test_the_record_says_no_number_that_nobody_told(understand: Understand, text: str, written: str) -> None:
    assert summarise(CaseFacts().merge(understand(text))).chief_complaint == written


@pytest.mark.parametrize(
    ("text", "onset"),
    [
        ("昨晚肚子疼", "昨晚"),
        ("前天夜里发烧", "前天夜里"),
        ("今早头晕", "今早"),
        ("昨晚", "昨晚"),
        ("昨儿个就拉肚子", "昨儿个"),
        ("今天还咳嗽", None),
        ("昨晚又吐了两次", None),
        ("昨天去了医院，咳嗽", None),
        ("晚上咳嗽", None),
        ("咳嗽三天，昨晚发烧", None),
    ],
)
def test_a_night_that_is_named_beside_a_symptom_is_its_beginning(
    understand: Understand, text: str, onset: str | None
) -> None:
    assert understand(text).onset == onset


def test_a_later_symptom_makes_the_case_no_younger(understand: Understand) -> None:
    case = CaseFacts().merge(understand("咳嗽三天了")).merge(understand("昨晚发烧"))
    assert case.duration is not None
    assert case.duration.days == 3
    assert case.onset is None
