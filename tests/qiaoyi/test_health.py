"""What load balancers ask."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from backend.db import Database
from qiaoyi.health import Health


@pytest.fixture
async def loop_task() -> AsyncIterator[asyncio.Task[None]]:
    """A loop of the process, to be ended."""

    async def forever() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(forever())
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def ask(health: Health, path: str) -> tuple[int, dict[str, object]]:
    application = web.Application()
    application.add_routes(health.routes())
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        address = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
        async with aiohttp.ClientSession() as http, http.get(address) as response:
            return response.status, await response.json()
    finally:
        await runner.cleanup()


async def test_a_process_whose_parts_work_is_alive_and_ready(database: Database, loop_task: asyncio.Task[None]) -> None:
    health = Health(database, {"turns": loop_task})
    assert await ask(health, "/healthz") == (200, {"status": "ok"})
    assert await ask(health, "/readyz") == (200, {"status": "ok", "missing": [], "language": "embedded"})


async def test_a_loop_that_has_ended_makes_it_unready_but_alive(
    database: Database, loop_task: asyncio.Task[None]
) -> None:
    health = Health(database, {"turns": loop_task})
    loop_task.cancel()
    await asyncio.wait([loop_task])
    assert await ask(health, "/readyz") == (503, {"status": "unready", "missing": ["turns"], "language": "embedded"})
    assert (await ask(health, "/healthz"))[0] == 200


async def test_a_database_that_does_not_answer_makes_it_unready(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/no-such-folder/q.db")
    try:
        status, told = await ask(Health(database, {}), "/readyz")
        assert (status, told["missing"]) == (503, ["database"])
    finally:
        await database.close()
