"""Habits and the general condition: smoking, drinking, sleep, diet, excretion, spirits."""

from collections.abc import Callable

import pytest

from nlu.facts import CaseFacts
from nlu.summary import summarise
from nlu.types import Status, Understanding

Understand = Callable[..., Understanding]


@pytest.mark.parametrize(
    ("text", "name", "status"),
    [
        ("抽烟二十年了", "吸烟", Status.POSITIVE),
        ("一天一包烟", "吸烟", Status.POSITIVE),
        ("不抽烟", "吸烟", Status.NEGATIVE),
        ("烟早就戒了", "吸烟", Status.NEGATIVE),
        ("每天喝点白酒", "饮酒", Status.POSITIVE),
        ("從不喝酒", "饮酒", Status.NEGATIVE),
        ("能不能喝酒", "饮酒", Status.UNKNOWN),
        ("睡眠还不错", "睡眠", Status.POSITIVE),
        ("晚上睡觉不好", "睡眠", Status.NEGATIVE),
        ("吃饭正常", "饮食", Status.POSITIVE),
        ("没什么胃口", "饮食", Status.NEGATIVE),
        ("大小便正常", "大小便", Status.POSITIVE),
        ("大便不正常", "大小便", Status.NEGATIVE),
        ("精神挺好的", "精神", Status.POSITIVE),
        ("精神不好", "精神", Status.NEGATIVE),
        ("睡眠好吗", "睡眠", Status.UNKNOWN),
    ],
)
def test_a_habit_and_whether_it_holds(understand: Understand, text: str, name: str, status: Status) -> None:
    assert [(found.name, found.status) for found in understand(text).habits] == [(name, status)]


@pytest.mark.parametrize("text", ["酒精过敏", "烟雾呛到了", "用酒精擦了", "咳嗽三天"])
def test_what_only_looks_like_a_habit_is_none(understand: Understand, text: str) -> None:
    assert understand(text).habits == ()


def test_the_record_writes_habits_as_personal_history_and_the_condition_as_part_of_the_illness(
    understand: Understand,
) -> None:
    facts = CaseFacts().merge(understand("咳嗽三天，抽烟二十年，不喝酒，吃饭正常，大小便正常，夜里老做噩梦"))
    record = summarise(facts)
    assert record.past_history.endswith("个人史：吸烟，否认饮酒")
    assert record.present_illness.endswith("食欲可，睡眠差，大小便正常。")
    assert record.chief_complaint.endswith("3天")


def test_a_disturbance_that_a_symptom_tells_is_not_told_twice(understand: Understand) -> None:
    assert summarise(CaseFacts().merge(understand("最近老是失眠"))).present_illness == "出现失眠，老是。"


def test_who_stopped_smoking_is_written_so(understand: Understand) -> None:
    facts = CaseFacts().merge(understand("戒烟三年了"))
    assert (facts.duration, summarise(facts).past_history) == (None, "未提供；个人史：已戒烟")


def test_a_habit_said_anew_replaces_what_was_said_before(understand: Understand) -> None:
    facts = CaseFacts().merge(understand("不抽烟")).merge(understand("其实抽烟的"))
    assert [(habit.name, habit.status) for habit in facts.habits] == [("吸烟", Status.POSITIVE)]
