"""The same county as in the stories of the conversations."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from tests.bot.flows.staff.conftest import County, settle_in
from tests.support.house import build_house


@pytest_asyncio.fixture
async def county(sqlite_template: Path, tmp_path: Path, clock: Clock) -> AsyncIterator[County]:
    """Everybody has joined; the patient has consented."""
    path = tmp_path / "house.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite+aiosqlite:///{path}")
    yield await settle_in(await build_house(database, clock, tmp_path / "files"))
    await database.close()
