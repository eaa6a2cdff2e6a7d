"""A patient with a cuff at home, and the doctor who watches over them."""

from pathlib import Path

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from tests.support.clinic import build_clinic
from tests.support.monitoring import Home, home_at


@pytest_asyncio.fixture
async def home(database: Database, clock: Clock, tmp_path: Path) -> Home:
    """Monday, eight in the morning."""
    clinic = build_clinic(database, clock, tmp_path / "files")
    await clinic.furnish()
    return await home_at(clinic)
