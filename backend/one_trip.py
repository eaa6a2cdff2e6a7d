"""A connection to SQLite that makes one trip to its thread for a statement, where aiosqlite and SQLAlchemy make four.

SQLite blocks, so aiosqlite gives each connection a thread of its own. SQLAlchemy asks it for a cursor, to execute, for
the rows and to close the cursor, and each of these waits for that thread and wakes the event loop again. That takes
longer than most statements take SQLite.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Self

import aiosqlite

_FIRST = 500
"""So many rows come with the statement itself; of longer answers the rest is fetched as it is asked for."""
_CHUNK = 64


class OneTripCursor:
    """What SQLAlchemy asks of a cursor.

    Attributes:
        description, rowcount, lastrowid: as in PEP 249, of the statement that was executed last.
    """

    def __init__(self, connection: "OneTripConnection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self._rest: sqlite3.Cursor | None = None
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        """Nothing is opened yet."""
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Execute a statement, and fetch what it answers."""
        await self._connection.in_thread(self._run, sqlite3.Cursor.execute, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Self:
        """Execute a statement that answers nothing, once for each of `parameters`."""
        await self._connection.in_thread(self._run, sqlite3.Cursor.executemany, sql, parameters)
        return self

    def _run(self, execute: Any, sql: str, parameters: Any) -> None:
        """In the thread of the connection."""
        cursor = self._connection.plain.cursor()
        try:
            execute(cursor, sql, parameters)
            self._rows = cursor.fetchmany(_FIRST) if cursor.description else []
        except BaseException:
            cursor.close()
            raise
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        if len(self._rows) < _FIRST:
            cursor.close()
        else:
            self._rest = cursor

    async def fetchone(self) -> Any:
        """Give the next row, None after the last."""
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """Give so many rows, fewer at the end."""
        size = self.arraysize if size is None else size
        rows, self._rows = self._rows[:size], self._rows[size:]
        if len(rows) < size and self._rest is not None:
            rows += await self._connection.in_thread(self._rest.fetchmany, size - len(rows))
        return rows

    async def fetchall(self) -> list[Any]:
        """Give all rows that were not given yet."""
        rows, self._rows = self._rows, []
        if self._rest is not None:
            rows += await self._connection.in_thread(self._rest.fetchall)
        return rows

    async def close(self) -> None:
        """Let go of what is left of a long answer."""
        self._rows = []
        if self._rest is not None:
            rest, self._rest = self._rest, None
            await self._connection.in_thread(rest.close)


class OneTripConnection(aiosqlite.Connection):
    """aiosqlite's connection with such cursors."""

    @classmethod
    def connect(cls, database: str, **options: Any) -> Self:
        """Give a connection that opens when it is awaited; its thread ends with the process."""
        connection = cls(lambda: sqlite3.connect(database, **options), _CHUNK)
        connection._thread.daemon = True
        return connection

    @property
    def plain(self) -> sqlite3.Connection:
        """The connection itself, for its own thread alone."""
        return self._conn

    async def in_thread(self, function: Any, *arguments: Any) -> Any:
        """Call a function in the thread of the connection."""
        return await self._execute(function, *arguments)  # type: ignore[no-untyped-call]

    def cursor(self) -> OneTripCursor:  # type: ignore[override]  # SQLAlchemy enters it alike
        """Give a cursor; nothing waits for the thread yet."""
        return OneTripCursor(self)
