"""One form for every text: half width, simplified characters, lower case, with the way back to the original offsets."""

import importlib
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

MAX_CHARACTERS = 700
"""What is looked at of one message; WeChat cuts texts at 2 048 bytes: 682 Chinese characters.

Who pastes more is read up to here, so that one message never keeps the others waiting."""

# Control, format and combining characters say nothing to us.
_IGNORED = {"Cc", "Cf", "Cs", "Mn", "Me"}
_SPACES = {"Zs", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Normalised:
    """Normalised ``text``; character ``i`` of it comes from character ``origin[i]`` of the original."""

    text: str
    original: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The offsets in the original of ``text[start:end]`` (not empty)."""
        return self.origin[start], self.origin[end - 1] + 1


def normalise(original: str) -> Normalised:
    """``original`` in half width, simplified and lower case, without control characters; long texts are cut."""
    characters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(original[:MAX_CHARACTERS]):
        for simple in _plain(character):
            characters.append(simple)
            origin.append(index)
    text = "".join(characters)
    simplified = _simplify(text)
    return Normalised(simplified, original, tuple(origin))


_PLAIN: dict[str, str] = {}
_PLAIN_LIMIT = 20_000


def _plain(character: str) -> str:
    """The characters that stand for one character of input: none for a control character, several for a ligature."""
    known = _PLAIN.get(character)
    if known is None:
        known = _compute_plain(character)
        if len(_PLAIN) < _PLAIN_LIMIT:
            _PLAIN[character] = known
    return known


def _compute_plain(character: str) -> str:
    if character in "\n\r\t":
        return " "
    parts: list[str] = []
    for part in unicodedata.normalize("NFKC", character):
        category = unicodedata.category(part)
        if category in _SPACES:
            parts.append(" ")
        elif category not in _IGNORED:
            parts.append(part.lower() if len(part.lower()) == 1 else part)
    return "".join(parts)


@cache
def _traditional() -> tuple[Any, dict[int, str]]:
    """The converter, and a table of the single characters that it changes."""
    converter = importlib.import_module("opencc").OpenCC("t2s")
    table: dict[int, str] = {}
    for _longest, _shortest, words in converter.dict_cache.values():
        for traditional, candidates in words.items():
            if len(traditional) == 1:
                table[ord(traditional)] = candidates.split()[0]
    return converter, table


_LONGEST_BY_PHRASE = 500
"""Looking for phrases takes time; in a longer text a rare character that depends on its phrase changes nothing."""


def _simplify(text: str) -> str:
    """Simplified characters, as many as there were; by phrase where that keeps the length, else by character."""
    converter, table = _traditional()
    by_character = text.translate(table)
    if by_character == text:
        return text
    if len(text) > _LONGEST_BY_PHRASE:
        return by_character
    by_phrase: str = converter.convert(text)
    return by_phrase if len(by_phrase) == len(text) else by_character
