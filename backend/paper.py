"""A report on paper: A4 pages as a PDF file, in the layout of a Chinese radiology report.

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
_LEFT, _RIGHT = 20 * mm, _WIDTH - 20 * mm
_COLUMN = _RIGHT - _LEFT
_TOP = _HEIGHT - 18 * mm
_BOTTOM = 24 * mm
_BODY, _LEADING = 11.0, 18.5
_SMALL = 8.5
_QR = 27 * mm
_SIGNATURE = _QR + 16 * mm
_TOGETHER = 3  # lines that a heading keeps with it, and that a signature does not stand without


@dataclass(frozen=True)
class Paper:
    """What is printed; every text as people read it.

    Args:
        facts: the rows of the head, each of pairs of name and value.
        sections: headings and texts, in order.
        signature: names and values of who signed, and when.
        notices: small print at the end.
        address: where the QR code leads.
    """

    institution: str
    title: str
    number: str
    version: str
    patient: str = field(repr=False)
    facts: tuple[tuple[tuple[str, str], ...], ...] = field(repr=False)
    sections: tuple[tuple[str, str], ...] = field(repr=False)
    signature: tuple[tuple[str, str], ...] = field(repr=False)
    notices: tuple[str, ...]
    address: str = field(repr=False)


@dataclass(frozen=True)
class _Line:
    text: str
    heading: bool = False

    @property
    def height(self) -> float:
        return _LEADING + 7 if self.heading else _LEADING


def print_paper(paper: Paper) -> bytes:
    """Give the PDF file."""
    return _Printer(paper).print()


class _Printer(Sheet):
    def __init__(self, paper: Paper) -> None:
        super().__init__(A4, f"{paper.title} {paper.number}", paper.institution)
        self._paper = paper

    def print(self) -> bytes:
        lines = list(self._lines())
        head = self._head_height()
        for _name, value in self._paper.signature:  # what the font lacks is noted wherever it stands
            self.shown(value)
        pages = _paginated(lines, _TOP - head - _BOTTOM, _TOP - 12 * mm - _BOTTOM, self._end_height())
        for number, page in enumerate(pages, 1):
            top = self._head() if number == 1 else self._short_head()
            self._body(page, top)
            if number == len(pages):
                self._end()
            self._foot(number, len(pages))
            self.canvas.showPage()
        return self.finished()

    def _lines(self) -> Iterator[_Line]:
        for heading, text in self._paper.sections:
            yield _Line(heading, heading=True)
            shown = self.shown(text.strip("\n"))
            for line in wrapped(shown, _COLUMN, lambda part: self.measure(part, _BODY)):
                yield _Line(line)

    def _centred(self, y: float, text: str, size: float) -> float:
        leading = size * 1.4
        lines, size = self.fitted(text, _COLUMN, size, size * 0.7)
        for line in lines:
            self.write((_WIDTH - self.measure(line, size)) / 2, y, line, size, strong=True)
            y -= leading
        return y

    def _rows(self) -> list[list[tuple[str, list[str], float, float, float]]]:
        """Give the rows of the head: of each cell its name, its lines, their size, its place and its width."""
        rows = []
        for row in self._paper.facts:
            width = _COLUMN / len(row)
            cells = []
            for column, (name, value) in enumerate(row):
                label = self.measure(f"{name}：", 10.5)
                lines, size = self.fitted(value, width - label - 3 * mm, 10.5, 8.5)
                cells.append((name, lines, size, _LEFT + column * width, label))
            rows.append(cells)
        return rows

    def _head_height(self) -> float:
        institution = len(self.fitted(self._paper.institution, _COLUMN, 17, 17 * 0.7)[0])
        rows = sum(6.4 * mm + (max(len(cell[1]) for cell in row) - 1) * 5 * mm for row in self._rows())
        return institution * 17 * 1.4 + 16 * 1.4 + 8 * mm + rows + 6 * mm

    def _head(self) -> float:
        y = self._centred(_TOP - 17, self._paper.institution, 17)
        y = self._centred(y - 1, self._paper.title, 16)
        y -= 1 * mm
        self.write(_LEFT, y, f"报告编号：{self.shown(self._paper.number)}", 9.5, grey=GREY)
        version = self._paper.version
        self.write(_RIGHT - self.measure(version, 9.5), y, version, 9.5, grey=GREY)
        y -= 2.6 * mm
        self.rule(_LEFT, _RIGHT, y, 1.1)
        y -= 6.4 * mm
        for row in self._rows():
            for name, lines, size, x, label in row:
                self.write(x, y, f"{name}：", 10.5, grey=GREY)
                for number, line in enumerate(lines):
                    self.write(x + label, y - number * 5 * mm, line, size)
            y -= 6.4 * mm + (max(len(cell[1]) for cell in row) - 1) * 5 * mm
        y += 3.4 * mm
        self.rule(_LEFT, _RIGHT, y)
        return y - 1 * mm

    def _short_head(self) -> float:
        y = _TOP - 9
        left = f"{self._paper.title}（续）　姓名：{self.shown(self._paper.patient)}"
        right = f"报告编号：{self.shown(self._paper.number)}"
        self.write(_LEFT, y, left, 9.5, grey=GREY)
        self.write(_RIGHT - self.measure(right, 9.5), y, right, 9.5, grey=GREY)
        self.rule(_LEFT, _RIGHT, y - 2.6 * mm)
        return y - 3.6 * mm

    def _body(self, lines: Sequence[_Line], y: float) -> None:
        for line in lines:
            y -= line.height
            if line.heading:
                self.write(_LEFT, y + 2, line.text, 12, strong=True)
            else:
                self.write(_LEFT, y + 2, line.text, _BODY)

    def _notices(self) -> list[str]:
        notices = list(self._paper.notices)
        if self.missing:
            codes = "、".join(f"[U+{ord(mark):04X}]" for mark in self.missing)
            notices.insert(0, f"{codes} 处的字打印不出来，请看手机上的电子报告。")
        size = _SMALL
        return [line for one in notices for line in wrapped(one, _COLUMN, lambda part: self.measure(part, size))]

    def _end_height(self) -> float:
        return _SIGNATURE + len(self._notices()) * _SMALL * 1.5

    def _end(self) -> None:
        """Who signed, the code, and the small print, at the bottom of the last page."""
        notices = self._notices()
        y = _BOTTOM + len(notices) * _SMALL * 1.5
        for number, notice in enumerate(notices):
            self.write(_LEFT, y - (number + 1) * _SMALL * 1.5 + 3, notice, _SMALL, grey=GREY)
        self.rule(_LEFT, _RIGHT, y + _QR + 11 * mm)
        self.code(_RIGHT - _QR, y + 8 * mm, _QR, self._paper.address)
        caption = "微信扫码，核对真伪"
        middle = _RIGHT - _QR / 2
        self.write(middle - self.measure(caption, _SMALL) / 2, y + 4 * mm, caption, _SMALL, grey=GREY)
        place = y + _QR + 2 * mm
        for name, value in self._paper.signature:
            label = f"{name}："
            self.write(_LEFT, place, label, 10.5, grey=GREY)
            lines, size = self.fitted(value, _COLUMN - _QR - 34 * mm, 11, 8.5)
            for line in lines:
                self.write(_LEFT + self.measure(label, 10.5), place, line, size)
                place -= 7.4 * mm

    def _foot(self, number: int, count: int) -> None:
        self.rule(_LEFT, _RIGHT, 18 * mm, 0.4)
        words = f"第{number}页　共{count}页"
        self.write((_WIDTH - self.measure(words, 9)) / 2, 13 * mm, words, 9, grey=GREY)


def _paginated(lines: Sequence[_Line], first: float, later: float, end: float) -> list[list[_Line]]:
    """Spread lines over pages of so much room, with `end` left free on the last one.

    A heading never stands last on a page, and what is signed never stands on another page than the signature.
    """
    pages: list[list[_Line]] = [[]]
    room = first
    for place, line in enumerate(lines):
        needed = line.height
        if line.heading:
            needed += sum(one.height for one in lines[place + 1 : place + _TOGETHER])
        if needed > room and pages[-1]:
            pages.append([])
            room = later
        pages[-1].append(line)
        room -= line.height
    if room < end:
        last = pages[-1]
        moved = min(_TOGETHER, len(last))
        while moved < len(last) and last[-moved - 1].heading:
            moved += 1
        pages[-1:] = [last[:-moved], last[-moved:]] if moved < len(last) else [last]
    return pages
