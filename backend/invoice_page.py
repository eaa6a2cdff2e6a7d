"""The receipt of a settled charge on paper: one A5 page on its side, in the layout of a Chinese invoice, sealed.

Pure but for the seal, which states a moment; it imports nothing of the house but the sheet and the seal, for it runs in
a process of its own (`backend.worker_processes`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reportlab.lib.pagesizes import A5, landscape
from reportlab.lib.units import mm

from backend.pdf_seal import Seal, sealed
from backend.sheet import GREY, Sheet
from backend.typesetting import wrapped

_WIDTH, _HEIGHT = landscape(A5)
_LEFT, _RIGHT = 12 * mm, _WIDTH - 12 * mm
_COLUMN = _RIGHT - _LEFT
_TOP = _HEIGHT - 12 * mm
_ROW = 7.4 * mm
_SMALL = 8.5
_RED = (0.72, 0.11, 0.11)


@dataclass(frozen=True)
class InvoicePage:
    """What is printed; every text as people read it.

    Args:
        issuer: whose receipt it is. facts: rows of pairs of name and value.
        lines: what was charged: name, and amount.
        total: with its sign; capitals: the same in figures that cannot be altered.
        parts: who paid what, those who paid nothing included.
        stamp: in red over the page, where the receipt counts no more; else empty.
    """

    title: str
    issuer: str
    number: str
    facts: tuple[tuple[tuple[str, str], ...], ...] = field(repr=False)
    lines: tuple[tuple[str, str], ...]
    total: str
    capitals: str
    parts: tuple[tuple[str, str], ...]
    notices: tuple[str, ...]
    stamp: str = ""


def print_invoice(page: InvoicePage) -> bytes:
    """Give the PDF file, without a seal."""
    return _Printer(page).print()


def print_sealed_invoice(page: InvoicePage, seal: Seal, at: datetime) -> bytes:
    """Give the PDF file with the platform's seal over it, which states the moment `at`."""
    return sealed(print_invoice(page), seal, at, page.title)


class _Printer(Sheet):
    def __init__(self, page: InvoicePage) -> None:
        super().__init__((_WIDTH, _HEIGHT), f"{page.title} {page.number}", page.issuer)
        self._page = page

    def print(self) -> bytes:
        y = self._head()
        y = self._facts(y)
        y = self._lines(y - 3 * mm)
        y = self._sum(y)
        self._parts(y - 3.4 * mm)
        self._foot()
        if self._page.stamp:
            self._stamp()
        self.canvas.showPage()
        return self.finished()

    def _head(self) -> float:
        page = self._page
        y: float = _TOP - 4 * mm
        self.write((_WIDTH - self.measure(page.title, 17)) / 2, y, page.title, 17, strong=True)
        y -= 7 * mm
        self.write(_LEFT, y, self.shown(page.issuer), 9, grey=GREY)
        number = f"票据号码：{self.shown(page.number)}"
        self.write(_RIGHT - self.measure(number, 9), y, number, 9, grey=GREY)
        y -= 2.2 * mm
        self.rule(_LEFT, _RIGHT, y, 1.0)
        return y

    def _facts(self, y: float) -> float:
        for row in self._page.facts:
            y -= 6 * mm
            width = _COLUMN / len(row)
            for column, (name, value) in enumerate(row):
                x = _LEFT + column * width
                label = f"{name}："
                self.write(x, y, label, 9.5, grey=GREY)
                shift = self.measure(label, 9.5)
                lines, size = self.fitted(value, width - shift - 2 * mm, 10, 7)
                self.write(x + shift, y, lines[0], size)
        return y - 2 * mm

    def _lines(self, y: float) -> float:
        self._row(y, "项目", "金额（元）", 9.5, grey=GREY)
        self.rule(_LEFT, _RIGHT, y, 0.8)
        y -= _ROW
        self.rule(_LEFT, _RIGHT, y, 0.4)
        for name, amount in self._page.lines:
            self._row(y, name, amount, 11)
            y -= _ROW
        return y

    def _sum(self, y: float) -> float:
        self.rule(_LEFT, _RIGHT, y, 0.8)
        self._row(y, f"合计（大写）　{self._page.capitals}", f"（小写）{self._page.total}", 11, strong=True)
        y -= _ROW
        self.rule(_LEFT, _RIGHT, y, 0.8)
        return y

    def _row(self, y: float, name: str, amount: str, size: float, *, strong: bool = False, grey: float = 0.0) -> None:
        base = y - _ROW + 2.3 * mm
        width = self.measure(amount, size)
        lines, fitted = self.fitted(name, _COLUMN - width - 8 * mm, size, 7)
        self.write(_LEFT + 2 * mm, base, lines[0], fitted, strong=strong, grey=grey)
        self.write(_RIGHT - 2 * mm - width, base, amount, size, strong=strong, grey=grey)

    def _parts(self, y: float) -> None:
        """Who paid what, side by side."""
        self.write(_LEFT, y - 4 * mm, "谁付的钱", 9.5, grey=GREY)
        y -= 10.5 * mm
        width = _COLUMN / len(self._page.parts)
        for column, (name, amount) in enumerate(self._page.parts):
            x = _LEFT + column * width
            self.write(x, y, name, 9.5, grey=GREY)
            self.write(x, y - 6 * mm, amount, 12, strong=True)

    def _foot(self) -> None:
        notices = list(self._page.notices)
        if self.missing:
            codes = "、".join(f"[U+{ord(mark):04X}]" for mark in self.missing)
            notices.insert(0, f"{codes} 处的字打印不出来，请看手机上的账单。")
        issuer = f"开具：{self.shown(self._page.issuer)}（电子签章）"
        self.write(_RIGHT - self.measure(issuer, 10), 34 * mm, issuer, 10)
        lines = [line for notice in notices for line in self._wrapped(notice)]
        y = 9 * mm + (len(lines) - 1) * _SMALL * 1.5
        self.rule(_LEFT, _RIGHT, y + 5 * mm, 0.4)
        for line in lines:
            self.write(_LEFT, y, line, _SMALL, grey=GREY)
            y -= _SMALL * 1.5

    def _wrapped(self, text: str) -> Sequence[str]:
        return list(wrapped(self.shown(text), _COLUMN, lambda part: self.measure(part, _SMALL)))

    def _stamp(self) -> None:
        size = 26.0
        width = self.measure(self._page.stamp, size) + 12 * mm
        canvas = self.canvas
        canvas.saveState()
        canvas.translate(_WIDTH * 0.36, 42 * mm)
        canvas.rotate(8)
        canvas.setStrokeColorRGB(*_RED)
        canvas.setLineWidth(2)
        canvas.roundRect(-width / 2, -9 * mm, width, 18 * mm, 2 * mm, stroke=1, fill=0)
        self.write(-width / 2 + 6 * mm, -3.4 * mm, self._page.stamp, size, colour=_RED)
        canvas.restoreState()
