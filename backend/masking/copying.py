"""Rows out of a database under its keys, and into another under its own."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import LargeBinary, Table, bindparam, insert, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.db import Base, EncryptedBytes, EncryptedJSON, EncryptedText, PersonalText
from backend.rights.holdings import HOLDINGS
from backend.security.errors import PersonKeyDestroyed
from backend.security.keyring import KeyRing

BATCH = 500

Row = dict[str, Any]


async def read(connection: AsyncConnection, ring: KeyRing, table: Table) -> AsyncIterator[list[Row]]:
    """Give the rows of a table, decrypted, some at a time; what lies under a key that was destroyed is None."""
    columns = [
        type_coerce(column, LargeBinary).label(column.name) if isinstance(column.type, EncryptedText) else column
        for column in table.columns
    ]
    result = await connection.stream(select(*columns))
    async for part in result.mappings().partitions(BATCH):
        yield [{column.name: _opened(ring, column.type, row[column.name]) for column in table.columns} for row in part]


def _opened(ring: KeyRing, kind: Any, stored: Any) -> Any:
    if stored is None or not isinstance(kind, EncryptedText):
        return stored
    try:
        plain = ring.decrypt(stored, kind.column)
    except PersonKeyDestroyed:
        return None
    if isinstance(kind, EncryptedBytes):
        return plain
    return json.loads(plain) if isinstance(kind, EncryptedJSON) else plain.decode()


async def write(connection: AsyncConnection, ring: KeyRing, table: Table, rows: Sequence[Row]) -> None:
    """Put rows into a table, encrypted as their columns say; what is somebody's own under a key of theirs."""
    if not rows:
        return
    values: dict[str, Any] = {
        column.name: bindparam(f"v_{column.name}", type_=LargeBinary)
        if isinstance(column.type, EncryptedText)
        else bindparam(f"v_{column.name}", type_=column.type)
        for column in table.columns
    }
    values_of = [
        {f"v_{column.name}": sealed(ring, table, column.name, column.type, row) for column in table.columns}
        for row in rows
    ]
    await connection.execute(insert(table).values(values), values_of)


def sealed(ring: KeyRing, table: Table, name: str, kind: Any, row: Row) -> Any:
    """Give a value of a row as it is stored: encrypted where its column says so, under whose key it belongs."""
    value = row[name]
    if not isinstance(kind, EncryptedText) or (value is None and table.c[name].nullable):
        return value
    text = json.dumps(value, ensure_ascii=False) if isinstance(kind, EncryptedJSON) else value or ""
    owner = _owner(table, name, row) if isinstance(kind, PersonalText) else None
    return ring.encrypt_for(owner, text.encode(), kind.column)


def _owner(table: Table, column: str, row: Row) -> str | None:
    """Give whose own a personal value is; tables that are written by statements alone say it by their person."""
    kept_as = next(mapper.class_ for mapper in Base.registry.mappers if mapper.local_table is table)
    if not hasattr(kept_as, "owner_id"):
        person_id: str = row[HOLDINGS[table.name].by]
        return person_id
    owner: str | None = kept_as(**row).owner_id(column)
    return owner
