"""The database: engine, transactions that a whole turn can share, and the column types of the house.

SQLite by default; MySQL and what speaks its protocol (MariaDB, TiDB, OceanBase) by address alone.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Dialect,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    event,
    inspect,
    make_url,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapper
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.types import DateTime, TypeEngine

from backend import tracing
from backend.one_trip import OneTripConnection
from backend.security.keyring import KeyRing

# MySQL: 1205 lock wait time-out, 1213 deadlock. SQLite: its messages carry no numbers.
_TRANSIENT_MYSQL = {1205, 1213}

Id = String(32)
"""Type of a column that holds an identifier of `backend.ids`."""

Sequence = BigInteger().with_variant(Integer(), "sqlite")
"""Type of a primary key that counts up (SQLite counts up plain INTEGER keys alone)."""


def coded(kind: type[StrEnum]) -> Enum:
    """Give the type of a column that holds a member of `kind` by its code, as plain text."""
    return Enum(kind, native_enum=False, length=24, values_callable=lambda members: [str(one.value) for one in members])


class Base(DeclarativeBase):
    """Base of every table; constraint names are stated so that migrations can name them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # Microsoft's, Oracle's and everybody's default collations differ; identifiers and codes are compared byte by byte.
    __table_args__: Any = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment, stored as naive UTC with microseconds and given back aware.

    Raises:
        ValueError: a naive datetime was bound.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


_ring: KeyRing | None = None


def install_key_ring(ring: KeyRing) -> None:
    """Let the encrypted columns of this process use `ring`; done once while a process is wired."""
    global _ring
    _ring = ring


def key_ring() -> KeyRing:
    """Give the ring of this process.

    Raises:
        RuntimeError: none was installed, so nothing personal may be read or written.
    """
    if _ring is None:
        raise RuntimeError("no key ring is installed")
    return _ring


class EncryptedText(TypeDecorator[Any]):
    """Text that is encrypted at rest, bound to its column (written `table.column`)."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.MEDIUMBLOB())
        return dialect.type_descriptor(LargeBinary())

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else key_ring().encrypt(self._write(value).encode(), self.column)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else self._read(key_ring().decrypt(value, self.column).decode())

    def _write(self, value: Any) -> str:
        text: str = value
        return text

    def _read(self, text: str) -> Any:
        return text


class EncryptedBytes(EncryptedText):
    """Bytes that are encrypted at rest, bound to their column."""

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else key_ring().encrypt(value, self.column)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else key_ring().decrypt(value, self.column)


class EncryptedJSON(EncryptedText):
    """A JSON value that is encrypted at rest. Assign a fresh value to change it: changes inside are not seen."""

    cache_ok = True

    def _write(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def _read(self, text: str) -> Any:
        return json.loads(text)


@dataclass(frozen=True)
class Owned:
    """A value for a personal column, and whose own it is: nobody's where it has to be kept, whatever they ask for."""

    person_id: str | None
    value: Any


class PersonalText(EncryptedText):
    """Text that is encrypted under the key of the person whose own it is, so that it goes everywhere with that key.

    Rows that are added as objects say whose they are by `owner_id(column)` of their class; statements bind `Owned`.
    """

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        if not isinstance(value, Owned):
            raise TypeError(f"{self.column} was written without saying whose it is")
        if value.value is None:
            return None
        return key_ring().encrypt_for(value.person_id, self._write(value.value).encode(), self.column)


class PersonalJSON(EncryptedJSON, PersonalText):
    """A JSON value that is encrypted under the key of the person whose own it is."""

    cache_ok = True


def _personal(mapper: Mapper[Any]) -> list[str]:
    return [one.key for one in mapper.column_attrs if isinstance(one.columns[0].type, PersonalText)]


def _say_whose(mapper: Mapper[Any], _connection: Any, target: Any) -> None:
    """Let what is about to be written of an object say whose it is."""
    for name in _personal(mapper):
        value = getattr(target, name)
        if value is not None and inspect(target).attrs[name].history.has_changes():
            setattr(target, name, Owned(target.owner_id(name), value))


