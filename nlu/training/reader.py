"""Trains the reader of symptoms (``nlu/reader.py``) from ``symptoms_train.jsonl`` and ``answers_train.jsonl``."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from nlu.reader_input import FIRST_CHARACTER, Eye, WordCount
from nlu.training.reading.dataset import (
    Row,
    count_words,
    example,
    question_rows,
    read_rows,
    sentence_rows,
    weak_marks,
)
from nlu.training.reading.export import export, export_statuses
from nlu.training.reading.fit import Plan, fit, is_full
from nlu.training.reading.names import symptom_names, terms
from nlu.training.reading.network import Ensemble, ReaderNetwork
from nlu.training.reading.statuses import fit_statuses

MEMBERS = 3
_LEAST_SEEN = 2
_SURE = 0.95
"""A word that stood for one symptom in so many cases stands for it."""
_TELLING = 0.6
"""A word that stands for a symptom so often is taken for one in the words of doctors that nobody has marked."""


def train(data: Path, out: Path, seed: int, plan: Plan | None = None, members: int = MEMBERS) -> None:
    """Write ``reader.onnx``, ``reader_status.onnx`` and their JSON into ``out``."""
    torch.set_num_threads(1)
    sentences, questions = read_rows(data / "symptoms_train.jsonl"), read_rows(data / "answers_train.jsonl")
    rows = sentence_rows(sentences) + question_rows(questions)
    labels = sorted({mark["name"] for row in rows for marks in row.marks.values() for mark in marks})
    numbers = {label: number for number, label in enumerate(labels)}
    export_statuses(fit_statuses(rows), out)
    characters = _characters(rows)
    words = count_words(rows, numbers)
    meanings = terms()
    weak_marks(rows, [row["dialogue"] for row in sentences + questions], _telling(words, labels))
    eye = Eye(characters, words, meanings)
    examples = [example(row, eye, numbers) for row in rows]
    networks = []
    for member in range(members):
        random.seed(seed + member)
        torch.manual_seed(seed + member)
        network = ReaderNetwork(FIRST_CHARACTER + len(characters), len(labels), max(meanings.values()))
        networks.append(fit(network, examples, plan or Plan(), seed + member))
    ensemble = Ensemble(networks)
    described = {
        "characters": "".join(characters),
        "labels": labels,
        "names": symptom_names(labels),
        "terms": meanings,
        "words": {word: _described(count) for word, count in sorted(words.items())},
        "transitions": [[round(score, 4) for score in row] for row in ensemble.allowed_transitions().tolist()],
    }
    export(ensemble, described, [one for one in examples if is_full(one)][::10], out)


def _characters(rows: list[Row]) -> list[str]:
    """The characters that were seen more than once, the commonest first."""
    counts = Counter(character for row in rows for character in _all_text(row))
    return [character for character, times in counts.most_common() if times >= _LEAST_SEEN]


def _all_text(row: Row) -> str:
    return row.text + "".join(said.text for said in row.before)


def _telling(words: dict[str, WordCount], labels: list[str]) -> dict[str, str]:
    """The words that mostly stand for a symptom, with its label."""
    return {
        word: labels[max(count.labels, key=lambda key: count.labels[key])]
        for word, count in words.items()
        if count.named >= _LEAST_SEEN and count.named >= _TELLING * count.seen
    }


def _described(count: WordCount) -> list[Any]:
    """Of a word: the symptom that it mostly stands for, how often it stood for one, how often it stood there, sure?"""
    label = max(count.labels, key=lambda key: count.labels[key])
    return [label, count.named, count.seen, count.labels[label] >= _SURE * count.named]
