"""Everyday words lead to normalised names."""

from collections.abc import Callable

import pytest

from nlu.types import Status, Understanding

Understand = Callable[..., Understanding]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("拉肚子", "腹泻"),
        ("拉稀", "腹泻"),
        ("跑肚", "腹泻"),
        ("发热", "发烧"),
        ("胸口闷", "胸闷"),
        ("心口窝疼", "上腹痛"),
        ("上不来气", "呼吸困难"),
        ("脑壳疼", "头痛"),
        ("头疼", "头痛"),
        ("嗓子有点疼", "咽痛"),
        ("膝盖上下楼的时候疼", "膝关节痛"),
        ("右下腹一直隐隐作痛", "右下腹痛"),
        ("肚肚疼", "腹痛"),
        ("我頭暈", "头晕"),
        ("鼻子一直不通", "鼻塞"),
        ("心扑通扑通跳", "心慌"),
        ("一天拉七八次", "腹泻"),
    ],
)
def test_an_everyday_word_is_understood(understand: Understand, text: str, name: str) -> None:
    assert name in [mention.name for mention in understand(text).symptoms]


@pytest.mark.parametrize(
    "text", ["打麻将", "抽空来一趟", "拉面好吃", "吞吞吐吐", "抽烟抽了很多年", "烧水喝", "麻烦您了"]
)
def test_words_that_only_contain_a_symptom_are_none(understand: Understand, text: str) -> None:
    assert understand(text).symptoms == ()


def test_every_mention_keeps_its_place_in_the_original(understand: Understand) -> None:
    text = "我頭痛，　咳嗽三天，量了３８．５度"
    result = understand(text)
    assert [text[e.start : e.end] == e.text for e in result.entities] == [True] * len(result.entities)
    assert {e.text for e in result.entities} >= {"頭痛", "咳嗽"}


def test_a_list_of_body_parts_shares_its_sensation(understand: Understand) -> None:
    assert "头痛" in [mention.name for mention in understand("头和肚子疼").symptoms]


def test_a_value_of_the_upper_pressure_is_no_complaint_of_high_pressure(understand: Understand) -> None:
    assert understand("血压高压130低压80").symptoms == ()
    assert [(m.name, m.status) for m in understand("血压高").symptoms] == [("血压高", Status.POSITIVE)]


def test_high_pressure_is_denied_in_the_words_themselves(understand: Understand) -> None:
    assert [(m.name, m.status) for m in understand("血压不高").symptoms] == [("血压高", Status.NEGATIVE)]


def test_of_overlapping_words_the_longest_counts(understand: Understand) -> None:
    assert [one.name for one in understand("去查血常规了").examinations] == ["血常规"]
