"""Everything that is kept, as one stream of records, and back again: rows of all tables, files of folders, objects of a
store.

The rows are read in one transaction that sees one moment (a snapshot), as the driver gives them: what is encrypted
stays so. The same stream can be restored into SQLite or MariaDB. Files are read after the rows: a file is written
before its row is, so that every row finds its file.
"""

import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from sqlalchemy import Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.db import Base
from backend.imaging.objects import ObjectMissing, ObjectStore, StoredObject

_ROWS = 500
_PIECE = 1 << 20
_MOST_HEAD = 1 << 24

Head = dict[str, Any]


class BackupRefused(Exception):
    """A backup that cannot be used here; its text says why."""


class Sink(Protocol):
    """Takes bytes."""

    def write(self, data: bytes) -> None:
        """Take some."""


class Source(Protocol):
    """Gives bytes."""

    def read(self, count: int) -> bytes:
        """Give exactly so many."""


async def dump(
    engine: AsyncEngine, folders: Mapping[str, Path], sink: Sink, made_at: datetime, objects: ObjectStore | None = None
) -> Counter[str]:
    """Write everything; give how many rows, files and objects there were, under `rows`, `files` and `objects`.

    Args:
        folders: by the name under which they are restored; one that is not there is left out. A path to a file is that
            file alone.
        objects: a store whose objects are read one after another, a megabyte or some at a time.

    Raises:
        BackupRefused: a file or an object became shorter while it was read. OSError: one cannot be read.
    """
    counts: Counter[str] = Counter(rows=0, files=0, objects=0)
    tables = {table.name: [column.name for column in table.columns] for table in Base.metadata.sorted_tables}
    _write(sink, {"kind": "manifest", "made_at": made_at.isoformat(), "tables": tables})
    async with engine.connect() as connection:
        await begin_snapshot(connection)
        for table in Base.metadata.sorted_tables:
            async for rows in _rows(connection, table):
                counts["rows"] += len(rows)
                _write(sink, {"kind": "rows", "table": table.name, "count": len(rows)}, _encoded(rows))
    for name, folder in folders.items():
        for path in _files(folder):
            counts["files"] += _write_file(sink, name, folder, path)
    if objects is not None:
        async for found in objects.list():
            counts["objects"] += await _write_object(sink, objects, found)
    _write(sink, {"kind": "end", **counts})
    return counts


async def begin_snapshot(connection: AsyncConnection) -> None:
    """Let whatever is read on `connection` from now on be of one moment."""
    if connection.dialect.name == "mysql":
        await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT")
    else:
        await connection.execution_options(read_only=True)


async def _rows(connection: AsyncConnection, table: Table) -> AsyncIterator[Sequence[Any]]:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in table.columns)
    result = await connection.stream(text(f"SELECT {columns} FROM {quote(table.name)}"))  # noqa: S608  # our own names
    async for part in result.partitions(_ROWS):
        yield part


def _encoded(rows: Sequence[Any]) -> bytes:
    return json.dumps([[_plain(value) for value in row] for row in rows], ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    return str(value) if isinstance(value, date | Decimal) else value


def _back(value: Any) -> Any:
    return base64.b64decode(value["bytes"]) if isinstance(value, dict) else value


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
    elif folder.is_dir():
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))


def _write_file(sink: Sink, name: str, folder: Path, path: Path) -> int:
    try:
        file = path.open("rb")
    except FileNotFoundError:  # removed since it was listed, with its row
        return 0
    with file:
        size = path.stat().st_size
        place = "" if path == folder else path.relative_to(folder).as_posix()
        _write(sink, {"kind": "file", "folder": name, "path": place, "size": size})
        left = size
        while left:
            piece = file.read(min(_PIECE, left))
            if not piece:
                raise BackupRefused(f"{path} became shorter while it was read")
            sink.write(piece)
            left -= len(piece)
    return 1


async def _write_object(sink: Sink, objects: ObjectStore, found: StoredObject) -> int:
    pieces = objects.get(found.id)
    try:
        piece = await anext(pieces, b"")
    except ObjectMissing:  # removed since it was listed, with its row
        return 0
    _write(sink, {"kind": "object", "id": found.id, "size": found.size})
    left = found.size
    while piece:
        sink.write(piece)
        left -= len(piece)
        piece = await anext(pieces, b"")
    if left:
        raise BackupRefused(f"object {found.id} changed while it was read")
    return 1


