"""Slips in the names of drugs, diseases, symptoms and examinations: 阿莫西令, 布洛分, 拉肚仔.

A stretch of text is read as a word of the dictionary where it sounds the same (or its odd characters look the same), is
right in at least half of its characters, and makes no sense by itself. Only words of three characters or more are
restored: two sound too much like too many others, those slips are synonyms of the words themselves (咳漱).
"""

from collections.abc import Callable, Iterable
from itertools import islice, product

from data.sounds import readings

_SHORTEST, _LONGEST = 3, 8
_MOST_READINGS = 8
_WORD_REACH = 2
_NUMERALS = frozenset("一二三四五六七八九十百千两半几")
_NONE: frozenset[int] = frozenset()
_FUNCTION_CHARACTERS = frozenset(
    "的了是有不没在要也就都和吗呢吧啊呀哦又还很太再会能可去来到过得地着给让被把跟与及或但如若因为么这那哪谁我你他她它们个只"
    "些点上下里外前后左右大小多少高低好坏一二三四五六七八九十百千几半两天年月日时吃喝用做看说想问叫"
)
"""Characters that stand for themselves so often that they are no slip: 感冒要吃药 asks for no 感冒药."""
_NO_SLIPS = _FUNCTION_CHARACTERS | frozenset("炎癌瘤病症痛疼血毒疮术")
"""Nor are those a slip that say what kind of illness it is: 内膜炎 is never to become 内膜癌."""


class Typos:
    """The words that may be meant, by their sound. Building it takes some 50 ms, a sentence some 30 µs."""

    def __init__(self, words: Iterable[str], is_word: Callable[[str], bool]) -> None:
        """``words`` are the right ones; ``is_word`` tells whether a stretch of text is a word of the language."""
        self._is_word = is_word
        self._readings = readings()
        self._words = frozenset(words)
        self._by_sound: dict[tuple[str, ...], str] = {}
        self._lengths: dict[tuple[str, str], set[int]] = {}
        for word in sorted(self._words):
            if _SHORTEST <= len(word) <= _LONGEST and _FUNCTION_CHARACTERS.isdisjoint(word):
                self._add(word)

    def _add(self, word: str) -> None:
        for sounds in self._sounds(word):
            self._by_sound.setdefault(sounds, word)
            self._lengths.setdefault((sounds[0], sounds[1]), set()).add(len(word))

    def _sounds(self, word: str) -> Iterable[tuple[str, ...]]:
        """The ways to read a word; none where it has a character of no known sound."""
        return islice(product(*(self._readings.get(character, ()) for character in word)), _MOST_READINGS)

    def restored(self, text: str) -> str:
        """``text`` with the slips restored, as long as it was."""
        sounds = [self._readings.get(character, ()) for character in text]
        position = 0
        while position <= len(text) - _SHORTEST:
            lengths = self._possible_lengths(sounds[position], sounds[position + 1])
            meant = self._meant(text, position, lengths) if lengths else None
            if meant is None:
                position += 1
            else:
                text = text[:position] + meant + text[position + len(meant) :]
                position += len(meant)
        return text

    def _possible_lengths(self, first: tuple[str, ...], second: tuple[str, ...]) -> set[int]:
        """How long the words are that begin with these sounds."""
        lengths: set[int] = set()
        for one in first:
            for other in second:
                lengths |= self._lengths.get((one, other), _NONE)
        return lengths

    def _meant(self, text: str, position: int, lengths: set[int]) -> str | None:
        """The word that was meant at ``position``, right or not; ``None`` where none was."""
        for length in sorted(lengths, reverse=True):
            written = text[position : position + length]
            if written in self._words:
                return written
            for sounds in self._sounds(written):
                word = self._by_sound.get(sounds)
                if word is not None and self._is_slip(text, position, word):
                    return word
        return None

    def _is_slip(self, text: str, position: int, word: str) -> bool:
        """Whether the characters that differ from ``word`` are few, no function words, and make no sense there."""
        odd = [position + place for place, character in enumerate(word) if text[position + place] != character]
        if len(odd) == 1 and self._is_whole_without(text[position : position + len(word)], odd[0] - position):
            return False
        if 2 * len(odd) > len(word) or any(text[place] in _NO_SLIPS for place in odd):
            return False
        return not any(self._makes_sense(text, place) for place in odd)

    def _is_whole_without(self, written: str, place: int) -> bool:
        """Whether the stretch is a right word beside its odd first or last character: 治气管炎 is no 支气管炎."""
        rest = written[1:] if place == 0 else written[:-1] if place == len(written) - 1 else ""
        return bool(rest) and (rest in self._words or self._is_word(rest))

    def _makes_sense(self, text: str, place: int) -> bool:
        """Whether the character at ``place`` is part of a word, within the stretch or across its ends.

        Not so a word with a number in it: in 布洛分两片 the 两 counts the tablets.
        """
        return any(
            self._is_word(text[start:end]) and _NUMERALS.isdisjoint(text[start:end])
            for start in range(max(0, place - _WORD_REACH), place + 1)
            for end in range(max(place + 1, start + 2), min(len(text), place + _WORD_REACH + 1) + 1)
        )
