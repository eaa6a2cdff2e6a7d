"""Real databases for tests: SQLite in a file and MariaDB, fresh for every test, with every table of the house.

`database` is the usual one; a test that uses it runs once on each. `blank_url` gives an empty database, for migrations
and for tests that make tables of their own.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from backend.append_only import only_grows
from backend.clock import Clock
from backend.db import Base, Database, install_key_ring
from backend.migrations import import_tables
from backend.security.keyring import KeyRing
from tests.support.mariadb import mariadb_server

BOTH = ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)]
"""Parameters of a test or fixture that runs on each database."""

_SHARED = "qiaoyi_shared"


@pytest.fixture(autouse=True)
def key_ring() -> KeyRing:
    """A fresh key ring, installed for the encrypted columns of this test."""
    ring = KeyRing({1: bytes(range(32))}, bytes(range(32, 64)))
    install_key_ring(ring)
    return ring


@pytest.fixture
def clock() -> Clock:
    """A clock that the test may move."""
    return Clock()


@pytest.fixture(scope="session")
def mariadb_address() -> Iterator[str]:
    """The address of a running MariaDB, without a database; skipped (under CI failed) where none is installed."""
    # Not pytest's folder: the path of a socket holds 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="mariadb-") as folder, mariadb_server(Path(folder)) as address:
        yield address


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every table, to be copied: quicker than creating them for each test."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    _run(f"sqlite+aiosqlite:///{path}", _create_tables)
    return path


@pytest.fixture(scope="session")
def mariadb_shared(mariadb_address: str) -> str:
    """The address of a MariaDB database with every table, which each test leaves empty."""
    _run(mariadb_address, lambda connection: _execute(connection, _create_database(_SHARED)))
    _run(f"{mariadb_address}/{_SHARED}", _create_tables)
    return f"{mariadb_address}/{_SHARED}"


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database that has every table and no rows."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = tmp_path / "qiaoyi.db"
        shutil.copyfile(template, path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    url: str = request.getfixturevalue("mariadb_shared")
    yield url
    _run(url, _empty_tables)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with every table and no rows, on SQLite and on MariaDB."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture(params=BOTH)
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'blank.db'}"
        return
    address: str = request.getfixturevalue("mariadb_address")
    _run(address, lambda connection: _execute(connection, _create_database("qiaoyi_blank")))
    yield f"{address}/qiaoyi_blank"
    _run(address, lambda connection: _execute(connection, "DROP DATABASE qiaoyi_blank"))


def _run(url: str, work: Callable[[AsyncConnection], Awaitable[Any]]) -> None:
    async def connected() -> None:
        engine = create_async_engine(url)
        try:
            async with engine.begin() as connection:
                await work(connection)
        finally:
            await engine.dispose()

    # Plain fixtures run between the loops of the tests.
    with asyncio.Runner() as runner:
        runner.run(connected())


def _create_database(name: str) -> str:
    return f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


async def _execute(connection: AsyncConnection, statement: str) -> None:
    await connection.execute(text(statement))


async def _create_tables(connection: AsyncConnection) -> None:
    import_tables()
    await connection.run_sync(Base.metadata.create_all)


async def _empty_tables(connection: AsyncConnection) -> None:
    names = [table.name for table in Base.metadata.sorted_tables]
    probes = " UNION ALL ".join(f"SELECT '{name}' FROM DUAL WHERE EXISTS (SELECT 1 FROM {name})" for name in names)  # noqa: S608
    filled = (await connection.execute(text(probes))).scalars().all()
    await connection.execute(text("SET FOREIGN_KEY_CHECKS = 0"))
    for name in filled:  # TRUNCATE takes ten times as long as DELETE, which tables that only grow refuse
        grows = only_grows(Base.metadata.tables[name])
        await connection.execute(text(f"TRUNCATE TABLE {name}" if grows else f"DELETE FROM {name}"))  # noqa: S608
