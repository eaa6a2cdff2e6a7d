"""A report on paper: A4 pages as a PDF file, in the layout of a Chinese radiology report.

Pure, and the same bytes for the same report; it imports nothing of the house but the setting of text, for it runs in a
process of its own (`backend.worker_processes`).
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from backend.typesetting import printable, wrapped

FONT_FILE = Path(__file__).parent.parent / "data" / "fonts" / "NotoSansSC-Regular.ttf"

_FONT = "NotoSansSC"
_WIDTH, _HEIGHT = A4
_LEFT, _RIGHT = 20 * mm, _WIDTH - 20 * mm
_COLUMN = _RIGHT - _LEFT
_TOP = _HEIGHT - 18 * mm
_BOTTOM = 24 * mm
_BODY, _LEADING = 11.0, 18.5
_SMALL = 8.5
_QR = 27 * mm
_SIGNATURE = _QR + 16 * mm
_GREY = 0.38
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


@cache
def _glyphs() -> frozenset[int]:
    pdfmetrics.registerFont(TTFont(_FONT, str(FONT_FILE)))
    return frozenset(pdfmetrics.getFont(_FONT).face.charToGlyph)


class _Printer:
    def __init__(self, paper: Paper) -> None:
        self._glyphs = _glyphs()
        self._missing: dict[str, None] = {}
        self._paper = paper
        self._file = io.BytesIO()
        self._canvas = Canvas(self._file, pagesize=A4, invariant=1, pageCompression=1, lang="zh-CN")
        self._canvas.setTitle(f"{paper.title} {paper.number}")
        self._canvas.setAuthor(paper.institution)
        self._canvas.setCreator("桥医")

    def print(self) -> bytes:
        lines = list(self._lines())
        head = self._head_height()
        for _name, value in self._paper.signature:  # what the font lacks is noted wherever it stands
            self._shown(value)
        pages = _paginated(lines, _TOP - head - _BOTTOM, _TOP - 12 * mm - _BOTTOM, self._end_height())
        for number, page in enumerate(pages, 1):
            top = self._head() if number == 1 else self._short_head()
            self._body(page, top)
            if number == len(pages):
                self._end()
            self._foot(number, len(pages))
            self._canvas.showPage()
        self._canvas.save()
        return self._file.getvalue()

    def _lines(self) -> Iterator[_Line]:
        for heading, text in self._paper.sections:
            yield _Line(heading, heading=True)
            shown = self._shown(text.strip("\n"))
            for line in wrapped(shown, _COLUMN, self._measure):
                yield _Line(line)

    def _shown(self, text: str) -> str:
        shown, missing = printable(text, self._glyphs)
        self._missing |= dict.fromkeys(missing)
        return shown

    @staticmethod
    def _measure(text: str, size: float = _BODY) -> float:
        return float(pdfmetrics.stringWidth(text, _FONT, size))

    def _write(self, x: float, y: float, text: str, size: float, *, strong: bool = False, grey: float = 0.0) -> None:
        self._canvas.setFont(_FONT, size)
        self._canvas.setFillGray(grey)
        self._canvas.setStrokeGray(grey)
        self._canvas.setLineWidth(size * 0.035)  # an outline of the same colour makes a letter bold
        self._canvas.drawString(x, y, text, mode=2 if strong else None)

    def _fitted(self, text: str, width: float, size: float, smallest: float) -> tuple[list[str], float]:
        """Give a short text on one line, smaller where it has to be, else on more lines."""
        shown = " ".join(self._shown(text).split("\n"))
        while size > smallest and self._measure(shown, size) > width:
            size -= 0.5
        return list(wrapped(shown, width, lambda part: self._measure(part, size))), size

    def _centred(self, y: float, text: str, size: float) -> float:
        leading = size * 1.4
        lines, size = self._fitted(text, _COLUMN, size, size * 0.7)
        for line in lines:
            self._write((_WIDTH - self._measure(line, size)) / 2, y, line, size, strong=True)
            y -= leading
        return y

    def _rule(self, y: float, weight: float = 0.6) -> None:
        self._canvas.setStrokeGray(0.15)
        self._canvas.setLineWidth(weight)
        self._canvas.line(_LEFT, y, _RIGHT, y)

    def _rows(self) -> list[list[tuple[str, list[str], float, float, float]]]:
        """Give the rows of the head: of each cell its name, its lines, their size, its place and its width."""
        rows = []
        for row in self._paper.facts:
            width = _COLUMN / len(row)
            cells = []
            for column, (name, value) in enumerate(row):
                label = self._measure(f"{name}：", 10.5)
                lines, size = self._fitted(value, width - label - 3 * mm, 10.5, 8.5)
                cells.append((name, lines, size, _LEFT + column * width, label))
            rows.append(cells)
        return rows

    def _head_height(self) -> float:
        institution = len(self._fitted(self._paper.institution, _COLUMN, 17, 17 * 0.7)[0])
        rows = sum(6.4 * mm + (max(len(cell[1]) for cell in row) - 1) * 5 * mm for row in self._rows())
        return institution * 17 * 1.4 + 16 * 1.4 + 8 * mm + rows + 6 * mm

    def _head(self) -> float:
        y = self._centred(_TOP - 17, self._paper.institution, 17)
        y = self._centred(y - 1, self._paper.title, 16)
        y -= 1 * mm
        self._write(_LEFT, y, f"报告编号：{self._shown(self._paper.number)}", 9.5, grey=_GREY)
        version = self._paper.version
        self._write(_RIGHT - self._measure(version, 9.5), y, version, 9.5, grey=_GREY)
        y -= 2.6 * mm
        self._rule(y, 1.1)
        y -= 6.4 * mm
        for row in self._rows():
            for name, lines, size, x, label in row:
                self._write(x, y, f"{name}：", 10.5, grey=_GREY)
                for number, line in enumerate(lines):
                    self._write(x + label, y - number * 5 * mm, line, size)
            y -= 6.4 * mm + (max(len(cell[1]) for cell in row) - 1) * 5 * mm
        y += 3.4 * mm
        self._rule(y)
        return y - 1 * mm

    def _short_head(self) -> float:
        y = _TOP - 9
        left = f"{self._paper.title}（续）　姓名：{self._shown(self._paper.patient)}"
        right = f"报告编号：{self._shown(self._paper.number)}"
        self._write(_LEFT, y, left, 9.5, grey=_GREY)
        self._write(_RIGHT - self._measure(right, 9.5), y, right, 9.5, grey=_GREY)
        self._rule(y - 2.6 * mm)
        return y - 3.6 * mm

    def _body(self, lines: Sequence[_Line], y: float) -> None:
        for line in lines:
            y -= line.height
            if line.heading:
                self._write(_LEFT, y + 2, line.text, 12, strong=True)
            else:
                self._write(_LEFT, y + 2, line.text, _BODY)

    def _notices(self) -> list[str]:
        notices = list(self._paper.notices)
        if self._missing:
            codes = "、".join(f"[U+{ord(mark):04X}]" for mark in self._missing)
            notices.insert(0, f"{codes} 处的字打印不出来，请看手机上的电子报告。")
        size = _SMALL
        return [line for one in notices for line in wrapped(one, _COLUMN, lambda part: self._measure(part, size))]

    def _end_height(self) -> float:
        return _SIGNATURE + len(self._notices()) * _SMALL * 1.5

    def _end(self) -> None:
        """Who signed, the code, and the small print, at the bottom of the last page."""
        notices = self._notices()
        y = _BOTTOM + len(notices) * _SMALL * 1.5
        for number, notice in enumerate(notices):
            self._write(_LEFT, y - (number + 1) * _SMALL * 1.5 + 3, notice, _SMALL, grey=_GREY)
        self._rule(y + _QR + 11 * mm)
        self._draw_code(_RIGHT - _QR, y + 8 * mm)
        caption = "微信扫码，核对真伪"
        middle = _RIGHT - _QR / 2
        self._write(middle - self._measure(caption, _SMALL) / 2, y + 4 * mm, caption, _SMALL, grey=_GREY)
        place = y + _QR + 2 * mm
        for name, value in self._paper.signature:
            label = f"{name}："
            self._write(_LEFT, place, label, 10.5, grey=_GREY)
            lines, size = self._fitted(value, _COLUMN - _QR - 34 * mm, 11, 8.5)
            for line in lines:
                self._write(_LEFT + self._measure(label, 10.5), place, line, size)
                place -= 7.4 * mm

    def _draw_code(self, x: float, y: float) -> None:
        """Draw the QR code, a quarter of whose words may be unreadable before it is (level M: 15 % of the bits)."""
        matrix = [list(row) for row in segno.make(self._paper.address, error="m", micro=False).matrix]
        module = _QR / len(matrix)
        self._canvas.setFillGray(0)
        path = self._canvas.beginPath()
        for number, row in enumerate(matrix):
            start = 0
            while start < len(row):
                end = start
                while end < len(row) and row[end]:
                    end += 1
                if end > start:
                    path.rect(x + start * module, y + _QR - (number + 1) * module, (end - start) * module, module)
                start = end + 1
        self._canvas.drawPath(path, stroke=0, fill=1)

    def _foot(self, number: int, count: int) -> None:
        self._rule(18 * mm, 0.4)
        words = f"第{number}页　共{count}页"
        self._write((_WIDTH - self._measure(words, 9)) / 2, 13 * mm, words, 9, grey=_GREY)


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
