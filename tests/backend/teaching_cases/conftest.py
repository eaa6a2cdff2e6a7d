"""A case library on each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from tests.support.house import build_house
from tests.support.teaching import Library


@pytest_asyncio.fixture
async def library(database: Database, clock: Clock, tmp_path: Path) -> AsyncIterator[Library]:
    """A house with three township doctors and an expert; nothing is in its library yet."""
    house = await build_house(database, clock, tmp_path / "files")
    yield Library(house)
    house.services.imaging.close()
