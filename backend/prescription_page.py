"""A prescription on paper: one A5 page in the layout of a Chinese prescription form (处方管理办法 附件1), sealed.

Head (前记): institution, patient, department, diagnosis, date. Body (正文): Rp. and at most five medicines; a stroke
through what is left empty (第6条第10项). Foot (后记): who signed and reviewed, room for those who dispense. The form of
an emergency is pale yellow, a child's pale green, and each says so in its corner; prices are the pharmacy's.

Pure but for the seal, which states a moment; it imports nothing of the house but the sheet and the seal, for it runs in
a process of its own (`backend.worker_processes`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reportlab.lib.pagesizes import A5
from reportlab.lib.units import mm

from backend.pdf_seal import Seal, sealed
from backend.sheet import GREY, Sheet
from backend.typesetting import wrapped

_WIDTH, _HEIGHT = A5
_LEFT, _RIGHT = 12 * mm, _WIDTH - 12 * mm
_COLUMN = _RIGHT - _LEFT
_TOP = _HEIGHT - 11 * mm
_BODY = 10.5
_SMALL = 7.5
_FOOT = 56 * mm
_QR = 24 * mm
_INDENT = 6 * mm
_TINTS = {"急诊": (1.0, 0.985, 0.88), "儿科": (0.92, 0.985, 0.92)}
_SMALLEST = 7.0


@dataclass(frozen=True)
class Page:
    """What is printed; every text as people read it.

    Args:
        category: 普通, 急诊 or 儿科. facts: the rows of the head, each of pairs of name and value.
        medicines: of each what it is, how many packs are handed out, and how it is taken.
        remarks: why a warning does not hold, in the doctor's words.
        signatures: pairs of who and their name; an empty name is written by hand.
        address: where the QR code leads. pickup: the digits by which the prescription is called at a counter.
    """

    institution: str
    number: str
    category: str
    facts: tuple[tuple[tuple[str, str], ...], ...] = field(repr=False)
    medicines: tuple[tuple[str, str, str], ...] = field(repr=False)
    remarks: tuple[str, ...] = field(repr=False)
    signatures: tuple[tuple[str, str], ...] = field(repr=False)
    valid_until: str
    notices: tuple[str, ...]
    address: str = field(repr=False)
    pickup: str = field(repr=False)


def print_prescription(page: Page) -> bytes:
    """Give the PDF file, without a seal."""
    return _Printer(page).print()


def print_sealed(page: Page, seal: Seal, at: datetime) -> bytes:
    """Give the PDF file with the platform's seal over it, which states the moment `at`."""
    return sealed(print_prescription(page), seal, at, "药师审核通过的处方")


