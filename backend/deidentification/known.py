"""What is known to name those of a case, found in a text however it is spaced, hyphenated or wide."""

import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from backend.deidentification.clinical_words import clinical_words
from backend.deidentification.rules import Kind, Span, span
from backend.deidentification.surnames import COMPOUND, TITLES

_NAME_FILLERS = frozenset("·•・‧.")
_NUMBER_FILLERS = frozenset("-‐‑–—_/.·()（）+*:：")
_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
_COUNTRY = "86"
_PARTS = re.compile(r"[^省市县区旗镇乡村]+(?:自治区|自治州|自治县|省|市|县|区|旗|镇|乡|村|街道)")
_SUFFIX = re.compile(r"(?:自治区|自治州|自治县|省|市|县|区|旗|镇|乡|村|街道)$")
_SHORTEST_STEM = 2
_BOUNDED = 5
"""Digits and Latin letters shorter than this go only where none stands beside them: 12 is not in 120."""


@dataclass(frozen=True)
class Identifiers:
    """What is known to name those of a case. Empty strings are passed over.

    Args:
        names: of patient, relatives, doctors, experts, whoever takes part.
        institutions, places: names, as written in the directory; parts of them (县, 镇) count by themselves.
        numbers: telephone and identity numbers, licences, numbers and ids of the case, its studies, reports; two
            characters at least.
    """

    names: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def find_known(text: str, known: Identifiers) -> Iterator[Span]:
    """Give where `text` holds any of what is known."""
    words = _Skeleton(text, _NAME_FILLERS)
    for name in _distinct(known.names):
        yield from words.find(name, Kind.NAME, bounded=len(name) < _BOUNDED)
        yield from _surname_with_title(text, name)
    for given in _distinct(filter(None, map(_given, known.names))):
        yield from words.find(given, Kind.NAME)
    for institution in _distinct(known.institutions):
        yield from words.find(institution, Kind.INSTITUTION)
    for place in _distinct(part for whole in (*known.places, *known.institutions) for part in _parts(whole)):
        yield from words.find(place, Kind.PLACE)
    for place in _distinct(known.places):
        yield from words.find(place, Kind.PLACE)
    if known.numbers:
        long, short = _Skeleton(text, _NUMBER_FILLERS, _digits), _Skeleton(text, frozenset(), _digits)
        for number in _distinct(variant for one in known.numbers for variant in _variants(one)):
            if len(number) < _BOUNDED:
                yield from short.find(number, Kind.NUMBER, bounded=True)
            else:
                yield from long.find(number, Kind.NUMBER)


class _Skeleton:
    """A text without what may stand between the letters of a name or number, in one width and case.

    `letters[i]` came from the character at `origins[i]` of the text.
    """

    def __init__(self, text: str, fillers: frozenset[str], fold: Callable[[str], str] = str) -> None:
        self._fillers, self._fold = fillers, fold
        letters: list[str] = []
        self._origins: list[int] = []
        for position, character in enumerate(text):
            for letter in self._letters(character):
                letters.append(letter)
                self._origins.append(position)
        self.letters = "".join(letters)

    def find(self, wanted: str, kind: Kind, *, bounded: bool = False) -> Iterator[Span]:
        """Give where `wanted` stands; `bounded`: only where no letter or digit stands directly beside it."""
        letters = "".join(letter for character in wanted for letter in self._letters(character))
        if not letters:
            return
        start = self.letters.find(letters)
        while start >= 0:
            end = start + len(letters)
            if not (bounded and (self._joins(start) or self._joins(end))):
                yield span(self._origins[start], self._origins[end - 1] + 1, kind)
            start = self.letters.find(letters, start + 1)

    def find_any(self, wanted: Mapping[int, Container[str]], kind: Kind) -> Iterator[Span]:
        """Give where any of `wanted`, by its length, stands; short ones of Latin letters only as whole words."""
        for length, known in wanted.items():
            for start in range(len(self.letters) - length + 1):
                end = start + length
                if self.letters[start:end] not in known:
                    continue
                if length >= _BOUNDED or not (self._joins(start) or self._joins(end)):
                    yield span(self._origins[start], self._origins[end - 1] + 1, kind)

    def _joins(self, edge: int) -> bool:
        """Tell whether letters or digits of one word stand on both sides of an edge."""
        if not 0 < edge < len(self._origins) or self._origins[edge] - self._origins[edge - 1] > 1:
            return False
        return all(one.isascii() and one.isalnum() for one in self.letters[edge - 1 : edge + 1])

    def _letters(self, character: str) -> Iterator[str]:
        for letter in unicodedata.normalize("NFKC", character).casefold():
            if not letter.isspace() and letter not in self._fillers and unicodedata.category(letter) != "Cf":
                yield self._fold(letter)


def _digits(letter: str) -> str:
    return letter.translate(_DIGITS)


def _surname(name: str) -> str:
    stripped = "".join(name.split())
    return stripped[:2] if stripped[:2] in COMPOUND else stripped[:1]


def _given(name: str) -> str:
    """Give the given name where it is long enough to be nobody else's word by chance, else nothing."""
    stripped = "".join(name.split())
    given = stripped.removeprefix(_surname(stripped))
    return given if len(given) >= _SHORTEST_STEM and _is_chinese(given) else ""


def _surname_with_title(text: str, name: str) -> Iterator[Span]:
    surname = _surname(name)
    if not surname or not _is_chinese(surname):
        return
    for found in re.finditer(rf"[老小阿]?{surname}\s*(?:{TITLES})|[老小阿]{surname}", text):
        yield span(*found.span(), Kind.NAME)


def _is_chinese(text: str) -> bool:
    return bool(re.fullmatch(r"[㐀-鿿]+", text))


def _parts(place: str) -> Iterator[str]:
    for part in _PARTS.findall(place):
        yield part
        stem = _SUFFIX.sub("", part)
        if len(stem) >= _SHORTEST_STEM:
            yield stem


def _variants(number: str) -> Iterator[str]:
    yield number
    digits = "".join(character for character in number if character.isalnum())
    if len(digits) > len(_COUNTRY) + 10 and digits.startswith(_COUNTRY):
        yield digits.removeprefix(_COUNTRY)


def _distinct(values: Iterable[str]) -> list[str]:
    return sorted({value for value in values if value.strip()}, key=lambda value: (-len(value), value))


class Directory:
    """What names many people, found in a text in a time that hangs from the text alone.

    Names of one character are passed over, and those that are words of medicine: 帕金森 is also a disease.

    Args:
        names: of people. numbers: of any kind, with digits or Latin letters. places: addresses.
    """

    def __init__(self, names: Iterable[str], numbers: Iterable[str], places: Iterable[str]) -> None:
        self._names = _by_length((*names, *places), _NAME_FILLERS, str)
        self._numbers = _by_length(numbers, _NUMBER_FILLERS, _digits)

    def __contains__(self, text: str) -> bool:
        """Tell whether a text holds any of it."""
        return next(self.find(text), None) is not None

    def find(self, text: str) -> Iterator[Span]:
        """Give where `text` holds any of it."""
        yield from _Skeleton(text, _NAME_FILLERS).find_any(self._names, Kind.NAME)
        yield from _Skeleton(text, _NUMBER_FILLERS, _digits).find_any(self._numbers, Kind.NUMBER)


def _by_length(values: Iterable[str], fillers: frozenset[str], fold: Callable[[str], str]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for value in values:
        letters = _Skeleton(value, fillers, fold).letters
        if len(letters) > 1 and value.strip() not in clinical_words():
            found.setdefault(len(letters), set()).add(letters)
    return found
