"""What is taken out of a text, and what stands there instead."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a piece of text names."""

    NAME = "name"
    INSTITUTION = "institution"
    PLACE = "place"
    CONTACT = "contact"  # telephone, e-mail, accounts, addresses of pages
    NUMBER = "number"  # of papers, cards, cases, beds
    DATE = "date"
    AGE = "age"


LABELS = {
    Kind.NAME: "姓名",
    Kind.INSTITUTION: "机构",
    Kind.PLACE: "地名",
    Kind.CONTACT: "联系方式",
    Kind.NUMBER: "号码",
    Kind.DATE: "日期",
    Kind.AGE: "年龄",
}


def placeholder(kind: Kind) -> str:
    """Give what stands where something of this kind stood."""
    return f"［{LABELS[kind]}］"


@dataclass(frozen=True)
class Span:
    """A piece of a text that has to go: from `start` to before `end`, in characters; `guessed`: only because it looks
    like a name."""

    start: int
    end: int
    kind: Kind
    replacement: str
    guessed: bool = False


def span(start: int, end: int, kind: Kind, replacement: str = "", *, guessed: bool = False) -> Span:
    """Give a span whose place is taken by `replacement`, or by the placeholder of its kind."""
    return Span(start, end, kind, replacement or placeholder(kind), guessed)


@dataclass(frozen=True)
class Removal:
    """What was taken out, and what stands there now, `start` characters from the beginning of the scrubbed text;
    `guessed`: only because it looked like a name, so that it may be another word."""

    kind: Kind
    text: str
    replacement: str
    start: int
    guessed: bool


@dataclass(frozen=True)
class Scrubbed:
    """A text without what names anybody, and what was taken out of it, in order."""

    text: str
    removals: tuple[Removal, ...]


def without(text: str, spans: Iterable[Span]) -> Scrubbed:
    """Take `spans` out of `text`. Those that overlap go as one, under the kind of the first that was named."""
    parts: list[str] = []
    removals: list[Removal] = []
    position = length = 0
    for one in _joined(spans):
        kept = text[position : one.start]
        removals.append(Removal(one.kind, text[one.start : one.end], one.replacement, length + len(kept), one.guessed))
        parts += (kept, one.replacement)
        length += len(kept) + len(one.replacement)
        position = one.end
    return Scrubbed("".join((*parts, text[position:])), tuple(removals))


def _joined(spans: Iterable[Span]) -> list[Span]:
    ordered = sorted(enumerate(spans), key=lambda item: (item[1].start, item[0]))
    joined: list[tuple[int, Span]] = []
    for rank, one in ordered:
        if not joined or one.start >= joined[-1][1].end:
            joined.append((rank, one))
            continue
        before, last = joined[-1]
        first, other = (last, one) if before <= rank else (one, last)
        whole = first.start <= other.start and other.end <= first.end
        # What replaces a part (a relative day) would say too little of the whole.
        words = first.replacement if whole else placeholder(first.kind)
        joined[-1] = (min(before, rank), _joint(last, one, first.kind, words))
    return [one for _rank, one in joined]


def _joint(one: Span, other: Span, kind: Kind, words: str) -> Span:
    return Span(min(one.start, other.start), max(one.end, other.end), kind, words, one.guessed and other.guessed)
