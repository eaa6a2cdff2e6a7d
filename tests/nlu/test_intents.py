"""What the person wants."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nlu.types import Asked, Command, Intent, Slot, Understanding, YesNo

Understand = Callable[..., Understanding]
SENTENCES: dict[str, list[str]] = json.loads((Path(__file__).parent / "data/intent_sentences.json").read_text("utf-8"))


@pytest.mark.parametrize(("intent", "text"), [(intent, text) for intent, texts in SENTENCES.items() for text in texts])
def test_the_intent_of_a_message_is_found(understand: Understand, intent: str, text: str) -> None:
    assert understand(text).intent == intent


def test_every_intent_has_sentences() -> None:
    needs_a_question = {Intent.ANSWER}
    assert set(SENTENCES) == set(Intent) - needs_a_question


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("返回", Command.BACK),
        ("重新开始", Command.RESTART),
        ("转人工", Command.HUMAN),
        ("跳过", Command.SKIP),
        ("不知道", Command.DONT_KNOW),
        ("帮助", Command.HELP),
        ("为什么问这个", Command.WHY),
        ("取消", Command.CANCEL),
    ],
)
def test_a_steering_word_is_a_command(understand: Understand, text: str, command: Command) -> None:
    assert understand(text).command is command


def test_a_steering_word_inside_a_sentence_is_none(understand: Understand) -> None:
    assert understand("我妈从外地返回以后咳嗽").command is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("有", YesNo.YES),
        ("嗯嗯", YesNo.YES),
        ("是的呢", YesNo.YES),
        ("没有", YesNo.NO),
        ("没得", YesNo.NO),
        ("没有啊医生", YesNo.NO),
        ("不清楚", YesNo.DONT_KNOW),
        ("头疼", None),
    ],
)
def test_bare_yes_and_no_are_understood(understand: Understand, text: str, expected: YesNo | None) -> None:
    assert understand(text).yes_no is expected


def test_an_answer_to_a_question_is_an_answer_and_a_digression_is_not(understand: Understand) -> None:
    asked = Asked(slot=Slot.SYMPTOM, values=("胸痛",))
    assert understand("没有", asked).intent is Intent.ANSWER
    assert understand("多少钱？", asked).intent is Intent.ASK_PRICE
    assert understand("转人工", asked).intent is Intent.TALK_TO_PERSON
