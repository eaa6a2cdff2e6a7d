"""Trains the reader of symptoms (``nlu/reader.py``) from ``symptoms_train.jsonl`` and ``answers_train.jsonl``."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from nlu.reader_input import FIRST_CHARACTER, Eye, WordCount
from nlu.training.reading.dataset import Row, count_words, example, question_rows, read_rows, sentence_rows
from nlu.training.reading.export import export
from nlu.training.reading.fit import Plan, fit
from nlu.training.reading.names import symptom_names
from nlu.training.reading.network import ReaderNetwork

_LEAST_SEEN = 2
_SURE = 0.95
"""A word that stood for one symptom in so many cases stands for it."""


def train(data: Path, out: Path, seed: int, plan: Plan | None = None) -> None:
    """Write ``reader.onnx`` and ``reader.json`` into ``out``."""
    random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    sentences, questions = read_rows(data / "symptoms_train.jsonl"), read_rows(data / "answers_train.jsonl")
    rows = sentence_rows(sentences) + question_rows(questions)
    labels = sorted({mark["name"] for row in rows for marks in row.marks.values() for mark in marks})
    numbers = {label: number for number, label in enumerate(labels)}
    characters = _characters(rows)
    words = count_words(rows, numbers)
    eye = Eye(characters, words)
    examples = [example(row, eye, numbers) for row in rows]
    network = ReaderNetwork(FIRST_CHARACTER + len(characters), len(labels))
    fit(network, examples, plan or Plan(), seed)
    described = {
        "characters": "".join(characters),
        "labels": labels,
        "names": symptom_names(labels),
        "words": {word: _described(count) for word, count in sorted(words.items())},
        "transitions": [[round(score, 4) for score in row] for row in network.allowed_transitions().tolist()],
    }
    export(network, described, examples[:: len(examples) // 40], out)


def _characters(rows: list[Row]) -> list[str]:
    """The characters that were seen more than once, the commonest first."""
    counts = Counter(character for row in rows for character in _all_text(row))
    return [character for character, times in counts.most_common() if times >= _LEAST_SEEN]


def _all_text(row: Row) -> str:
    return row.text + "".join(said.text for said in row.before)


def _described(count: WordCount) -> list[Any]:
    """Of a word: the symptom that it mostly stands for, how often it stood for one, how often it stood there, sure?"""
    label = max(count.labels, key=lambda key: count.labels[key])
    return [label, count.named, count.seen, count.labels[label] >= _SURE * count.named]
