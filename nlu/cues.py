"""Finds the words that point to a direction: the longest at each place, none that is denied."""

from functools import cache

from data.directions import directions
from nlu.lexicon import MOST_MATCHES
from nlu.status import assess_status
from nlu.types import Cue, Status

STRENGTHS = {"decisive": 4.0, "strong": 2.2, "usual": 1.0, "faint": 0.4}
"""What a word of each strength adds to the logarithm of a direction's odds, before calibration."""

_LIKE = 0.6
_SINGLE = 0.4
"""A single character (胃, 眼) stands in many words that have nothing to do with it."""


def find_cues(text: str, judged: str) -> tuple[Cue, ...]:
    """The cues in normalised ``text``, each once, in the order of the text.

    ``judged`` is the same text in which whether a place is denied is looked up: it may have words blanked that would
    mislead (the 不 in 消化不良). What is asked or feared (是不是甲亢) still tells which doctor is meant.
    """
    found: dict[str, None] = {}
    for start, end in _spans(text)[:MOST_MATCHES]:
        word = text[start:end]
        if word not in found and assess_status(judged, start, end).status is not Status.NEGATIVE:
            found[word] = None
    return tuple(Cue(word=word) for word in found)


@cache
def cue_weights() -> dict[str, dict[str, float]]:
    """For every cue what it adds to each direction."""
    weights: dict[str, dict[str, float]] = {}
    for direction in directions().values():
        for strength, words in direction.cues.items():
            for word in words:
                weights.setdefault(word, {})[direction.code] = STRENGTHS[strength] * _share(word)
    for direction in directions().values():
        for other in direction.like:
            for strength, words in directions()[other].cues.items():
                for word in words:
                    weights[word].setdefault(direction.code, STRENGTHS[strength] * _share(word) * _LIKE)
    return weights


def _share(word: str) -> float:
    return _SINGLE if len(word) == 1 else 1.0


@cache
def _lengths() -> dict[str, tuple[int, ...]]:
    """For every first character the lengths of the cues that begin with it, longest first."""
    lengths: dict[str, set[int]] = {}
    for word in cue_weights():
        lengths.setdefault(word[0], set()).add(len(word))
    return {first: tuple(sorted(some, reverse=True)) for first, some in lengths.items()}


def _spans(text: str) -> list[tuple[int, int]]:
    """The places of cues, none overlapping, of those that overlap the longest, in order."""
    candidates = [span for start in range(len(text)) if (span := _longest_at(text, start)) is not None]
    kept: list[tuple[int, int]] = []
    taken = bytearray(len(text))
    for start, end in sorted(candidates, key=lambda span: (span[0] - span[1], span[0])):
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            kept.append((start, end))
    return sorted(kept)


def _longest_at(text: str, start: int) -> tuple[int, int] | None:
    weights = cue_weights()
    for length in _lengths().get(text[start], ()):
        end = start + length
        if text[start:end] in weights and _stands_alone(text, start, end):
            return start, end
    return None


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no Latin word or number goes on over either end: nt is an examination, the nt of "want" is none."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not ((_is_latin(before) and _is_latin(text[start])) or (_is_latin(after) and _is_latin(text[end - 1])))


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
