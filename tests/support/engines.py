"""What every engine of the tests' process is spared: compiling what another has compiled, and waiting for the disk.

Each test has an engine of its own, where a process of the product has one for as long as it lives. Processes that the
tests start are spared nothing: those that are killed commit as durably as the product does.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.mysql.asyncmy import MySQLDialect_asyncmy
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.util import LRUCache

_STATEMENTS = 3000

_compiled: LRUCache[Any, Any] = LRUCache(_STATEMENTS)


def pytest_configure() -> None:
    # Compiled statements are kept by dialect, of which each engine has its own: those of one kind are alike here.
    for dialect in (SQLiteDialect_aiosqlite, MySQLDialect_asyncmy):
        dialect.__eq__ = _is_alike  # type: ignore[method-assign]
        dialect.__hash__ = _hash_of_kind  # type: ignore[method-assign]
    event.listen(Engine, "engine_connect", _spare)


def _is_alike(self: object, other: object) -> bool:
    return type(self) is type(other)


def _hash_of_kind(self: object) -> int:
    return hash(type(self))


def _spare(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_compiled)
    driven, info = connection.connection, connection.connection.info
    if connection.dialect.name == "sqlite" and not info.get("spared"):
        info["spared"] = True  # its other settings are those of the product
        cursor = driven.cursor()
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()
