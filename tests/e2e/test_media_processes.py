"""Media processes as processes of their own: one is killed, one is drained and ended, and the rooms go on."""

import signal
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from backend.security.policy import SYSTEM
from qiaoyi.house import House, open_house
from qiaoyi.settings import load
from tests.support.meeting import Meeting, begun_meeting
from tests.support.processes import free_port, qiaoyi, serving
from tests.support.waiting import eventually

pytestmark = [pytest.mark.mariadb, pytest.mark.timeout(280)]

_DATABASE = "qiaoyi_media"


@dataclass
class Installation:
    """A web process and media processes on one database."""

    folder: Path
    settings: dict[str, str]
    house: House
    http: aiohttp.ClientSession
    stack: AsyncExitStack
    processes: dict[str, Process] = field(default_factory=dict)

    async def start_media(self, region: str = "") -> str:
        """Start a media process and give its id."""
        before = await self.alive()
        own = {name: value for name, value in self.settings.items() if not name.startswith("WECHAT")}
        settings = own | {"PORT": str(free_port()), "MEDIA_REGION": region}
        process = await self.stack.enter_async_context(serving(self.folder, settings, "--role", "media"))

        async def is_heard() -> bool:
            return len(await self.alive()) > len(before)

        await eventually(is_heard)
        (node_id,) = set(await self.alive()) - set(before)
        self.processes[node_id] = process
        return node_id

    async def alive(self) -> dict[str, int]:
        """How many rooms each living media process carries."""
        return {node.id: node.rooms for node in await self.house.video.nodes(SYSTEM) if node.alive}

    async def end(self, node_id: str, by: signal.Signals) -> None:
        """End a media process."""
        process = self.processes[node_id]
        process.send_signal(by)
        if by is signal.SIGKILL:
            await process.wait()

    async def meeting(self) -> Meeting:
        """A consultation whose room is open."""
        return await begun_meeting(self.house, self.http, f"http://127.0.0.1:{self.settings['PORT']}")


@pytest.fixture
async def database_address(mariadb_address: str) -> AsyncIterator[str]:
    """An empty database of the test's own."""
    engine = create_async_engine(mariadb_address, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {_DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
        yield f"{mariadb_address}/{_DATABASE}"
        await connection.execute(text(f"DROP DATABASE {_DATABASE}"))
    await engine.dispose()


@pytest.fixture
async def installation(database_address: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """A web process, and no media process yet."""
    settings = {
        "DATA": str(tmp_path / "var"),
        "DATABASE_URL": database_address,
        "PORT": str(free_port()),
        "WECHAT__APP_ID": "wx1",
        "WECHAT__APP_SECRET": "secret",
        "WECHAT__TOKEN": "token",
        "WECHAT__AES_KEY": "A" * 43,
        "WECHAT__API_URL": "http://127.0.0.1:9",  # nobody plays WeChat
    }
    async with AsyncExitStack() as stack:
        status, _, errors = await qiaoyi(tmp_path, settings, "migrate")
        assert status == 0, errors
        house = await stack.enter_async_context(open_house(load(data=tmp_path / "var", database_url=database_address)))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        await stack.enter_async_context(serving(tmp_path, settings, "--role", "web"))
        yield Installation(tmp_path, settings, house, http, stack)


async def test_the_rooms_of_media_processes_that_die_drain_and_end_go_on_elsewhere(
    installation: Installation, record_property: Callable[[str, object], None]
) -> None:
    """One test, for starting everything takes longer than what is looked at."""
    near = await installation.start_media("青岚县")
    far = await installation.start_media()
    meeting = await installation.meeting()
    async with meeting.held():
        await meeting.see_each_other(near)
        record_property("killed_seconds", await _a_killed_process(installation, meeting, near, far))
        other = await installation.start_media("青岚县")
        await _a_draining_process_keeps_its_room_and_gets_no_other(installation, meeting, far, other)
        record_property("ended_seconds", await _a_process_that_ends(installation, meeting, far, other))
    status, said, _ = await qiaoyi(installation.folder, installation.settings, "drain", "--all", "--wait")
    assert (status, said.splitlines()[0]) == (0, "draining: 1")
    assert await installation.alive() == {other: 0}
    assert await meeting.patient.fetch_pass() is None
    assert meeting.patient.refusals[-1] == "room_busy"


async def _a_killed_process(installation: Installation, meeting: Meeting, killed: str, left: str) -> float:
    began = time.monotonic()
    await installation.end(killed, signal.SIGKILL)
    await meeting.see_each_other(left)
    seconds = time.monotonic() - began
    print(f"everybody saw everybody again {seconds:.1f} s after the process was killed")
    return seconds


async def _a_draining_process_keeps_its_room_and_gets_no_other(
    installation: Installation, meeting: Meeting, draining: str, other: str
) -> None:
    status, said, _ = await qiaoyi(installation.folder, installation.settings, "drain", "--node", draining)
    assert (status, said) == (0, "draining: 1\n")
    status, said, _ = await qiaoyi(installation.folder, installation.settings, "nodes")
    assert any(draining in line and "draining" in line for line in said.splitlines())
    new = await installation.meeting()
    passed = await new.guests[1].fetch_pass()
    assert passed is not None
    assert passed["node"] == other
    await meeting.see_each_other(draining)


async def _a_process_that_ends(installation: Installation, meeting: Meeting, ended: str, left: str) -> float:
    began = time.monotonic()
    await installation.end(ended, signal.SIGTERM)
    await meeting.see_each_other(left)
    seconds = time.monotonic() - began
    assert ended not in await installation.alive()
    print(f"everybody saw everybody again {seconds:.1f} s after the process was told to end")
    return seconds
