"""A person's data on paper: headings and what stands under them. Pure."""

from collections.abc import Sequence

from reportlab.lib.pagesizes import A4

from backend.sheet import GREY, Sheet
from backend.typesetting import wrapped

_WIDTH, _HEIGHT = A4
_MARGIN, _LINE = 56.0, 18.0
_TITLE, _HEADING, _TEXT, _SMALL = 20.0, 13.0, 11.0, 9.0


class _Writer:
    """Writes from the top of a page to its end, and on."""

    def __init__(self, sheet: Sheet, foot: str) -> None:
        self._sheet = sheet
        self._foot = foot
        self._page = 1
        self._y = _HEIGHT - _MARGIN
        self._write_foot()

    def heading(self, text: str) -> None:
        """Write a heading, never as the last line of a page."""
        if self._y < _MARGIN + 4 * _LINE:
            self._turn()
        self.line(text, _HEADING, strong=True, above=14)

    def line(self, text: str, size: float, *, strong: bool = False, above: float = 0.0, indent: float = 0.0) -> None:
        """Write a paragraph, on a new page where this one is full."""
        shown = self._sheet.shown(text)
        width = _WIDTH - 2 * _MARGIN - indent
        self._y -= above
        for part in wrapped(shown, width, lambda one: self._sheet.measure(one, size)):
            if self._y < _MARGIN + _LINE:
                self._turn()
            self._y -= _LINE * max(size / _TEXT, 1)
            self._sheet.write(_MARGIN + indent, self._y, part, size, strong=strong)

    def _turn(self) -> None:
        self._sheet.canvas.showPage()
        self._page += 1
        self._y = _HEIGHT - _MARGIN
        self._write_foot()

    def _write_foot(self) -> None:
        self._sheet.write(_MARGIN, _MARGIN / 2, f"{self._foot}　第{self._page}页", _SMALL, grey=GREY)


def print_copy(sections: Sequence[tuple[str, Sequence[str]]], made_at: str) -> bytes:
    """Give the PDF.

    Args:
        sections: headings with the lines under each. made_at: as it is shown at the foot.
    """
    sheet = Sheet(A4, "我的病历", "桥医")
    writer = _Writer(sheet, f"桥医平台　{made_at} 应本人要求制作")
    writer.line("我的病历", _TITLE, strong=True)
    for heading, lines in sections:
        writer.heading(heading)
        for line in lines:
            writer.line(line, _TEXT, indent=10)
    return sheet.finished()
