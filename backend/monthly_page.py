"""The report of a month on paper: A4 pages as a PDF file: figures against their targets, tables, definitions.

Pure, and the same bytes for the same report; it imports nothing of the house but the setting of text, for it runs in a
process of its own (`backend.worker_processes`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from backend.sheet import GREY, Sheet
from backend.typesetting import wrapped

_WIDTH, _HEIGHT = A4
_LEFT, _RIGHT = 18 * mm, _WIDTH - 18 * mm
_COLUMN = _RIGHT - _LEFT
_TOP = _HEIGHT - 16 * mm
_BOTTOM = 22 * mm
_BODY, _LEADING = 9.5, 14.5
_SMALL = 8.5
_GAP = 2 * mm  # between two columns
_CHART = 44 * mm
_HEAD = 27 * mm  # of the first page
_GREEN, _RED, _BAR = (0.04, 0.42, 0.32), (0.66, 0.16, 0.13), (0.35, 0.64, 0.55)
_TOGETHER = 3  # rows that a heading keeps with it


@dataclass(frozen=True)
class Table:
    """Rows under headings.

    Args:
        shares: of the width that each column gets, which sum to 1; the first column is text, the others are numbers.
        verdict: the column whose cells say whether a target is met, printed in colour; None where none does.
    """

    title: str
    headings: tuple[str, ...]
    shares: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)
    verdict: int | None = None


@dataclass(frozen=True)
class MonthlyPage:
    """What is printed; every text as people read it.

    Args:
        scope: whose figures they are. month: in words. made: when, for whom.
        days: of each day of the month its number and how many consultations were asked for.
        texts: headings and what stands below them at the end, each paragraph with its label, which may be empty.
    """

    title: str
    scope: str
    month: str
    made: str
    figures: Table
    days: tuple[tuple[str, int], ...]
    tables: tuple[Table, ...]
    texts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True)
class _Block:
    """Something that stands on one page: a heading, the headings or a row of a table, a line, the chart."""

    kind: str
    height: float
    lines: tuple[tuple[str, ...], ...] = ()
    table: Table | None = None


def print_monthly(page: MonthlyPage) -> bytes:
    """Give the PDF file."""
    return _Printer(page).print()


class _Printer(Sheet):
    def __init__(self, page: MonthlyPage) -> None:
        super().__init__(A4, f"{page.title} {page.scope} {page.month}", "桥医")
        self._page = page

    def print(self) -> bytes:
        pages = self._paginated(list(self._blocks()))
        for number, blocks in enumerate(pages, 1):
            y = self._head() if number == 1 else self._short_head()
            for block in blocks:
                self._draw(block, y)
                y -= block.height
            self._foot(number, len(pages))
            self.canvas.showPage()
        return self.finished()

    # what stands on the pages

    def _blocks(self) -> Iterator[_Block]:
        yield from self._table(self._page.figures)
        if self._page.days:
            yield _Block("heading", 9 * mm, (("每天的会诊数",),))
            yield _Block("chart", _CHART)
        for table in self._page.tables:
            yield from self._table(table)
        for heading, texts in self._page.texts:
            yield _Block("heading", 9 * mm, ((heading,),))
            for label, text in texts:
                if label:
                    yield _Block("label", _LEADING + 1.5 * mm, ((label,),))
                lines = wrapped(self.shown(text), _COLUMN, lambda part: self.measure(part, _BODY))
                yield from (_Block("line", _LEADING, ((line,),)) for line in lines)

    def _table(self, table: Table) -> Iterator[_Block]:
        yield _Block("heading", 9 * mm, ((table.title,),))
        yield self._row(table, table.headings, "headings")
        yield from (self._row(table, row, "row") for row in table.rows)
        if not table.rows:
            yield _Block("line", _LEADING, (("这个月没有会诊。",),))

    def _row(self, table: Table, cells: Sequence[str], kind: str) -> _Block:
        lines = tuple(
            tuple(wrapped(self.shown(cell), _COLUMN * share - _GAP, lambda part: self.measure(part, _BODY)))
            for cell, share in zip(cells, table.shares, strict=True)
        )
        return _Block(kind, max(map(len, lines)) * (_BODY * 1.3) + 2.4 * mm, lines, table)

    def _paginated(self, blocks: Sequence[_Block]) -> list[list[_Block]]:
        """Spread blocks over pages; a heading stays with what follows, a table that goes on repeats its headings."""
        pages: list[list[_Block]] = [[]]
        room = _TOP - _HEAD - _BOTTOM
        for place, block in enumerate(blocks):
            needed = block.height
            if block.kind in ("heading", "label"):
                needed += sum(one.height for one in blocks[place + 1 : place + _TOGETHER])
            if needed > room and pages[-1]:
                pages.append([])
                room = _TOP - 8 * mm - _BOTTOM
                if block.kind == "row" and block.table is not None:
                    pages[-1].append(self._row(block.table, block.table.headings, "headings"))
                    room -= pages[-1][0].height
            pages[-1].append(block)
            room -= block.height
        return pages

    # drawing it

    def _head(self) -> float:
        page = self._page
        y = _TOP - 17
        self.write((_WIDTH - self.measure(page.title, 18)) / 2, y, page.title, 18, strong=True)
        y -= 9 * mm
        scope = f"{page.scope}　{page.month}"
        lines, size = self.fitted(scope, _COLUMN, 13, 8)
        self.write((_WIDTH - self.measure(lines[0], size)) / 2, y, lines[0], size)
        y -= 6.5 * mm
        self.write(_LEFT, y, self.shown(page.made), _SMALL, grey=GREY)
        self.rule(_LEFT, _RIGHT, y - 2.4 * mm, 1.0)
        return _TOP - _HEAD

    def _short_head(self) -> float:
        y = _TOP - 9
        words = self.shown(f"{self._page.title}（续）　{self._page.scope}　{self._page.month}")
        self.write(_LEFT, y, words, _SMALL, grey=GREY)
        self.rule(_LEFT, _RIGHT, y - 2.6 * mm)
        return _TOP - 8 * mm

    def _draw(self, block: _Block, y: float) -> None:
        if block.kind == "heading":
            self.write(_LEFT, y - block.height + 2 * mm, self.shown(block.lines[0][0]), 12, strong=True)
        elif block.kind in ("line", "label"):
            strong = block.kind == "label"
            self.write(_LEFT, y - block.height + 4, self.shown(block.lines[0][0]), _BODY, strong=strong)
        elif block.kind == "chart":
            self._chart(y)
        elif block.table is not None:
            self._cells(block, block.table, y)

    def _cells(self, block: _Block, table: Table, y: float) -> None:
        x = _LEFT
        for column, (lines, share) in enumerate(zip(block.lines, table.shares, strict=True)):
            width = _COLUMN * share
            base = y - 1.2 * mm - _BODY
            for line in lines:
                shift = 0.0 if column == 0 else width - _GAP - self.measure(line, _BODY)
                colour = _verdict(line) if block.kind == "row" and column == table.verdict else None
                grey = GREY if block.kind == "headings" else 0.0
                self.write(x + shift, base, line, _BODY, colour=colour, grey=grey)
                base -= _BODY * 1.3
            x += width
        self.rule(_LEFT, _RIGHT, y - block.height, 0.8 if block.kind == "headings" else 0.25)

    def _chart(self, y: float) -> None:
        """A bar for each day, its number below, and how many it was above where there is room."""
        days = self._page.days
        most = max(count for _, count in days) or 1
        floor, room = y - _CHART + 8 * mm, _CHART - 16 * mm
        step = _COLUMN / len(days)
        for place, (name, count) in enumerate(days):
            x, tall = _LEFT + place * step, room * count / most
            self.canvas.setFillColorRGB(*_BAR)
            self.canvas.rect(x + step * 0.18, floor, step * 0.64, tall, stroke=0, fill=1)
            self.write(x + (step - self.measure(name, 7)) / 2, floor - 9, name, 7, grey=GREY)
            said = str(count)
            if count and self.measure(said, 7) < step:
                self.write(x + (step - self.measure(said, 7)) / 2, floor + tall + 2, said, 7)
        self.rule(_LEFT, _RIGHT, floor, 0.5)

    def _foot(self, number: int, count: int) -> None:
        self.rule(_LEFT, _RIGHT, 17 * mm, 0.4)
        words = f"第{number}页　共{count}页"
        self.write((_WIDTH - self.measure(words, 9)) / 2, 12 * mm, words, 9, grey=GREY)


def _verdict(said: str) -> tuple[float, float, float] | None:
    return {"达到": _GREEN, "没达到": _RED}.get(said)
