"""Word boundaries by jieba with the medical words added."""

import importlib
import logging
import warnings
from collections.abc import Iterable
from functools import cached_property
from typing import IO, Any

with warnings.catch_warnings():
    # jieba 0.42.1 has invalid escapes in its source and imports pkg_resources: both warn, neither concerns us.
    warnings.simplefilter("ignore")
    # Imported by name because it has no types at all.
    jieba: Any = importlib.import_module("jieba")

logging.getLogger("jieba").setLevel(logging.WARNING)

_WORD_FREQUENCY = 20_000
_RARE = 4


class Segmenter:
    """Cuts normalised text into words. Building it takes some tenths of a second and writes nothing to disk."""

    def __init__(self, words: Iterable[str]) -> None:
        """Take jieba's dictionary and add ``words`` to it."""
        self._tokenizer = jieba.Tokenizer()
        self._tokenizer.FREQ, self._tokenizer.total = _dictionary(self._tokenizer.get_dict_file())
        self._tokenizer.initialized = True
        for word in words:
            self._tokenizer.add_word(word, freq=_WORD_FREQUENCY)

    def words(self, text: str) -> list[str]:
        """The words of ``text`` in order; joined they are ``text`` again."""
        return list(self._tokenizer.cut(text))

    def is_word(self, text: str) -> bool:
        """Whether the dictionary holds ``text`` as a word."""
        return bool(self._tokenizer.FREQ.get(text))


class WordBounds:
    """Where the dictionary words of several characters lie in a text; it is cut into words only if asked."""

    def __init__(self, segmenter: Segmenter, text: str) -> None:
        """Look at nothing yet."""
        self._segmenter = segmenter
        self._text = text

    def is_free(self, position: int) -> bool:
        """Whether the single character at ``position`` stands by itself."""
        return position not in self._bound

    def splits_word(self, start: int, end: int) -> bool:
        """Whether ``text[start:end]`` begins or ends in the middle of a word."""
        word_of = self._bound
        return any(
            0 < edge < len(self._text) and edge in word_of and word_of[edge] == word_of.get(edge - 1)
            for edge in (start, end)
        )

    @cached_property
    def _bound(self) -> dict[int, int]:
        """For each position inside a word of several characters, where that word begins."""
        bound: dict[int, int] = {}
        start = 0
        for word in self._segmenter.words(self._text):
            if len(word) > 1 and self._segmenter.is_word(word):
                bound.update(dict.fromkeys(range(start, start + len(word)), start))
            start += len(word)
        return bound


def _dictionary(file: IO[bytes]) -> tuple[dict[str, int], int]:
    """The word frequencies of jieba's dictionary with an entry 0 for every beginning of a word, and their sum.

    jieba's own reader keeps the rare half as well and takes three times as long; it also leaves a cache of marshalled
    data under a predictable name in the shared temporary folder, which anyone there could replace.
    """
    frequencies: dict[str, int] = {}
    total = 0
    with file:
        lines = file.read().decode("utf-8").splitlines()
    for line in lines:
        word, frequency_text, _tag = line.split(" ")
        frequency = int(frequency_text)
        if frequency < _RARE:
            continue
        frequencies[word] = frequency
        total += frequency
        for end in range(1, len(word)):
            frequencies.setdefault(word[:end], 0)
    return frequencies, total
