"""Finding names as people type them: whole or in part, by pinyin or its initials, or with a slip."""

import re
import unicodedata
from collections import defaultdict
from functools import cache

from data.sounds import pinyin, readings

_LATIN = re.compile(r"[a-z]+")
_RARE = {"䓬": ("zhuo",), "噁": ("e",)}
"""Characters of medicines' names outside GB 2312, and their sounds."""
_NEAR = 0.34
"""A slip of sound or shape costs this; a wrong character 1."""


def folded(text: str) -> str:
    """The text as names are compared: full width to half, small letters, without blanks."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


class Names:
    """Names, and the codes that each stands for, in the order in which they were added."""

    def __init__(self) -> None:
        self._codes: dict[str, list[str]] = defaultdict(list)
        self._order: dict[str, int] = {}

    def add(self, name: str, code: str) -> None:
        """Let `name` stand for `code` too."""
        if code not in self._codes[folded(name)]:
            self._codes[folded(name)].append(code)
        self._order.setdefault(code, len(self._order))

    def called(self, name: str) -> tuple[str, ...]:
        """The codes of exactly this name."""
        return tuple(self._codes.get(folded(name), ()))

    def search(self, text: str, limit: int) -> list[str]:
        """The codes whose names fit `text`, the closest first; the nearest names' where none fits."""
        wanted = folded(text)
        if not wanted or limit <= 0:
            return []
        ranks = {name: rank for name in self._codes if (rank := _rank(name, wanted)) is not None}
        if not ranks and not _LATIN.fullmatch(wanted):
            ranks = self._nearest(wanted)
        best: dict[str, tuple[float, int, int]] = {}
        for name, rank in ranks.items():
            for code in self._codes[name]:
                key = (rank, len(name), self._order[code])
                best[code] = min(best.get(code, key), key)
        return sorted(best, key=best.__getitem__)[:limit]

    def _nearest(self, wanted: str) -> dict[str, float]:
        reach = max(_NEAR * 2, len(wanted) / 4)
        near = {
            name: distance
            for name in self._codes
            if abs(len(name) - len(wanted)) <= reach and (distance := _distance(wanted, name)) <= reach
        }
        return {name: distance for name, distance in near.items() if distance <= min(near.values()) + _NEAR}


def _rank(name: str, wanted: str) -> float | None:
    if wanted == name:
        return 0
    if name.startswith(wanted):
        return 1
    if _LATIN.fullmatch(wanted):
        if _spells(wanted, name):
            return 2 if len(wanted) == len(name) else 3
        if any(_spells(wanted, name[start:]) for start in range(1, len(name))) and len(wanted) > 1:
            return 5
    return 4 if wanted in name else None


def _spells(letters: str, name: str) -> bool:
    """Whether the letters are the beginning of the name in pinyin, its initials, or a mixture."""
    if not letters:
        return True
    if not name:
        return False
    for sound in sounds(name[0]):
        if sound.startswith(letters) or (letters.startswith(sound) and _spells(letters[len(sound) :], name[1:])):
            return True
        if letters[0] == sound[0] and _spells(letters[1:], name[1:]):
            return True
    return False


def sounds(character: str) -> tuple[str, ...]:
    """The pinyin of a character, without tones; what has none, a digit say, sounds like itself."""
    return _RARE.get(character) or pinyin().get(character, (character,))


def _distance(typed: str, name: str) -> float:
    """Levenshtein's distance, where a slip of sound or shape counts less than another character."""
    before = [float(column) for column in range(len(name) + 1)]
    for row, one in enumerate(typed, 1):
        now = [float(row)]
        for column, other in enumerate(name, 1):
            now.append(min(before[column] + 1, now[column - 1] + 1, before[column - 1] + _cost(one, other)))
        before = now
    return before[-1]


@cache
def _heard(character: str) -> frozenset[str]:
    return frozenset(readings().get(character, ()))


def _cost(one: str, other: str) -> float:
    if one == other:
        return 0
    return _NEAR if _heard(one) & _heard(other) else 1
