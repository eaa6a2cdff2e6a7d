"""Re-encryption of what is stored under older keys, while the platform runs."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, func, select, tuple_, type_coerce, update

from backend.db import Base, Database, EncryptedText, key_ring
from backend.security.keyring import HEAD_BYTES, key_number
from backend.security.personkeys import is_personal

_BATCH = 200

Progress = Callable[[str, int, int], None]
"""Called with `table.column`, how many values of all have been looked at so far, and how many there were to look at."""


async def reencrypt(database: Database, progress: Progress = lambda _column, _seen, _all: None) -> int:
    """Bring every encrypted value under the newest key of the ring; give how many were brought.

    Run it after `keyring.add_key`. It may be stopped at any moment and run again. A value that somebody writes
    meanwhile is left to them: it is compared before it is replaced. What lies under the key of a person stays: their
    key comes under the newest one (`PersonKeys.rewrap`).

    Raises:
        KeyRingError: a value opens with no key of the ring. Everything before it is done.
    """
    columns = [
        (table, column)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, EncryptedText)
    ]
    async with database.reading() as session:
        counts = [await session.scalar(select(func.count(column))) or 0 for _, column in columns]
    changed = before = 0
    for (table, column), count in zip(columns, counts, strict=True):

        def seen(name: str, number: int, before: int = before) -> None:
            progress(name, min(before + number, sum(counts)), sum(counts))

        changed += await _reencrypt_column(database, table, column, seen)
        before += count
    return changed


async def unfinished(database: Database) -> bool:
    """Tell whether a value lies under an older key of the ring: a rotation was stopped before its end."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, EncryptedText) and await _has_older(database, column):
                return True
    return False


async def _has_older(database: Database, column: Column[Any]) -> bool:
    # The number of its key is the second to fifth byte of a value under the ring.
    header = func.substr(type_coerce(column, LargeBinary), 1, HEAD_BYTES, type_=LargeBinary)
    async with database.reading() as session:
        found = await session.scalars(select(header).where(column.is_not(None)).distinct())
        return any(not is_personal(head) and key_number(head) != key_ring().active for head in found)


async def _reencrypt_column(
    database: Database, table: Table, column: Column[Any], seen: Callable[[str, int], None]
) -> int:
    bound_to = column.type.column  # type: ignore[attr-defined]  # checked by the caller
    raw = type_coerce(column, LargeBinary)
    keys = list(table.primary_key.columns)
    done = looked = 0
    after: tuple[Any, ...] | None = None
    while True:
        query = select(*keys, raw).where(column.is_not(None)).order_by(*keys).limit(_BATCH)
        if after is not None:
            query = query.where(tuple_(*keys) > after)
        async with database.reading() as session:
            rows = [tuple(row) for row in (await session.execute(query)).all()]
        stale = [row for row in rows if not is_personal(row[-1]) and key_number(row[-1]) != key_ring().active]
        if stale:
            async with database.transaction() as session:
                for *key, stored in stale:
                    fresh = key_ring().encrypt(key_ring().decrypt(stored, bound_to), bound_to)
                    same = [part == value for part, value in zip(keys, key, strict=True)]
                    change = update(table).where(*same, raw == stored).values({column: type_coerce(fresh, LargeBinary)})
                    done += (await session.execute(change)).rowcount  # type: ignore[attr-defined]  # of an UPDATE
        looked += len(rows)
        seen(bound_to, looked)
        if len(rows) < _BATCH:
            return done
        after = rows[-1][:-1]
