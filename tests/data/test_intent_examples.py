"""The examples of intents: the shipped ones load and suffice, broken ones stop with one clear line."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from data.errors import DataError
from data.intent_examples import intent_examples, load_intent_examples
from nlu.types import Intent, Slot


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    return path


def test_every_intent_has_examples_and_every_question_is_one_that_can_be_asked() -> None:
    rows = intent_examples()
    assert {row.intent for row in rows} == set(Intent)
    assert {row.asked for row in rows} - {None} <= {slot.value for slot in Slot}


def test_the_frequent_intents_have_the_most_examples() -> None:
    counts: Counter[str] = Counter()
    for row in intent_examples():
        counts[row.intent] += len(row.texts)
    assert min(counts.values()) >= 25


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([], "holds no rows"),
        ([{"intent": "greet", "texts": []}], "texts"),
        ([{"intent": "greet", "texts": [" "]}], "a message is empty"),
        ([{"intent": "greet", "texts": ["你好"], "note": "x"}], "note"),
        ([{"intent": "greet", "texts": ["Hi"]}, {"intent": "thank", "texts": ["hi "]}], "both greet and thank"),
        ([{"intent": "greet", "texts": ["你好"]}, {"intent": "greet", "texts": ["喂"]}], "comes twice"),
        ([{"intent": "answer", "asked": "age", "symptoms": ["咳嗽"], "texts": ["三岁"]}], "without the question"),
    ],
)
def test_broken_examples_are_refused_with_one_line(tmp_path: Path, rows: list[dict[str, Any]], fault: str) -> None:
    path = write(tmp_path / "examples.json", rows)
    with pytest.raises(DataError, match=fault) as refused:
        load_intent_examples(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_same_words_may_answer_different_questions(tmp_path: Path) -> None:
    rows = [
        {"intent": "answer", "asked": "symptom", "symptoms": ["发热"], "texts": ["没有"]},
        {"intent": "deny", "texts": ["没有"]},
    ]
    assert len(load_intent_examples(write(tmp_path / "examples.json", rows))) == 2
