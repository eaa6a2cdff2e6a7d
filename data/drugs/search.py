"""Finding names as people type them: whole or in part, by pinyin or its initials, or with a slip."""

import re
import unicodedata
from collections import defaultdict
from functools import cache

from data.sounds import pinyin, readings

_LATIN = re.compile(r"[a-z][a-z0-9]*")
_Spelt = tuple[tuple[str, ...], ...]
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
        self._codes: dict[str, list[str]] = {}
        self._order: dict[str, int] = {}
        self._spelt: dict[str, _Spelt] = {}
        self._begins: dict[str, list[tuple[str, int]]] = defaultdict(list)

    def add(self, name: str, code: str) -> None:
        """Let `name` stand for `code` too."""
        name = folded(name)
        self._order.setdefault(code, len(self._order))
        if name in self._codes:
            if code not in self._codes[name]:
                self._codes[name].append(code)
            return
        self._codes[name] = [code]
        self._spelt[name] = tuple(sounds(character) for character in name)
        for place, heard in enumerate(self._spelt[name]):
            for letter in {sound[0] for sound in heard}:
                self._begins[letter].append((name, place))

    def called(self, name: str) -> tuple[str, ...]:
        """The codes of exactly this name."""
        return tuple(self._codes.get(folded(name), ()))

    def search(self, text: str, limit: int) -> list[str]:
        """The codes whose names fit `text`, the closest first; the nearest names' where none fits."""
        wanted = folded(text)
        if not wanted or limit <= 0:
            return []
        ranks = self._ranked(wanted)
        if not ranks:
            ranks = self._misspelt(wanted) if _LATIN.fullmatch(wanted) else self._nearest(wanted)
        best: dict[str, tuple[float, int, int]] = {}
        for name, rank in ranks.items():
            for code in self._codes[name]:
                key = (rank, len(name), self._order[code])
                best[code] = min(best.get(code, key), key)
        return sorted(best, key=best.__getitem__)[:limit]

    def _ranked(self, wanted: str) -> dict[str, float]:
        """Names that fit: whole, beginning, pinyin from the beginning, a part, pinyin of a part."""
        ranks: dict[str, float] = {}
        if _LATIN.fullmatch(wanted):
            for name, place in self._begins[wanted[0]]:
                if (place == 0 or len(wanted) > 1) and _spells(wanted, self._spelt[name][place:]):
                    rank = 5 if place else 2 if len(wanted) == len(name) else 3
                    ranks[name] = min(ranks.get(name, rank), rank)
        for name in self._codes:
            if wanted in name:
                ranks[name] = min(ranks.get(name, 4), 0 if wanted == name else 1 if name.startswith(wanted) else 4)
        return ranks

    def _nearest(self, wanted: str) -> dict[str, float]:
        """Names that sound, look or are spelt nearly so."""
        reach = max(_NEAR * 2, len(wanted) / 4)
        return _closest(
            {name: _distance(wanted, name, reach) for name in self._codes if abs(len(name) - len(wanted)) <= reach},
            reach,
        )

    def _misspelt(self, wanted: str) -> dict[str, float]:
        """Names whose whole pinyin is nearly so."""
        reach = len(wanted) / 5
        spelt = {name: "".join(heard[0] for heard in self._spelt[name]) for name in self._codes}
        return _closest(
            {
                name: _distance(wanted, one, reach)
                for name, one in spelt.items()
                if abs(len(one) - len(wanted)) <= reach
            },
            reach,
        )


def _closest(distances: dict[str, float], reach: float) -> dict[str, float]:
    near = {name: distance for name, distance in distances.items() if distance <= reach}
    return {name: distance for name, distance in near.items() if distance <= min(near.values()) + _NEAR}


def _spells(letters: str, spelt: _Spelt) -> bool:
    """Whether the letters are the beginning of the sounds in pinyin, its initials, or a mixture."""
    if not letters:
        return True
    if not spelt:
        return False
    for sound in spelt[0]:
        if sound.startswith(letters) or (letters.startswith(sound) and _spells(letters[len(sound) :], spelt[1:])):
            return True
        if letters[0] == sound[0] and _spells(letters[1:], spelt[1:]):
            return True
    return False


def sounds(character: str) -> tuple[str, ...]:
    """The pinyin of a character, without tones; what has none, a digit say, sounds like itself."""
    return _RARE.get(character) or pinyin().get(character, (character,))


def _distance(typed: str, name: str, reach: float) -> float:
    """Levenshtein's distance, where a slip of sound or shape counts less than another character.

    Once it is beyond `reach` it is not reckoned further.
    """
    before = [float(column) for column in range(len(name) + 1)]
    for row, one in enumerate(typed, 1):
        now = [float(row)]
        for column, other in enumerate(name, 1):
            now.append(min(before[column] + 1, now[column - 1] + 1, before[column - 1] + _cost(one, other)))
        before = now
        if min(now) > reach:
            break
    return max(before[-1], min(before))


@cache
def _heard(character: str) -> frozenset[str]:
    return frozenset(readings().get(character, ()))


def _cost(one: str, other: str) -> float:
    if one == other:
        return 0
    return _NEAR if _heard(one) & _heard(other) else 1
