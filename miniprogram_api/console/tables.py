"""Tables that people open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence

from miniprogram_api.endpoint import File

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Full-width ones run where the system is Chinese or Japanese."""
CSV = "text/csv"


def csv_file(name: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> File:
    """Give a CSV file that Excel reads as UTF-8 and in which no cell runs as a formula.

    A text that begins with what spreadsheets take for a formula gets an apostrophe before it (OWASP, CSV injection).
    """
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerow(headings)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return File(content=b"\xef\xbb\xbf" + written.getvalue().encode(), name=name)


def _harmless(cell: object) -> object:
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.lstrip(" \u3000").startswith(_RUNS):
        return f"'{cell}"
    return cell
