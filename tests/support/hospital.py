"""The sandbox's hospital inside the test's own event loop, on a free port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from backend.clock import Clock
from sandbox.hospital.histories import fill
from sandbox.hospital.server import Hospital


@dataclass(frozen=True)
class RunningHospital:
    """A hospital that runs, and where its FHIR server and its token endpoint are."""

    hospital: Hospital
    url: str
    token_url: str


@asynccontextmanager
async def running_hospital(clock: Clock) -> AsyncIterator[RunningHospital]:
    """Run a hospital with the demonstration's patients for the length of the block; its time is the clock's."""
    hospital = Hospital(lambda: clock.now().timestamp())
    fill(hospital.store, clock.now())
    runner = web.AppRunner(hospital.application(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield RunningHospital(hospital, f"{base}/fhir", f"{base}/oauth/token")
    finally:
        await runner.cleanup()
