"""A house with pay, above charges that are known."""

from pathlib import Path

import pytest
import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from backend.ledger import LedgerService
from backend.remuneration import RemunerationService
from tests.support.charges import KnownCharges
from tests.support.house import House, build_house


@pytest_asyncio.fixture
async def house(database: Database, clock: Clock, tmp_path: Path) -> House:
    return await build_house(database, clock, tmp_path)


@pytest.fixture
def charges(house: House) -> KnownCharges:
    return KnownCharges(house)


@pytest.fixture
def ledger(house: House) -> LedgerService:
    return LedgerService(house.database, house.clock)


@pytest.fixture
def pay(house: House, charges: KnownCharges, ledger: LedgerService) -> RemunerationService:
    services = house.services
    return RemunerationService(
        house.database,
        house.clock,
        house.events,
        house.timers,
        house.audit,
        services.people,
        services.consultations,
        services.reports,
        ledger,
        charges,  # type: ignore[arg-type]  # the same method
    )
