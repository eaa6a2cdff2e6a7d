"""A page that is drawn: text in the embedded Chinese font, lines, and QR codes, as a PDF file.

Pure, and the same bytes for the same drawing; it imports nothing of the house but the setting of text, for it runs in
processes of their own (`backend.worker_processes`).
"""

import io
from functools import cache
from pathlib import Path

import segno
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from backend.typesetting import printable, wrapped

FONT_FILE = Path(__file__).parent.parent / "data" / "fonts" / "NotoSansSC-Regular.ttf"

GREY = 0.38
"""Of labels and small print, where black is 0."""

_FONT = "NotoSansSC"


@cache
def _glyphs() -> frozenset[int]:
    pdfmetrics.registerFont(TTFont(_FONT, str(FONT_FILE)))
    return frozenset(pdfmetrics.getFont(_FONT).face.charToGlyph)


class Sheet:
    """Pages of one size. What the font lacks is kept in `missing`, in the order in which it came.

    Args:
        size: width and height in points. title, author: of the file.
    """

    def __init__(self, size: tuple[float, float], title: str, author: str) -> None:
        self._glyphs = _glyphs()
        self._file = io.BytesIO()
        self.missing: dict[str, None] = {}
        self.canvas = Canvas(self._file, pagesize=size, invariant=1, pageCompression=1, lang="zh-CN")
        self.canvas.setTitle(title)
        self.canvas.setAuthor(author)
        self.canvas.setCreator("桥医")

    def finished(self) -> bytes:
        """Give the file."""
        self.canvas.save()
        return self._file.getvalue()

    def shown(self, text: str) -> str:
        """Give a text as it can be printed."""
        shown, missing = printable(text, self._glyphs)
        self.missing |= dict.fromkeys(missing)
        return shown

    @staticmethod
    def measure(text: str, size: float) -> float:
        """Give the width of a text in points."""
        return float(pdfmetrics.stringWidth(text, _FONT, size))

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        strong: bool = False,
        grey: float = 0.0,
        colour: tuple[float, float, float] | None = None,
    ) -> None:
        """Write a text whose base line begins at a place, in grey or in a colour (red, green and blue, 0 to 1)."""
        self.canvas.setFont(_FONT, size)
        self.canvas.setFillColorRGB(*(colour or (grey, grey, grey)))
        self.canvas.setStrokeColorRGB(*(colour or (grey, grey, grey)))
        self.canvas.setLineWidth(size * 0.035)  # an outline of the same colour makes a letter bold
        self.canvas.drawString(x, y, text, mode=2 if strong else None)

    def fitted(self, text: str, width: float, size: float, smallest: float) -> tuple[list[str], float]:
        """Give a short text on one line, smaller where it has to be, else on more lines; and its size."""
        shown = " ".join(self.shown(text).split("\n"))
        while size > smallest and self.measure(shown, size) > width:
            size -= 0.5
        return list(wrapped(shown, width, lambda part: self.measure(part, size))), size

    def rule(self, left: float, right: float, y: float, weight: float = 0.6) -> None:
        """Draw a horizontal line."""
        self.canvas.setStrokeGray(0.15)
        self.canvas.setLineWidth(weight)
        self.canvas.line(left, y, right, y)

    def code(self, x: float, y: float, size: float, address: str) -> None:
        """Draw a QR code, a quarter of whose words may be unreadable before it is (level M: 15 % of the bits)."""
        matrix = [list(row) for row in segno.make(address, error="m", micro=False).matrix]
        module = size / len(matrix)
        self.canvas.setFillGray(0)
        path = self.canvas.beginPath()
        for number, row in enumerate(matrix):
            start = 0
            while start < len(row):
                end = start
                while end < len(row) and row[end]:
                    end += 1
                if end > start:
                    path.rect(x + start * module, y + size - (number + 1) * module, (end - start) * module, module)
                start = end + 1
        self.canvas.drawPath(path, stroke=0, fill=1)
