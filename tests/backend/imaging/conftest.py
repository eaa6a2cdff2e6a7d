"""Imaging on a clinic, for tests of the service alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from backend.imaging import ImagingService
from backend.security.policy import SYSTEM, Actor
from tests.support.clinic import Clinic, build_clinic
from tests.support.imaging import folder_store, imaging_on


@pytest_asyncio.fixture
async def clinic(database: Database, clock: Clock, tmp_path: Path) -> Clinic:
    """One township centre with a doctor, and one hospital."""
    built = build_clinic(database, clock, tmp_path / "files")
    await built.furnish()
    return built


@pytest_asyncio.fixture
async def imaging(clinic: Clinic, tmp_path: Path) -> AsyncIterator[ImagingService]:
    """The imaging service on that clinic, with the default store."""
    made = imaging_on(clinic, folder_store(tmp_path))
    yield made
    made.close()


@pytest_asyncio.fixture
async def machine(clinic: Clinic, imaging: ImagingService) -> Actor:
    """A machine of the township centre that may send."""
    new = await imaging.register_stow_sender(SYSTEM, clinic.township, "放射科CT")
    sender = await imaging.sender_of_token(new.token)
    assert sender is not None
    return sender
