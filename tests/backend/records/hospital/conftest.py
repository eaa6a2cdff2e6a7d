"""Processes that validate, and clients that are closed after the test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import date, timedelta

import pytest
import pytest_asyncio

from backend.clock import Clock
from backend.people.views import IdentityView
from backend.records.hospital.client import HospitalClient
from backend.records.hospital.transport import HospitalAddress, Limits
from backend.worker_processes import WorkerProcesses
from tests.support.hospital import RunningHospital, running_hospital
from tests.support.medplum import medplum_url

__all__ = ["medplum_url"]

QUICK = Limits(
    seconds=5, attempts=2, first_retry=timedelta(milliseconds=1), longest_retry=timedelta(milliseconds=2), page_size=50
)

WANG = IdentityView("王秀英", "female", date(1959, 3, 12), "999901195903120026")
"""One of the demonstration's patients, as we know her."""

Connect = Callable[..., HospitalClient]


@pytest.fixture(scope="session")
def validators() -> Iterator[WorkerProcesses]:
    """Processes in which answers are validated."""
    processes = WorkerProcesses(1, niceness=0)
    yield processes
    processes.close()


@pytest_asyncio.fixture
async def connect(clock: Clock, validators: WorkerProcesses) -> AsyncIterator[Connect]:
    """Make clients of hospitals at an address."""
    ending: list[Callable[[], Awaitable[None]]] = []

    def make(address: str | HospitalAddress, limits: Limits = QUICK) -> HospitalClient:
        place = HospitalAddress(address) if isinstance(address, str) else address
        client = HospitalClient(place, clock, validators, limits)
        ending.append(client.close)
        return client

    yield make
    for end in ending:
        await end()


@pytest_asyncio.fixture
async def hospital(clock: Clock) -> AsyncIterator[RunningHospital]:
    """A hospital with the demonstration's patients."""
    async with running_hospital(clock) as running:
        yield running
