"""What the reader sees of a sentence: numbers for its characters, their neighbours, known words and temperatures.

Training and running share this file, so that a sentence looks the same to both. Every array has one entry for each
character of what was said before (each utterance closed by a separator) and then of the sentence itself.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nlu.types import Speaker, Utterance

PADDING, UNKNOWN, SEPARATOR = 0, 1, 2
"""The characters that are none."""

FIRST_CHARACTER = 3
SPEAKERS = {Speaker.DOCTOR: 1, Speaker.PATIENT: 2}
SENTENCE = 3
"""The sentence itself; 1 and 2 are what doctor and patient said before."""

MAX_SENTENCE = 200
MAX_BEFORE = 60
"""How many characters are read: of the sentence from its beginning, of each utterance before it the last ones."""

BIGRAMS, TRIGRAMS = 12289, 24593
"""How many rows the tables of neighbouring characters have; what falls into one row shares it."""

RATES = (0.15, 0.4, 0.7, 0.9)
"""Known words are told apart by how often, where they stand, they do stand for a symptom."""

_TEMPERATURE = re.compile(
    r"(?<![\d.])(?P<whole>3[5-9]|4[0-2])(?:\s?(?:[.。,·*]|度|°[cC]?|℃)?\s?(?P<tenth>\d)(?!\d))?(?![\d])"
)
_HEAT = (37.25, 38.05, 39.05)
"""Up to 38 °C is low, up to 39 °C moderate fever (诊断学, 人民卫生出版社)."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class WordCount:
    """How often a word stood for a symptom and stood there at all, and which symptoms it stood for."""

    named: int
    seen: int
    labels: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Sight:
    """The arrays of one reading; ``offset`` is where the sentence begins in them, ``texts`` what they were made of."""

    characters: Integers
    bigrams: Integers
    trigrams: Integers
    speakers: Integers
    words: Integers
    word_labels: Integers
    terms: Integers
    heat: Integers
    offset: int
    before: tuple[tuple[int, str], ...]

    def inputs(self) -> dict[str, npt.NDArray[np.int64]]:
        """The arrays by the names of the network's inputs."""
        return {name: getattr(self, name) for name in INPUTS}


INPUTS = ("characters", "bigrams", "trigrams", "speakers", "words", "word_labels", "terms", "heat")
WORD_KINDS = 1 + (len(RATES) + 1) * 4
HEATS = 1 + len(_HEAT) + 1


class Eye:
    """Turns text into arrays.

    ``characters`` are the known ones in order, ``words`` the words that stood for symptoms in what was learnt from,
    ``terms`` the words of the product's own lexicon, each with a number of what it means.
    """

    def __init__(self, characters: Sequence[str], words: dict[str, WordCount], terms: dict[str, int]) -> None:
        self._ids = {character: FIRST_CHARACTER + index for index, character in enumerate(characters)}
        self._words, self._word_lengths = words, _lengths(words)
        self._terms, self._term_lengths = terms, _lengths(terms)

    def see(self, text: str, before: Sequence[Utterance], forgotten: dict[str, WordCount] | None = None) -> Sight:
        """The arrays for ``text`` after ``before``.

        ``forgotten`` is what is subtracted from the counts of the words: in training a sentence must not find the
        words that are known from itself alone.
        """
        parts = [(SPEAKERS[one.speaker], one.text[-MAX_BEFORE:]) for one in before[-2:]]
        parts.append((SENTENCE, text[:MAX_SENTENCE]))
        size = sum(len(part) for _, part in parts) + len(parts) - 1
        arrays = np.zeros((6, size), dtype=np.int64)
        offset, starts = 0, []
        for speaker, part in parts:
            starts.append(offset)
            end = offset + len(part)
            arrays[0, offset:end] = [self._ids.get(character, UNKNOWN) for character in part]
            arrays[1, offset : end + 1] = speaker
            self._mark_words(part, forgotten or {}, arrays[2, offset:end], arrays[3, offset:end])
            self._mark_terms(part, arrays[4, offset:end])
            _mark_heat(part, arrays[5, offset:end])
            if speaker != SENTENCE:
                arrays[0, end] = SEPARATOR
            offset = end + 1
        characters = arrays[0]
        following = np.append(characters[1:], PADDING)
        preceding = np.append(PADDING, characters[:-1])[:size]
        return Sight(
            characters=characters,
            bigrams=_hashed(BIGRAMS, characters, following),
            trigrams=_hashed(TRIGRAMS, preceding, characters, following),
            speakers=arrays[1],
            words=arrays[2],
            word_labels=arrays[3],
            terms=arrays[4],
            heat=arrays[5],
            offset=starts[-1],
            before=tuple(zip(starts[:-1], (part for _, part in parts[:-1]), strict=True)),
        )

    def _mark_words(self, text: str, forgotten: dict[str, WordCount], words: Any, labels: Any) -> None:
        """Write which known words stand where, the longest first from the left."""
        position = 0
        while position < len(text):
            step = 1
            for length in self._word_lengths.get(text[position], ()):
                count = self._words.get(text[position : position + length])
                if count is None or position + length > len(text):
                    continue
                count = _less(count, forgotten.get(text[position : position + length]))
                if count.named > 0:
                    words[position : position + length] = _kinds(length, count.named / max(count.seen, count.named))
                    labels[position : position + length] = 1 + max(count.labels, key=lambda key: count.labels[key])
                    step = length
                    break
            position += step

    def _mark_terms(self, text: str, numbers: Any) -> None:
        """Write which words of the lexicon stand where, the longest first from the left."""
        position = 0
        while position < len(text):
            step = 1
            for length in self._term_lengths.get(text[position], ()):
                number = self._terms.get(text[position : position + length])
                if number is not None and position + length <= len(text):
                    numbers[position : position + length] = number
                    step = length
                    break
            position += step


def _lengths(words: Iterable[str]) -> dict[str, list[int]]:
    """By first character: how long the words are that begin with it, the longest first."""
    lengths: dict[str, set[int]] = {}
    for word in words:
        lengths.setdefault(word[0], set()).add(len(word))
    return {first: sorted(some, reverse=True) for first, some in lengths.items()}


def _less(count: WordCount, forgotten: WordCount | None) -> WordCount:
    if forgotten is None:
        return count
    labels = {label: times - forgotten.labels.get(label, 0) for label, times in count.labels.items()}
    return WordCount(count.named - forgotten.named, count.seen - forgotten.seen, labels)


def _kinds(length: int, rate: float) -> list[int]:
    """Single, first, inner and last characters, each told apart by the rate."""
    base = 1 + 4 * sum(rate >= limit for limit in RATES)
    return [base] if length == 1 else [base + 1, *[base + 2] * (length - 2), base + 3]


def has_temperature(text: str) -> bool:
    """Whether a body temperature stands in ``text``."""
    return _TEMPERATURE.search(text) is not None


def _mark_heat(text: str, heat: Any) -> None:
    """Write where a body temperature stands and how high it is."""
    for match in _TEMPERATURE.finditer(text):
        degrees = int(match["whole"]) + int(match["tenth"] or 0) / 10
        heat[match.start() : match.end()] = 1 + sum(degrees >= limit for limit in _HEAT)


def _hashed(rows: int, *neighbours: Integers) -> Integers:
    """One row number for each place, 0 for none, from the characters there."""
    mixed = np.zeros(len(neighbours[0]), dtype=np.int64)
    for characters in neighbours:
        mixed = mixed * 4099 + characters
    return mixed * 2654435761 % 4294967291 % (rows - 1) + 1
