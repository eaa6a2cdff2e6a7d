"""A message as the numbers that the model of intents reads: its characters, its shape, what the rules found in it."""

import re
import unicodedata
import zlib
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from nlu.intent_rules import Signs, is_medical, rule_intent
from nlu.types import Context, Intent, Slot, YesNo

BUCKETS = 1 << 14
"""How many numbers stand for pieces of text; pieces that share one by chance are told apart by their neighbours."""

_READ = 200
"""Characters looked at: whoever writes more tells of the case, and that is found by other means."""
_LONGEST_PIECE = 3
_LONGEST_SHAPE = 4
_LONGEST_RUN = 3
_SHAPES = "HLDPO"
_HAN_APART = re.compile(r"(?:(?<=^[\u4e00-\u9fff])|(?<= [\u4e00-\u9fff])) (?=[\u4e00-\u9fff](?: |[^\u4e00-\u9fff]|$))")
"""The space between characters that are written one by one: 我 要 挂 号."""
_WORD = re.compile(r"[a-zA-Z]+|[0-9]+")

NAMES = (
    *(f"named:{intent}" for intent in Intent),
    *(f"rules:{intent}" for intent in Intent),
    *(f"asked:{slot}" for slot in Slot),
    *(f"says:{answer}" for answer in YesNo),
    *(f"share:{shape}" for shape in _SHAPES),
    *("symptoms", "facts", "answers", "correction", "asks_drug", "medical", "length", "longest_run"),
)
"""What each number of ``findings`` is."""

_PLACES = {name: place for place, name in enumerate(NAMES)}


def pieces(text: str) -> NDArray[np.int64]:
    """The buckets (0 to ``BUCKETS`` - 1, each once) of the pieces of a normalised text.

    Pieces are one to three neighbouring characters, longer words of the Latin alphabet, whole numbers, and two to four
    kinds of characters in a row (Han, Latin, digit, punctuation, other). Among neighbours a digit stands for all
    digits, and more than three of the same character for three.
    """
    short = _shortened(_HAN_APART.sub("", text[:_READ]))
    marked = f"^{short}$"
    found = {
        "t" + marked[start : start + length]
        for length in range(1, _LONGEST_PIECE + 1)
        for start in range(len(marked) - length + 1)
    }
    shape = "^" + "".join(kind for kind, _ in groupby(_kind(character) for character in short)) + "$"
    found |= {
        "s" + shape[start : start + length]
        for length in range(2, _LONGEST_SHAPE + 1)
        for start in range(len(shape) - length + 1)
    }
    found |= {"w" + word for word in _words(text[:_READ])}
    return np.array(sorted({zlib.crc32(piece.encode()) % BUCKETS for piece in found}), np.int64)


def findings(text: str, context: Context, signs: Signs) -> NDArray[np.float32]:
    """What the rules found in a normalised text, and its outline, as one number for each of ``NAMES``."""
    values = np.zeros(len(NAMES), np.float32)
    on = [f"named:{intent}" for intent in signs.named]
    on.append(f"rules:{rule_intent(text, context, signs)}")
    if context.asked is not None:
        on.append(f"asked:{context.asked.slot}")
    if signs.yes_no is not None:
        on.append(f"says:{signs.yes_no}")
    on += [name for name in ("symptoms", "facts", "answers", "correction", "asks_drug") if getattr(signs, name)]
    if is_medical(text):
        on.append("medical")
    values[[_PLACES[name] for name in on]] = 1
    read = text[:_READ]
    kinds = [_kind(character) for character in read if character != " "]
    for shape in _SHAPES:
        values[_PLACES[f"share:{shape}"]] = kinds.count(shape) / max(1, len(kinds))
    values[_PLACES["length"]] = np.log1p(len(read)) / np.log1p(_READ)
    longest = max((len(list(run)) for _, run in groupby(read)), default=0)
    values[_PLACES["longest_run"]] = min(longest, 10) / 10
    return values


def _shortened(text: str) -> str:
    """The text with digits alike and runs of one character cut."""
    plain = "".join("0" if character.isdigit() and character.isascii() else character for character in text[:_READ])
    return "".join("".join(list(run)[:_LONGEST_RUN]) for _, run in groupby(plain.strip()))


def _kind(character: str) -> str:
    if "\u4e00" <= character <= "\u9fff":
        return "H"
    if character.isascii():
        return "L" if character.isalpha() else "D" if character.isdigit() else "P"
    return "P" if unicodedata.category(character)[0] == "P" else "O"


def _words(text: str) -> list[str]:
    """The numbers, and the Latin words too long to be one piece."""
    return [word for word in _WORD.findall(text) if len(word) > _LONGEST_PIECE or word.isdigit()]
