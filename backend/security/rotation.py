"""Re-encryption of what is stored under older keys, while the platform runs."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, select, tuple_, type_coerce, update

from backend.db import Base, Database, EncryptedText, key_ring
from backend.security.keyring import key_number
from backend.security.personkeys import is_personal

_BATCH = 200

Progress = Callable[[str, int], None]
"""Called with `table.column` and how many values of it have been encrypted anew so far."""


async def reencrypt(database: Database, progress: Progress = lambda _column, _done: None) -> int:
    """Bring every encrypted value under the newest key of the ring; give how many were brought.

    Run it after `keyring.add_key`. It may be stopped at any moment and run again. A value that somebody writes
    meanwhile is left to them: it is compared before it is replaced.

    Raises:
        KeyRingError: a value opens with no key of the ring. Everything before it is done.
    """
    total = 0
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, EncryptedText):
                total += await _reencrypt_column(database, table, column, progress)
    return total


async def _reencrypt_column(database: Database, table: Table, column: Column[Any], progress: Progress) -> int:
    bound_to = column.type.column  # type: ignore[attr-defined]  # checked by the caller
    raw = type_coerce(column, LargeBinary)
    keys = list(table.primary_key.columns)
    done = 0
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
            progress(bound_to, done)
        if len(rows) < _BATCH:
            return done
        after = rows[-1][:-1]
