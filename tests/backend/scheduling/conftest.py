"""A furnished clinic on a real database."""

from pathlib import Path

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from tests.support.clinic import Clinic, build_clinic


@pytest_asyncio.fixture
async def clinic(database: Database, clock: Clock, tmp_path: Path) -> Clinic:
    """One township centre and one hospital, nobody in them yet."""
    built = build_clinic(database, clock, tmp_path / "files")
    await built.furnish()
    return built
