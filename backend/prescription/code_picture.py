"""The code of a prescription as a picture for the pharmacy's counter: to be scanned, or read aloud."""

import io

import segno
from PIL import Image, ImageDraw, ImageFont

from backend.photographs import CleanPicture
from backend.prescription.rules import pickup_number_said
from backend.records.chart import FONT

_WIDTH, _HEIGHT = 720, 980
_MARGIN = 60
_TITLE, _NUMBER, _HINT = 52, 84, 36
_INK, _FAINT, _PAPER = "#1f2933", "#52606d", "#ffffff"


def draw_code(address: str, pickup_number: str, last_day: str) -> CleanPicture:
    """Draw the code: nothing of the patient, nothing of the medicines.

    Args:
        address: of the verification page. last_day: on which it can be used, such as 11月25日.
    """
    image = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image)
    middle = _WIDTH // 2

    def write(y: int, words: str, size: int, colour: str) -> None:
        pen.text((middle, y), words, font=ImageFont.truetype(str(FONT), size), fill=colour, anchor="ma")

    write(34, "取药码", _TITLE, _INK)
    matrix = [list(row) for row in segno.make(address, error="m", micro=False).matrix]
    module = (_WIDTH - 2 * _MARGIN) // len(matrix)
    left, top = (_WIDTH - module * len(matrix)) // 2, 130
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                corner = left + x * module, top + y * module
                pen.rectangle((*corner, corner[0] + module - 1, corner[1] + module - 1), fill="#000000")
    below = top + module * len(matrix)
    write(below + 10, pickup_number_said(pickup_number), _NUMBER, _INK)
    write(below + 132, "给药店的人扫码，或者报这8个数字", _HINT, _INK)
    write(below + 184, f"最晚{last_day}取药", _HINT, _FAINT)
    written = io.BytesIO()
    image.quantize(16).save(written, "PNG", optimize=True)
    return CleanPicture(written.getvalue(), "image/png", _WIDTH, _HEIGHT)
