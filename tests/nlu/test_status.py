"""Denied, open, past or present: what the words around a symptom make of it."""

from collections.abc import Callable

import pytest

from data.clinical_language import clinical_language
from nlu.types import Status, Understanding

Understand = Callable[..., Understanding]

POSITIVE, NEGATIVE, UNKNOWN = Status.POSITIVE, Status.NEGATIVE, Status.UNKNOWN


def statuses(understanding: Understanding) -> dict[str, Status]:
    return {mention.name: mention.status for mention in understanding.symptoms}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("没有发烧，咳嗽三天了", {"发烧": NEGATIVE, "咳嗽": POSITIVE}),
        ("不发烧不咳嗽", {"发烧": NEGATIVE, "咳嗽": NEGATIVE}),
        ("没有发烧、咳嗽和头疼", {"发烧": NEGATIVE, "咳嗽": NEGATIVE, "头痛": NEGATIVE}),
        ("没发烧但是咳嗽", {"发烧": NEGATIVE, "咳嗽": POSITIVE}),
        ("没有咳嗽，就是头疼", {"咳嗽": NEGATIVE, "头痛": POSITIVE}),
        ("除了咳嗽没有别的", {"咳嗽": POSITIVE}),
        ("发烧已经退了", {"发烧": NEGATIVE}),
        ("咳嗽好了", {"咳嗽": NEGATIVE}),
        ("咳嗽好多了", {"咳嗽": POSITIVE}),
        ("咳嗽不厉害", {"咳嗽": POSITIVE}),
        ("前天发烧，现在不烧了", {"发烧": NEGATIVE}),
        ("晚上咳得厉害，白天不咳", {"咳嗽": POSITIVE}),
        ("不是不发烧", {"发烧": POSITIVE}),
        ("不是头疼是头晕", {"头痛": NEGATIVE, "头晕": POSITIVE}),
        ("头不晕，肚子一直有点疼", {"头晕": NEGATIVE, "腹痛": POSITIVE}),
        ("肚子不疼也不拉", {"腹痛": NEGATIVE, "腹泻": NEGATIVE}),
        ("发烧吗", {"发烧": UNKNOWN}),
        ("有没有发烧？", {"发烧": UNKNOWN}),
        ("不知道有没有发烧", {"发烧": UNKNOWN}),
        ("怕发烧", {"发烧": UNKNOWN}),
        ("如果胸痛怎么办", {"胸痛": UNKNOWN}),
        ("邻居家的孩子发烧", {"发烧": UNKNOWN}),
        ("主要是头疼", {"头痛": POSITIVE}),
        ("好像发烧了", {"发烧": POSITIVE}),
        ("睡不着，吃不下饭，喘不上气", {"失眠": POSITIVE, "食欲不振": POSITIVE, "呼吸困难": POSITIVE}),
        ("没有上不来气", {"呼吸困难": NEGATIVE}),
        ("没精神", {"精神差": POSITIVE}),
        ("没吃药就头疼", {"头痛": POSITIVE}),
        ("不停地咳嗽", {"咳嗽": POSITIVE}),
        ("积食消化不良呕吐", {"消化不良": POSITIVE, "呕吐": POSITIVE}),
        ("为什么一吃饭就胸闷？", {"胸闷": POSITIVE}),
        ("没有心跳快", {"心慌": NEGATIVE}),
        ("没有呼吸困难", {"呼吸困难": NEGATIVE}),
    ],
)
def test_a_symptom_is_present_absent_or_open_as_the_sentence_says(
    understand: Understand, text: str, expected: dict[str, Status]
) -> None:
    assert statuses(understand(text)) == expected


@pytest.mark.parametrize("name", [row.name for row in clinical_language().symptoms if row.name != "过敏"])
def test_every_symptom_can_be_told_denied_and_asked_for(understand: Understand, name: str) -> None:
    told = statuses(understand(f"{name}三天了"))
    denied = statuses(understand(f"没有{name}"))
    asked = statuses(understand(f"有没有{name}？"))
    assert (told.get(name), denied.get(name), asked.get(name)) == (POSITIVE, NEGATIVE, UNKNOWN)


@pytest.mark.parametrize("text", ["去年胸痛过", "小时候抽搐过", "以前头晕"])
def test_what_is_long_over_is_past(understand: Understand, text: str) -> None:
    assert [mention.past for mention in understand(text).symptoms] == [True]


def test_a_former_operation_does_not_make_todays_complaint_past(understand: Understand) -> None:
    mention = understand("两年前做过支架，胸闷两天").symptoms[0]
    assert (mention.name, mention.past) == ("胸闷", False)
