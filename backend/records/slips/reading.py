"""What a laboratory slip says: rows of kind, value, unit and range, whose it is and when it was taken. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from backend.errors import InvalidInput
from backend.records.rules import check_value, graded
from backend.records.slips.cells import Token, TokenKind, tokens_of
from backend.records.slips.lines import Cell, Word, lines_of, turned
from backend.records.views import printed_range
from data.observations import Group, ObservationKind, UnknownUnit, unit_code

FEWEST_ROWS = 3
"""A photograph with fewer rows than that is no slip, unless somebody says that it is one."""

_UNSURE = 0.75
_BOUNDS = "<>≤≥"
_URINE = re.compile(r"尿(?:常规|液|干化学|沉渣|分析|检)")
_TITLE = re.compile(r"检验|化验|报告单|参考(?:范围|区间|值)|检测结果")
_NAME = re.compile(r"姓\s*名\s*[:：]?\s*([一-龥·]{2,8}?)(?=性|年|科|门|住|床|病|编|$|[\s:：0-9A-Za-z])")
_DAY = re.compile(r"(20\d{2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
_TAKEN = re.compile(r"采集|采样|采血|抽血|标本")


class Doubt(StrEnum):
    """Why a row has to be looked at before it can be kept."""

    IMPOSSIBLE = "impossible"  # no such value can be
    BOUND = "bound"  # below or above what the laboratory can measure
    UNIT = "unit"  # it cannot be converted
    UNSURE = "unsure"  # read, but not well
    LEFT_OUT = "left_out"  # whoever sent it does not want it kept


@dataclass(frozen=True)
class SlipRow:
    """One row of a slip.

    Args:
        kind: a key of `data.observations`. value: in the kind's own unit, or an answer; "" where it cannot be kept.
        printed: value and unit as they stand there. reference: the range, in the kind's own unit; "" where none is.
    """

    kind: str
    value: str = field(repr=False)
    printed: str = field(repr=False)
    reference: str = field(repr=False)
    doubt: Doubt | None = None


@dataclass(frozen=True)
class SlipReading:
    """A photograph as read.

    Args:
        rows: in the order of the paper. unknown: rows with a value of which nothing is known here.
        name: whose it is, "" where it does not say. taken_on: the day; None where it does not say.
        is_slip: it looks like one by itself.
    """

    rows: tuple[SlipRow, ...] = ()
    unknown: int = 0
    name: str = field(default="", repr=False)
    taken_on: date | None = None
    is_slip: bool = False


def best_turn(words: Sequence[Word]) -> int:
    """Give by how many quarters the photograph is to be turned clockwise to read as a slip; 0 where none does."""
    scores = [len(read_slip(turned(words, quarters)).rows) for quarters in range(4)]
    return scores.index(max(scores))


def read_slip(words: Sequence[Word], today: date | None = None) -> SlipReading:
    """Read the words of a photograph as a slip.

    Args:
        today: a day after it is no day on which something was taken.
    """
    lines = lines_of(words)
    text = ["".join(cell.text for cell in line) for line in lines]
    is_urine = any(_URINE.search(line) for line in text)
    rows: dict[str, SlipRow] = {}
    unknown = 0
    for line in lines:
        of_line, strangers = _rows_in(line, is_urine)
        unknown += strangers
        for row in of_line:
            rows.setdefault(row.kind, row)
    ranges = sum(bool(row.reference) for row in rows.values())
    titled = any(_TITLE.search(line) for line in text)
    return SlipReading(
        rows=tuple(rows.values()),
        unknown=unknown,
        name=next((found[1] for line in text if (found := _NAME.search(line))), ""),
        taken_on=_taken_on(text, today),
        is_slip=len(rows) >= FEWEST_ROWS and (titled or ranges >= FEWEST_ROWS),
    )


@dataclass
class _Draft:
    kinds: tuple[ObservationKind, ...]
    score: float
    value: Token | None = None
    unit: str = ""
    reference: str = ""


def _rows_in(line: Sequence[Cell], is_urine: bool) -> tuple[list[SlipRow], int]:
    """Give the rows of a line (papers have up to three columns), and how many of its rows nobody knows."""
    drafts: list[_Draft] = []
    strangers = 0
    for cell in line:
        for token in tokens_of(cell):
            if token.kind is TokenKind.NAME:
                _name(drafts, token, is_urine)
            elif drafts:
                _fill(drafts[-1], token)
            elif token.kind is TokenKind.RANGE:
                strangers = 1
    rows = [row for draft in drafts if (row := _finished(draft)) is not None]
    return rows, strangers


def _name(drafts: list[_Draft], token: Token, is_urine: bool) -> None:
    kinds = tuple(kind for kind in token.kinds if (kind.group is Group.URINE) is is_urine) or token.kinds
    if drafts and drafts[-1].value is None:
        both = tuple(kind for kind in drafts[-1].kinds if kind in kinds)
        if both:  # a code and a name side by side
            drafts[-1].kinds = both
            return
        drafts.pop()
    drafts.append(_Draft(kinds, token.score))


def _fill(draft: _Draft, token: Token) -> None:
    if token.kind is TokenKind.VALUE and draft.value is None:
        draft.value = token
        draft.score = min(draft.score, token.score)
    elif (token.kind is TokenKind.WORD and draft.value is None and _answers(draft, token.text)) or (
        token.kind is TokenKind.RANGE and draft.value is None and token.text[0] in _BOUNDS
    ):
        draft.value = token
    elif token.kind is TokenKind.UNIT and not draft.unit:
        draft.unit = token.text
    elif token.kind is TokenKind.RANGE and not draft.reference:
        draft.reference = token.text


def _answers(draft: _Draft, text: str) -> bool:
    return any(kind.answers and graded(kind, text) for kind in draft.kinds)


def _finished(draft: _Draft) -> SlipRow | None:
    if draft.value is None:
        return None
    kind = _fitting(draft)
    printed = f"{draft.value.text} {draft.unit}".strip()
    if kind is None:
        return SlipRow(draft.kinds[0].key, "", printed, "", Doubt.UNIT)
    if draft.value.text[0] in _BOUNDS:
        return SlipRow(kind.key, "", printed, "", Doubt.BOUND)
    try:
        value = check_value(kind, draft.value.text, draft.unit if unit_code(draft.unit) else "")
    except InvalidInput:
        return SlipRow(kind.key, "", printed, "", Doubt.IMPOSSIBLE)
    reference = _own_range(kind, draft)
    doubt = Doubt.UNSURE if draft.score < _UNSURE or _lost_a_point(draft, reference) else None
    return SlipRow(kind.key, value, printed, reference, doubt)


def _fitting(draft: _Draft) -> ObservationKind | None:
    """Give the kind that has the printed unit, or the first where none is printed or understood."""
    text = draft.value.text if draft.value else ""
    graded_kinds = [kind for kind in draft.kinds if kind.answers]
    if graded_kinds and graded(graded_kinds[0], text) is not None:
        return graded_kinds[0]
    measured = [kind for kind in draft.kinds if not kind.answers]
    code = unit_code(draft.unit) if draft.unit else None
    if code is None:
        return measured[0] if measured else None
    for kind in measured:
        try:
            kind.to_own_unit(Decimal(1), code)
        except UnknownUnit:
            continue
        return kind
    return None


def _own_range(kind: ObservationKind, draft: _Draft) -> str:
    """Give the printed range in the kind's own unit."""
    found = printed_range(draft.reference)
    if found is None or kind.answers:
        return ""
    unit = draft.unit if unit_code(draft.unit) else ""
    low, high = (None if end is None else f"{kind.to_own_unit(end, unit):f}" for end in (found.low, found.high))
    return f"{low}-{high}" if low and high else f"≤{high}" if high else f"≥{low}"


def _lost_a_point(draft: _Draft, reference: str) -> bool:
    """Whether a point may have been overlooked: 112 beside 3.5-9.5."""
    found = printed_range(reference)
    if found is None or found.high is None or draft.value is None or "." in draft.value.text:
        return False
    return "." in draft.reference and Decimal(draft.value.text.lstrip("<>≤≥")) > found.high * 3


def _taken_on(text: Sequence[str], today: date | None) -> date | None:
    """Give the day on which it was taken; where only others stand there, the first of them."""
    days: list[tuple[bool, date]] = []
    for line in text:
        for found in _DAY.finditer(line):
            try:
                day = date(*map(int, found.groups()))
            except ValueError:
                continue
            if today is None or day <= today:
                days.append((bool(_TAKEN.search(line[: found.start()][-12:])), day))
    taken = [day for is_taken, day in days if is_taken]
    return taken[0] if taken else min((day for _, day in days), default=None)