def _write(sink: Sink, head: Head, body: bytes = b"") -> None:
    told = json.dumps(head | ({"size": len(body)} if body else {})).encode()
    sink.write(len(told).to_bytes(4, "big") + told + body)


def check(source: Source) -> Counter[str]:
    """Read everything to its end without using anything; give the counts.

    Raises:
        BackupRefused: it is not whole, or was made by a version with other tables.
        StreamDamaged: of a sealed source.
    """
    counts: Counter[str] = Counter(rows=0, files=0, objects=0)
    head = _head(source)
    if head.get("kind") != "manifest":
        raise BackupRefused("it does not begin as a backup does")
    ours = {table.name: [column.name for column in table.columns] for table in Base.metadata.sorted_tables}
    if {name: sorted(columns) for name, columns in head["tables"].items()} != {
        name: sorted(columns) for name, columns in ours.items()
    }:
        raise BackupRefused(
            "it was made by a version of Qiaoyi with other tables: restore it with that one, then update"
        )
    while (head := _head(source))["kind"] != "end":
        counts["rows"] += head.get("count", 0)
        counts["files"] += head["kind"] == "file"
        counts["objects"] += head["kind"] == "object"
        for _ in _pieces(source, head["size"]):
            pass
    if {name: head[name] for name in counts} != dict(counts):
        raise BackupRefused("something of it is missing")
    return counts


async def load(
    engine: AsyncEngine, folders: Mapping[str, Path], source: Source, objects: ObjectStore | None = None
) -> None:
    """Put everything back: rows into tables that are there and empty, in one transaction, files and objects beside
    them.

    Call `check` over the whole of it before.

    Raises:
        BackupRefused: a table holds something, or a file would lie outside its folder.
    """
    tables = {table.name: table for table in Base.metadata.sorted_tables}
    columns: dict[str, list[str]] = _head(source)["tables"]
    async with engine.connect() as connection:
        if connection.dialect.name == "mysql":
            await connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS = 0")
        else:
            await connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for table in tables.values():
            if await connection.scalar(select(func.count()).select_from(table)):
                raise BackupRefused(f"the database is not empty: {table.name} holds something")
        while (head := _head(source))["kind"] != "end":
            if head["kind"] == "rows":
                rows = json.loads(source.read(head["size"]))
                await _insert(connection, head["table"], columns[head["table"]], rows)
            elif head["kind"] == "object":
                await _put_object(objects, head, source)
            else:
                _place(folders, head, source)
        await connection.commit()


async def _insert(connection: AsyncConnection, table: str, columns: Sequence[str], rows: list[list[Any]]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    names, marks = ", ".join(map(quote, columns)), ", ".join(f":c{number}" for number in range(len(columns)))
    statement = text(f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})")  # noqa: S608  # names were checked
    values = [{f"c{number}": _back(value) for number, value in enumerate(row)} for row in rows]
    await connection.execute(statement, values)


def _place(folders: Mapping[str, Path], head: Head, source: Source) -> None:
    base = folders.get(head["folder"])
    if base is None:
        raise BackupRefused(f"there is no place here for {head['folder']}")
    path = base / head["path"] if head["path"] else base
    if not path.resolve().is_relative_to(base.resolve()):
        raise BackupRefused("a file would lie outside its folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _fresh(path) as file:
        for piece in _pieces(source, head["size"]):
            file.write(piece)


async def _put_object(objects: ObjectStore | None, head: Head, source: Source) -> None:
    if objects is None:
        raise BackupRefused("there is no store of images here")

    async def pieces() -> AsyncIterator[bytes]:
        for piece in _pieces(source, head["size"]):
            yield piece

    await objects.put(head["id"], pieces())


def _fresh(path: Path) -> BinaryIO:
    file = path.open("xb")
    path.chmod(0o600)
    return file


def _pieces(source: Source, size: int) -> Iterator[bytes]:
    while size:
        piece = source.read(min(size, _PIECE))
        size -= len(piece)
        yield piece


def _head(source: Source) -> Head:
    length = int.from_bytes(source.read(4), "big")
    if length > _MOST_HEAD:
        raise BackupRefused("a record is damaged")
    try:
        head: Head = json.loads(source.read(length))
    except ValueError:
        raise BackupRefused("a record is damaged") from None
    return {"size": 0} | head
