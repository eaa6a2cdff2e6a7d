"""What a cell of a slip is: a name, a value, a unit, a range, or several of them that stand close. Pure."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from backend.records.slips.lines import Cell
from data.observations import ObservationKind, kinds_named, unit_code


class TokenKind(StrEnum):
    """What a piece of a cell is."""

    NAME = "name"
    VALUE = "value"
    UNIT = "unit"
    RANGE = "range"
    WORD = "word"


@dataclass(frozen=True)
class Token:
    """A piece of a cell; `kinds` are what a name means."""

    kind: TokenKind
    text: str = field(repr=False)
    score: float
    kinds: tuple[ObservationKind, ...] = ()


_FIGURE = r"\d{1,7}(?:\.\d{1,4})?"
_VALUE = re.compile(rf"[*★↑↓HhLl]?(?P<value>[<>≤≥]?{_FIGURE})[*★↑↓HhLl]*")
_RANGE = re.compile(rf"[(（\[]?(?:{_FIGURE}(?:-{{1,2}}|[~～—–至]){_FIGURE}|[<>≤≥]=?{_FIGURE})[)）\]]?")
_NUMBERED = re.compile(r"^\d{1,2}[.、)）]?(?=[^\d.\s%/])")
_STARS = re.compile(r"^[*★▲△●◆#]+")
_IN_BRACKETS = re.compile(r"^(?P<out>[^()（）\[\]]+)[(（\[](?P<inside>[^()（）\[\]]+)[)）\]]?$")
_LATIN_AND_CHINESE = re.compile(r"^(?P<latin>[A-Za-z][A-Za-z0-9#%+\-/()]*?)(?P<chinese>[一-龥].*)$")
_CHINESE_AND_LATIN = re.compile(r"^(?P<chinese>[一-龥αβγ\-]*[一-龥])(?P<latin>[A-Za-z][A-Za-z0-9#%+\-/]*)$")
_SLIPS_OF_SHAPE = str.maketrans("OoＯIl｜|", "0001111")


def tokens_of(cell: Cell) -> list[Token]:
    """Give the pieces of a cell in their order."""
    text = cell.text.strip()
    kinds = name_of(text)
    if kinds:
        return [Token(TokenKind.NAME, text, cell.score, kinds)]
    parts = text.split()
    if len(parts) > 1:
        return [token for part in parts for token in tokens_of(Cell(part, cell.left, cell.score))]
    return _split(text, cell.score)


def name_of(written: str) -> tuple[ObservationKind, ...]:
    """Give the kinds that the words of a cell name: a name, a code, or both; none where they name nothing known."""
    plain = _NUMBERED.sub("", _STARS.sub("", written.strip()))
    plain = _STARS.sub("", plain).rstrip(":：")
    if not plain or plain.isdigit():
        return ()
    whole = kinds_named(plain)
    if whole:
        return whole
    for shape in (_IN_BRACKETS, _LATIN_AND_CHINESE, _CHINESE_AND_LATIN):
        found = shape.match(plain)
        if found:
            first, second = (kinds_named(part) for part in found.groups())
            both = tuple(kind for kind in first if kind in second)
            return both or first or second
    return ()


def _split(text: str, score: float) -> list[Token]:
    if unit_code(text) is not None and not text.isdigit():
        return [Token(TokenKind.UNIT, text, score)]
    plain = _figures(text)
    if _RANGE.fullmatch(plain):
        return [Token(TokenKind.RANGE, plain, score)]
    if found := _VALUE.fullmatch(plain):
        return [Token(TokenKind.VALUE, found["value"], score)]
    return _glued(text, score) or [Token(TokenKind.WORD, text, score)]


def _glued(text: str, score: float) -> list[Token]:
    """Take apart what was printed so close that it was read as one: 白细胞11.2, 11.2↑10^9/L, 3.5-9.5g/L."""
    for end in range(len(text) - 1, 1, -1):
        head, tail = text[:end], text[end:]
        if (kinds := name_of(head)) and _VALUE.fullmatch(_figures(tail)):
            return [Token(TokenKind.NAME, head, score, kinds), *_split(tail, score)]
    plain = _figures(text)
    for shape, kind in ((_RANGE, TokenKind.RANGE), (_VALUE, TokenKind.VALUE)):
        match = shape.match(plain)
        if match and unit_code(plain[match.end() :]) is not None:
            said = match["value"] if kind is TokenKind.VALUE else match.group()
            return [Token(kind, said, score), Token(TokenKind.UNIT, plain[match.end() :], score)]
    return []


def _figures(text: str) -> str:
    """Give what may be a number with the slips of shape mended that readers make in numbers."""
    if not any(character.isdigit() for character in text):
        return text
    mended = text.replace("，", ".").replace("。", ".").replace("·", ".").replace("＜", "<").replace("＞", ">")
    mended = mended.replace("－", "-").replace("〈", "<").replace("〉", ">")
    mended = re.sub(r"(?<=\d),(?=\d)", ".", mended)
    swapped = mended.translate(_SLIPS_OF_SHAPE)
    return swapped if re.fullmatch(r"[\d.<>≤≥\-~↑↓*]+", swapped) else mended
