"""Chinese text set on lines: what the font can show, where a line may break. Pure; imports nothing of the house."""

import re
from collections.abc import Callable, Collection, Iterator

_PIECE = re.compile(r"[A-Za-z0-9.,%°±×*/+\-~_:()\[\]<>=μ]*[A-Za-z0-9%°μ\]]|.", re.DOTALL)
_NOT_FIRST = set("，。；：、！？）】》〉」』”’…—·％℃,.;:!?)]}")
_NOT_LAST = set("（【《〈「『“‘([{")
_INVISIBLE = {"\u200b", "\u200c", "\u200d", "\ufeff", "\ufe0e", "\ufe0f"}


def printable(text: str, glyphs: Collection[int]) -> tuple[str, list[str]]:
    """Give a text as it can be printed, and the characters that the font lacks.

    Such a character is printed as its code, [U+20BB7], so that it is missed by nobody. What has no shape of its own
    (joiners, selectors) goes, a tabulator becomes a space.
    """
    missing: list[str] = []
    shown = []
    for mark in text.replace("\t", " ").replace("\r\n", "\n").replace("\r", "\n"):
        if mark == "\n" or ord(mark) in glyphs:
            shown.append(mark)
        elif mark not in _INVISIBLE:
            missing.append(mark)
            shown.append(f"[U+{ord(mark):04X}]")
    return "".join(shown), missing


def wrapped(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    """Break a text into lines of at most `width`, in the unit of `measure`.

    Words and numbers of the Latin alphabet stay whole where they fit on a line; no line begins with a closing mark or
    ends with an opening one (the rules of GB/T 15834, section 5.1).
    """
    for paragraph in text.split("\n"):
        line: list[str] = []
        for piece in _pieces(paragraph, width, measure):
            if line and measure("".join(line) + piece) > width:
                carried = _carried(line, piece)
                kept = line[: len(line) - len(carried)]
                yield "".join(kept).rstrip()
                line = [*carried, piece] if carried or piece != " " else []
            else:
                line.append(piece)
        yield "".join(line).rstrip()


def _pieces(paragraph: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    for piece in _PIECE.findall(paragraph):
        if measure(piece) > width:
            yield from piece
        else:
            yield piece


def _carried(line: list[str], piece: str) -> list[str]:
    """Give the end of a line that goes to the next one with `piece`, so that neither rule is broken."""
    carried: list[str] = []
    following = piece
    while len(line) - len(carried) > 1:
        last = line[len(line) - len(carried) - 1]
        if following[0] not in _NOT_FIRST and last not in _NOT_LAST:
            return carried
        carried.insert(0, last)
        following = last
    return []  # a line of nothing else: it breaks where it breaks