def _take_back(mapper: Mapper[Any], _connection: Any, target: Any) -> None:
    """Show the object's readers the plain value again."""
    for name in _personal(mapper):
        value = getattr(target, name)
        if isinstance(value, Owned):
            set_committed_value(target, name, value.value)


for _moment in ("insert", "update"):
    event.listen(Mapper, f"before_{_moment}", _say_whose)
    event.listen(Mapper, f"after_{_moment}", _take_back)


class Database:
    """One database, and the transactions on it.

    Args:
        url: an SQLAlchemy address, `sqlite+aiosqlite:///…` or `mysql+asyncmy://…`.
        pool_size: connections held open; SQLite writes on one at a time whatever the number.
    """

    def __init__(self, url: str, pool_size: int = 8) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        # Values stay out of error messages, and so out of the log.
        options: dict[str, Any] = {
            "hide_parameters": True,
            "pool_size": pool_size,
            "max_overflow": 0,
            "pool_timeout": 30,
        }
        if self.is_sqlite:
            options["connect_args"] = {"async_creator_fn": OneTripConnection.connect}
        else:
            options |= {"isolation_level": "READ COMMITTED", "pool_recycle": 1800, "pool_pre_ping": True}
        self.engine: AsyncEngine = create_async_engine(parsed, **options)
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        self._writers = async_sessionmaker(self.engine, expire_on_commit=False)
        readers = self.engine.execution_options(read_only=True)
        self._readers = async_sessionmaker(readers, expire_on_commit=False)
        # SQLite lets one connection write at a time and makes the others poll: a fair queue in front of it is faster.
        self._write_queue: asyncio.Lock | None = asyncio.Lock() if self.is_sqlite else None
        self._current: ContextVar[tuple[asyncio.Task[Any] | None, AsyncSession] | None] = ContextVar(
            "current", default=None
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Do everything inside in one transaction, committed at the end, rolled back where something is raised.

        Inside another transaction of the same task this joins it as a savepoint: a service's method is one transaction
        when it is called alone, and part of the turn when a turn calls it.
        """
        outer = self._joined()
        if outer is not None:
            async with outer.begin_nested():
                yield outer
            return
        queue: AbstractAsyncContextManager[Any] = self._write_queue or nullcontext()
        # The span holds the waiting for SQLite's one writer and the commit, which no statement's span does.
        with tracing.inner("transaction"):
            async with queue, self._writers() as session:
                token = self._current.set((asyncio.current_task(), session))
                try:
                    async with session.begin():
                        yield session
                finally:
                    self._current.reset(token)
        for callback in session.info.pop("after_commit", []):
            callback()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Read inside; sees the transaction of the same task where there is one, else what is committed."""
        outer = self._joined()
        if outer is not None:
            yield outer
            return
        async with self._readers() as session:
            yield session

    @property
    def in_transaction(self) -> bool:
        """Whether the present task is inside a transaction: what it writes now is not committed yet."""
        return self._joined() is not None

    def _joined(self) -> AsyncSession | None:
        current = self._current.get()
        # A task started inside a transaction inherits the context, but must not use the session of its parent.
        if current is None or current[0] is not asyncio.current_task():
            return None
        return current[1]

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()


def after_commit(session: AsyncSession, callback: Callable[[], None]) -> None:
    """Call `callback` once when the outermost transaction of `session` has been committed, never when it is not."""
    session.info.setdefault("after_commit", []).append(callback)


def is_transient(error: BaseException) -> bool:
    """Tell whether a whole transaction that ended with `error` may simply be tried again."""
    if not isinstance(error, DBAPIError):
        return False
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return error.connection_invalidated or code in _TRANSIENT_MYSQL or "database is locked" in str(error.orig)


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # The driver would begin transactions by its own rules; SQLAlchemy's "begin" event below does it instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
