"""An insurer to talk to."""

from collections.abc import AsyncIterator

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from tests.support.insurer import Talk, talking


@pytest_asyncio.fixture
async def talk(database: Database, clock: Clock) -> AsyncIterator[Talk]:
    """The house's insurer and the sandbox that plays it."""
    async with talking(database, clock, timeout=5) as both:
        yield both
