"""Whether anything of anybody of the source stands in a copy: every value of every table is looked at."""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from backend.db import Base
from backend.masking.copying import read
from backend.masking.masking import Source
from backend.security.keyring import KeyRing

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Leak:
    """Where something of somebody stands; never what."""

    table: str
    column: str


class MaskingRefused(Exception):
    """There is no copy; its text says why, without naming anybody."""


async def leak_in(copy: AsyncConnection, ring: KeyRing, source: Source) -> Leak | None:
    """Give the first place of a copy in which something of the source names somebody; None where there is none.

    Args:
        ring: of the copy.
    """
    for table in Base.metadata.sorted_tables:
        async for rows in read(copy, ring, table):
            for row in rows:
                for column, value in row.items():
                    if _names_somebody(value, source):
                        return Leak(table.name, column)
    return None


def _names_somebody(value: Any, source: Source) -> bool:
    if value is None or isinstance(value, bool | float | date | datetime):
        return False
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text in source.directory or any(found in source.ids for found in _ID.findall(text))
