"""Pages of a list ordered by a moment and an identifier, the latest first: where one ended, and what comes after."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, or_

from backend.errors import InvalidInput

Row = TypeVar("Row")

LONGEST = 100
"""Most rows of a page."""

_CURSOR = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00)_(?P<id>[0-9a-f]{32})")


def cursor(at: datetime, identifier: str) -> str:
    """Give what the next page is asked with, from the last row of this one."""
    return f"{at.isoformat()}_{identifier}"


def older(position: str, at: Any, identifier: Any) -> ColumnElement[bool]:
    """Give the condition that a row comes after the one of a cursor, by its columns.

    Raises:
        InvalidInput: it is no cursor.
    """
    parts = _CURSOR.fullmatch(position)
    if parts is None:
        raise InvalidInput("翻页的位置不对，请从第一页重新看。", field="cursor")
    moment = datetime.fromisoformat(parts["at"])
    return or_(at < moment, (at == moment) & (identifier < parts["id"]))


def cut(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], bool]:
    """Give a page of the rows that were read, one more than it holds, and whether there is another."""
    return rows[:limit], len(rows) > limit
