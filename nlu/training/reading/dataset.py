"""What the reader learns from: the sentences of patients and the doctors' questions, as arrays with what to answer."""

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nlu.normalise import normalise
from nlu.reader_input import MAX_BEFORE, MAX_SENTENCE, Eye, Sight, WordCount
from nlu.types import Speaker, Utterance

STATUSES = ("positive", "negative", "unknown")
UNLABELLED = -1
LONGEST_WORD = 10
"""Longer mentions are half sentences that nobody says again."""


@dataclass
class Row:
    """One reading: what was said before, the sentence, and the marked stretches of each utterance."""

    before: tuple[Utterance, ...]
    text: str
    marks: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """By place of the utterance (the sentence is the last); an utterance without an entry was not looked at."""
    weak: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """Marks that teach the status alone."""


@dataclass
class Example:
    """The arrays of one row and what the network is to answer at each place."""

    sight: Sight
    tags: np.ndarray
    labels: np.ndarray
    statuses: np.ndarray


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a file."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def plain(text: str, marks: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """A text as the reader gets it, with its marks moved to where they stand there."""
    source = normalise(text)
    moved = []
    for mark in marks:
        places = [place for place, origin in enumerate(source.origin) if mark["start"] <= origin < mark["end"]]
        if places:
            start, end = places[0], places[-1] + 1
            moved.append({**mark, "start": start, "end": end, "mention": source.text[start:end]})
    return source.text, moved


def utterances(context: list[str]) -> tuple[Utterance, ...]:
    """``医生：在吗`` and the like as utterances."""
    said = []
    for line in context[-2:]:
        speaker, _, text = line.partition("：")
        said.append(
            Utterance(speaker=Speaker.DOCTOR if speaker == "医生" else Speaker.PATIENT, text=normalise(text).text)
        )
    return tuple(said)


def sentence_rows(rows: list[dict[str, Any]]) -> list[Row]:
    """The sentences of patients; what they said before is marked as well where it is a sentence of the same file."""
    known = {}
    for row in rows:
        text, marked = plain(row["text"], row["symptoms"])
        known[row["dialogue"], text] = marked
    read = []
    for row in rows:
        before = utterances(row["context"])
        text = normalise(row["text"]).text
        marks = {len(before): known[row["dialogue"], text]}
        for place, said in enumerate(before):
            if said.speaker is Speaker.PATIENT and (row["dialogue"], said.text) in known:
                marks[place] = known[row["dialogue"], said.text]
        read.append(Row(before, text, marks))
    return read


def question_rows(rows: list[dict[str, Any]]) -> list[Row]:
    """The doctors' questions with the patients' answers: what is asked is marked in the question."""
    read = []
    for row in rows:
        question = row["question"]
        marks, positions = [], defaultdict(int)
        for symptom in row["symptoms"]:
            mention = symptom["mention"]
            start = question.find(mention, positions[mention])
            if start >= 0:
                positions[mention] = start + len(mention)
                marks.append({**symptom, "start": start, "end": start + len(mention)})
        question, marks = plain(question, marks)
        said = Utterance(speaker=Speaker.DOCTOR, text=question)
        read.append(Row((said,), normalise("\n".join(row["answer"])).text, {0: marks}))
    return read


def weak_marks(rows: list[Row], dialogues: list[str], names: dict[str, str]) -> None:
    """Mark, where nobody has, the words of doctors for symptoms whose status the dialogue tells elsewhere.

    Such a mark teaches the status alone (``weak``): nobody has looked for all the symptoms of the utterance.
    """
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row, dialogue in zip(rows, dialogues, strict=True):
        for marks in row.marks.values():
            for mark in marks:
                told[dialogue, mark["name"]].add(mark["status"])
    finder = re.compile("|".join(re.escape(word) for word in sorted(names, key=len, reverse=True)))
    for row, dialogue in zip(rows, dialogues, strict=True):
        for place, said in enumerate(row.before):
            if place in row.marks or said.speaker is not Speaker.DOCTOR:
                continue
            found = []
            for match in finder.finditer(said.text):
                statuses = told.get((dialogue, names[match.group()]), set())
                if len(statuses) == 1:
                    found.append(
                        {
                            "mention": match.group(),
                            "start": match.start(),
                            "end": match.end(),
                            "name": names[match.group()],
                            "status": next(iter(statuses)),
                        }
                    )
            row.weak[place] = found


def count_words(rows: list[Row], labels: dict[str, int]) -> dict[str, WordCount]:
    """The words that stand for symptoms, with how often they do and stand there at all."""
    named: Counter[str] = Counter()
    by_label: dict[str, Counter[int]] = defaultdict(Counter)
    texts = []
    for row in rows:
        for place, marks in row.marks.items():
            texts.append(_utterance(row, place))
            for mark in marks:
                named[mark["mention"]] += 1
                by_label[mark["mention"]][labels[mark["name"]]] += 1
    everything = "\n".join(texts)
    return {
        word: WordCount(times, len(re.findall(re.escape(word), everything)), dict(by_label[word]))
        for word, times in named.items()
        if len(word) <= LONGEST_WORD
    }


def _utterance(row: Row, place: int) -> str:
    return row.text if place == len(row.before) else row.before[place].text


def example(row: Row, eye: Eye, labels: dict[str, int], learn: bool = True) -> Example:
    """The arrays of a row; to ``learn`` from it, it must not know its own words beforehand."""
    sight = eye.see(row.text, row.before, _own_words(row, labels) if learn else None)
    size = len(sight.characters)
    tags = np.full(size, UNLABELLED)
    names, statuses = np.full(size, UNLABELLED), np.full(size, UNLABELLED)
    starts = [start for start, _ in sight.before]
    for start in [*starts[1:], sight.offset] if starts else []:
        tags[start - 1] = 0
    for place, marks in (*row.marks.items(), *row.weak.items()):
        text = _utterance(row, place)
        if place == len(row.before):
            first, skipped, length = sight.offset, 0, min(len(text), MAX_SENTENCE)
        else:
            first, skipped = starts[place], max(0, len(text) - MAX_BEFORE)
            length = len(text) - skipped
        weak = place in row.weak
        if not weak:
            tags[first : first + length] = 0
        for mark in marks:
            start, end = mark["start"] - skipped, min(mark["end"] - skipped, length)
            if start < 0 or start >= end:
                continue
            statuses[first + start : first + end] = STATUSES.index(mark["status"])
            if not weak:
                tags[first + start : first + end] = 2
                tags[first + start] = 1
                names[first + start : first + end] = labels.get(mark["name"], UNLABELLED)
    return Example(sight, tags, names, statuses)


def _own_words(row: Row, labels: dict[str, int]) -> dict[str, WordCount]:
    """How often the row itself contributes to the counts."""
    own: dict[str, WordCount] = {}
    marks = [mark for some in row.marks.values() for mark in some]
    for mark in marks:
        count = own.get(mark["mention"], WordCount(0, 0))
        label = labels[mark["name"]]
        counted = {**count.labels, label: count.labels.get(label, 0) + 1}
        own[mark["mention"]] = WordCount(count.named + 1, count.seen + 1, counted)
    return own
