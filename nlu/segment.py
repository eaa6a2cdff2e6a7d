"""Word boundaries by jieba with the medical words added."""

from collections.abc import Iterable
from functools import cached_property

from data.dictionary import tokenizer

_WORD_FREQUENCY = 20_000


class Segmenter:
    """Cuts normalised text into words. Building it takes some tenths of a second and writes nothing to disk."""

    def __init__(self, words: Iterable[str]) -> None:
        """Take jieba's dictionary and add ``words`` to it."""
        self._tokenizer = tokenizer()
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
