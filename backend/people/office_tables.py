"""Tables as offices send them, CSV or Excel, read as rows of text. Pure; slow for large ones, so off the event loop."""

import csv
import io
import zipfile
from datetime import date, datetime
from itertools import islice
from typing import Any

from backend.errors import InvalidInput

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 1_000
_MOST_UNPACKED = 50 * 1024 * 1024
_MOST_COLUMNS = 40
_LONGEST_CELL = 500
_UNREADABLE = "这个文件读不出来，请用 Excel 打开后另存为 .xlsx 或 CSV 再上传。"


def read_table(content: bytes) -> list[list[str]]:
    """Give the rows of the first sheet, without empty ones, each cell as trimmed text.

    Args:
        content: an .xlsx workbook, or CSV in UTF-8 or GB 18030; which, its first bytes tell.

    Raises:
        InvalidInput: it is neither, it is too large, or it has too many rows; the sentence says what to do.
    """
    if len(content) > MOST_BYTES:
        raise InvalidInput("文件太大了，最多2MB，请分几次上传。", field="file")
    rows = _workbook(content) if content.startswith(b"PK") else _csv(content)
    filled = [row for row in rows if any(row)]
    if len(filled) > MOST_ROWS + 1:
        raise InvalidInput(f"行数太多了，一次最多{MOST_ROWS}行，请分几次上传。", field="file")
    return filled


def _workbook(content: bytes) -> list[list[str]]:
    import openpyxl  # a twelfth of what a process imports, and only the console's import of people needs it

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > _MOST_UNPACKED:
                raise InvalidInput("文件展开后太大了，请只保留名单这一张表。", field="file")
        # Read-only, values alone: no formula is computed, no drawing loaded. Its XML goes through defusedxml.
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        # A sheet may claim any size for itself: what is there is counted instead.
        sheet.reset_dimensions()
        rows = islice(sheet.iter_rows(values_only=True), 20 * MOST_ROWS)
        return [[_cell(value) for value in row[:_MOST_COLUMNS]] for row in rows]
    except InvalidInput:
        raise
    except Exception:  # whatever a library of XML in ZIP may raise over a file full of rubbish
        raise InvalidInput(_UNREADABLE, field="file") from None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a licence number in a cell of numbers
    return _text(str(value))


def _csv(content: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InvalidInput(_UNREADABLE, field="file")
    if "\x00" in text or content.startswith(b"\xd0\xcf\x11\xe0"):  # a workbook of before 2007 among others
        raise InvalidInput(_UNREADABLE, field="file")
    first = text.partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    try:
        rows = islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 20 * MOST_ROWS)
        return [[_text(cell) for cell in row[:_MOST_COLUMNS]] for row in rows]
    except csv.Error:
        raise InvalidInput(_UNREADABLE, field="file") from None


def _text(value: str) -> str:
    return value.strip()[:_LONGEST_CELL]