class _Printer(Sheet):
    def __init__(self, page: Page) -> None:
        super().__init__(A5, f"处方笺 {page.number}", page.institution)
        self._page = page

    def print(self) -> bytes:
        self._tint()
        top = self._head()
        bottom = _FOOT + 2 * mm
        self._body(top, bottom)
        self._foot()
        self.canvas.showPage()
        return self.finished()

    def _tint(self) -> None:
        tint = _TINTS.get(self._page.category)
        if tint is not None:
            self.canvas.setFillColorRGB(*tint)
            self.canvas.rect(0, 0, _WIDTH, _HEIGHT, stroke=0, fill=1)

    def _head(self) -> float:
        page = self._page
        mark = page.category
        width = self.measure(mark, 11) + 5 * mm
        self.canvas.setStrokeGray(0.15)
        self.canvas.setLineWidth(0.8)
        self.canvas.roundRect(_RIGHT - width, _TOP - 6.5 * mm, width, 7 * mm, 1.2 * mm, stroke=1, fill=0)
        self.write(_RIGHT - width + 2.5 * mm, _TOP - 4.6 * mm, mark, 11, strong=True)
        lines, size = self.fitted(page.institution, _COLUMN - 2 * width - 4 * mm, 15, 10)
        y = _TOP - 4 * mm
        for line in lines:
            self.write((_WIDTH - self.measure(line, size)) / 2, y, line, size, strong=True)
            y -= size * 1.3
        y -= 2
        title = "处　方　笺"
        self.write((_WIDTH - self.measure(title, 13)) / 2, y, title, 13, strong=True)
        y -= 5.5 * mm
        self.write(_LEFT, y, f"处方编号：{self.shown(page.number)}", 8, grey=GREY)
        pay = "费别：□ 医保　□ 自费"
        self.write(_RIGHT - self.measure(pay, 8), y, pay, 8, grey=GREY)
        y -= 2 * mm
        self.rule(_LEFT, _RIGHT, y, 1.0)
        for row in page.facts:
            y -= self._row(row, y)
        y -= 2.4 * mm
        self.rule(_LEFT, _RIGHT, y)
        return y

    def _row(self, row: Sequence[tuple[str, str]], y: float) -> float:
        """Write a row of the head below `y`; give its height."""
        width = _COLUMN / len(row)
        height = 5.4 * mm
        for column, (name, value) in enumerate(row):
            x = _LEFT + column * width
            label = f"{name}："
            self.write(x, y - 4.6 * mm, label, 9, grey=GREY)
            lines, size = self.fitted(value, width - self.measure(label, 9) - 1.5 * mm, 9.5, 7.5)
            for number, line in enumerate(lines):
                self.write(x + self.measure(label, 9), y - 4.6 * mm - number * 4.2 * mm, line, size)
            height = max(height, 5.4 * mm + (len(lines) - 1) * 4.2 * mm)
        return height

    def _body(self, top: float, bottom: float) -> None:
        self.write(_LEFT, top - 7 * mm, "Rp.", 15, strong=True)
        size = self._size_that_fits(top - 9 * mm - bottom)
        y = top - 9 * mm
        for line, indent, packs in self._lines(size):
            y -= size * 1.42
            self.write(_LEFT + indent, y, line, size)
            self.write(_RIGHT - self.measure(packs, size), y, packs, size, strong=True)
        y -= 2.4 * mm
        if y - bottom > 6 * mm:  # what is left is struck through, so that nothing can be added
            self.canvas.setStrokeGray(0.35)
            self.canvas.setLineWidth(0.7)
            self.canvas.line(_RIGHT - 6 * mm, y, _LEFT + 14 * mm, bottom + 2 * mm)
            words = "（以下空白）"
            self.write(_LEFT + _INDENT, y - 3 * mm, words, _SMALL, grey=GREY)

    def _size_that_fits(self, room: float) -> float:
        size = _BODY
        while size > _SMALLEST and len(self._lines(size)) * size * 1.42 > room:
            size -= 0.25
        return size

    def _lines(self, size: float) -> list[tuple[str, float, str]]:
        """Give the lines of the body with their indent, and what stands at their right end."""
        found: list[tuple[str, float, str]] = []
        width = _COLUMN - _INDENT
        for number, (what, packs, how) in enumerate(self._page.medicines, 1):
            room = width - self.measure(packs, size) - 4 * mm
            first, *rest = self._wrapped(what, room, size)
            found += [(f"{number}. {first}", 0.0, self.shown(packs)), *((line, _INDENT, "") for line in rest)]
            found += [(line, _INDENT, "") for line in self._wrapped(f"用法：{how}", width, size)]
        for remark in self._page.remarks:  # not indented: they are of the whole, not of the last medicine
            found += [(line, 0.0, "") for line in self._wrapped(f"医师注：{remark}", _COLUMN, size)]
        return found

    def _wrapped(self, text: str, width: float, size: float) -> list[str]:
        return list(wrapped(self.shown(text), width, lambda part: self.measure(part, size)))

    def _foot(self) -> None:
        page = self._page
        self.rule(_LEFT, _RIGHT, _FOOT)
        self.code(_RIGHT - _QR, _FOOT - _QR - 3 * mm, _QR, page.address)
        for text, size, down in ((f"取药码 {page.pickup}", 9.0, 7.0), ("扫码核对真伪、能不能用", 6.5, 10.5)):
            x = _RIGHT - (_QR + self.measure(text, size)) / 2
            self.write(min(x, _RIGHT - self.measure(text, size)), _FOOT - _QR - down * mm, text, size)
        y = _FOOT - 6.5 * mm
        for name, value in page.signatures:
            label = f"{name}："
            self.write(_LEFT, y, label, 9, grey=GREY)
            x = _LEFT + self.measure(label, 9)
            if value:
                lines, size = self.fitted(value, _COLUMN - _QR - 4 * mm - (x - _LEFT), 9.5, 7)
                self.write(x, y, lines[0], size)
            else:
                self.rule(x, _LEFT + 52 * mm, y - 1.2 * mm, 0.4)
            y -= 6.4 * mm
        self.write(_LEFT, y - 1, f"有效期到{page.valid_until}（当天还能用），过期作废", 10, strong=True)
        y -= 6 * mm
        notices = list(page.notices)
        if self.missing:
            codes = "、".join(f"[U+{ord(mark):04X}]" for mark in self.missing)
            notices.insert(0, f"{codes} 处的字打印不出来，请看手机上的电子处方。")
        for notice in notices:
            for line in self._wrapped(notice, _COLUMN, _SMALL):
                self.write(_LEFT, y, line, _SMALL, grey=GREY)
                y -= _SMALL * 1.45
