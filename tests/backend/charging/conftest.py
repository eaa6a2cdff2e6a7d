"""A clinic that charges, on a real database."""

from pathlib import Path

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from tests.support.clinic import build_clinic
from tests.support.till import Till, build_till


@pytest_asyncio.fixture
async def till(database: Database, clock: Clock, tmp_path: Path) -> Till:
    """A township centre, a hospital, a doctor, an expert, an insurer and a payment provider."""
    clinic = build_clinic(database, clock, tmp_path / "files")
    await clinic.furnish()
    return await build_till(clinic)
