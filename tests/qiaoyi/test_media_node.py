"""A media process and the database: what it tells, what it is told, and that rooms outlive a database that is away."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy.exc import OperationalError

from backend.clock import Clock
from backend.db import Database
from backend.security.policy import SYSTEM
from backend.video.nodes import NodeOrders, NodeReport, Nodes, NodeView
from backend.video.tables import NodeState, VideoRoom
from media.load import Admission, Load
from media.signalling import Rooms
from media.tokens import Pass, Role, TokenMint
from qiaoyi.media_node import MediaNode
from tests.support.clinic import Clinic, build_clinic
from tests.support.media_nodes import fall_silent
from tests.support.waiting import eventually


class Away(Nodes):
    """The nodes of a database that can be away."""

    away = False

    async def report_node(self, report: NodeReport, carried: Collection[str]) -> NodeOrders:
        self._require_database()
        return await super().report_node(report, carried)

    async def end_node(self, node_id: str) -> bool:
        self._require_database()
        return await super().end_node(node_id)

    def _require_database(self) -> None:
        if self.away:
            raise OperationalError("SELECT 1", None, ConnectionRefusedError())


class Process:
    """A media process with a WebSocket, without the rest of the product."""

    def __init__(self, node_id: str, nodes: Nodes) -> None:
        self.id, self.mint, self.admission = node_id, TokenMint(b"k" * 32, time.time, node=node_id), Admission(2)
        self.rooms = Rooms(self.mint, takes_another=self.admission.takes_another)
        self.node = MediaNode(nodes, self.rooms, self.admission, node_id, f"ws://{node_id}.test/rooms", "桥县")
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Process"]:
        """Serve and report while inside."""
        application = web.Application()
        application.router.add_get("/rooms", self.rooms.handler)
        async with TestServer(application) as server:
            self.url = str(server.make_url("/rooms"))
            tasks = [asyncio.create_task(work) for work in (self.rooms.run(), self.node.run())]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def join(self, session: aiohttp.ClientSession, room: str) -> aiohttp.ClientWebSocketResponse:
        """Let somebody into a room."""
        socket = await session.ws_connect(self.url)
        passed = Pass(room, "expert", Role.HOST, "", "", time.time() + 600)
        await socket.send_json({"kind": "join", "version": 1, "token": self.mint.mint(passed, self.id)})
        await hear(socket, "joined")
        return socket


async def hear(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of this kind."""
    async with asyncio.timeout(10):
        while True:
            message: dict[str, Any] = json.loads(await socket.receive_str())
            if message["kind"] == kind:
                return message


async def closed(socket: aiohttp.ClientWebSocketResponse) -> str:
    """The code with which a page is closed."""
    code = str((await hear(socket, "closed"))["code"])
    async with asyncio.timeout(10):
        await socket.receive()
    return code


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest_asyncio.fixture
async def clinic(database: Database, clock: Clock, tmp_path: Path) -> Clinic:
    built = build_clinic(database, clock, tmp_path / "files")
    await built.furnish()
    return built


@pytest.fixture
def nodes(clinic: Clinic) -> Nodes:
    return Nodes(*parts(clinic))


@pytest.fixture
def unsteady(clinic: Clinic) -> Away:
    """The same database over a line that can be cut."""
    return Away(*parts(clinic))


def parts(clinic: Clinic) -> tuple[Any, ...]:
    """What the use cases of the rooms need."""
    return (
        clinic.database, clinic.clock, clinic.events, clinic.timers, clinic.audit, clinic.people, clinic.care,
        clinic.files,
    )  # fmt: skip


async def seen(nodes: Nodes, node_id: str) -> NodeView | None:
    """A process as administrators see it."""
    return next((node for node in await nodes.nodes(SYSTEM) if node.id == node_id), None)


async def a_room(clinic: Clinic, node_id: str) -> str:
    """The room of a new consultation, pinned to a process."""
    await clinic.doctor()
    consultation = await clinic.draft(await clinic.patient())
    async with clinic.database.transaction() as session:
        session.add(VideoRoom(consultation_id=consultation.id, opened_at=clinic.clock.now(), node_id=node_id))
    return consultation.id


async def change(clinic: Clinic, room: str, **values: Any) -> None:
    """Change the row of a room."""
    async with clinic.database.transaction() as session:
        row = await session.get(VideoRoom, room, with_for_update=True)
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)


async def test_it_tells_what_it_carries_and_refuses_when_it_is_loaded(
    clinic: Clinic, nodes: Nodes, session: aiohttp.ClientSession
) -> None:
    room = await a_room(clinic, "a")
    async with Process("a", nodes).running() as process:
        page = await process.join(session, room)

        async def is_told() -> bool:
            node = await seen(nodes, "a")
            return node is not None and (node.rooms, node.people, node.capacity) == (1, 1, 2)

        await eventually(is_told)
        process.admission.observe(Load(0.9, 0.0))

        async def takes_no_more() -> bool:
            node = await seen(nodes, "a")
            return node is not None and (node.rooms, node.capacity, node.cpu) == (1, 0, 0.9)

        await eventually(takes_no_more)
        await page.close()


@pytest.mark.parametrize(
    ("changed", "code"), [({"node_id": "another"}, "moving"), ({"node_id": "a", "closed": True}, "over")]
)
async def test_its_rooms_end_when_they_are_over_or_elsewhere(
    clinic: Clinic, nodes: Nodes, session: aiohttp.ClientSession, changed: dict[str, Any], code: str
) -> None:
    room = await a_room(clinic, "a")
    async with Process("a", nodes).running() as process:
        page = await process.join(session, room)
        if changed.pop("closed", False):
            changed["closed_at"] = clinic.clock.now()
        await change(clinic, room, **changed)
        assert await closed(page) == code


async def test_rooms_go_on_while_the_database_is_away_and_it_registers_again(
    clinic: Clinic, nodes: Nodes, unsteady: Away, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    room = await a_room(clinic, "a")
    async with Process("a", unsteady).running() as process:
        page = await process.join(session, room)
        await eventually(lambda: _is_alive(nodes, "a"))
        unsteady.away = True
        await eventually(lambda: "does not hear of this media process" in caplog.text)
        await fall_silent(clinic.database, "a")
        await page.send_json({"kind": "chat", "text": "还听得见吗"})
        assert (await hear(page, "chat"))["text"] == "还听得见吗"
        assert not await _is_alive(nodes, "a")
        unsteady.away = False
        await eventually(lambda: _is_alive(nodes, "a"))
        await page.send_json({"kind": "ping"})
        await hear(page, "pong")


async def _is_alive(nodes: Nodes, node_id: str) -> bool:
    node = await seen(nodes, node_id)
    return node is not None and node.alive


async def test_it_drains_when_it_is_told_to(clinic: Clinic, nodes: Away) -> None:
    async with Process("a", nodes).running() as process:
        await eventually(lambda: _is_alive(nodes, "a"))
        await nodes.drain(SYSTEM, "a")
        await eventually(lambda: process.admission.draining)
        assert not process.admission.takes_another(0)


@pytest.mark.parametrize(("others", "code"), [(["b"], "moving"), ([], "closing")])
async def test_when_it_ends_its_rooms_go_where_there_is_a_place(
    clinic: Clinic, nodes: Nodes, session: aiohttp.ClientSession, others: list[str], code: str
) -> None:
    room = await a_room(clinic, "a")
    for other in others:
        plain = NodeReport(other, "", f"ws://{other}.test/rooms", NodeState.SERVING, 2, 0, 0, 0.0, 0.0)
        await nodes.report_node(plain, [])
    async with Process("a", nodes).running() as process:
        page = await process.join(session, room)
        await eventually(lambda: _is_alive(nodes, "a"))
        await process.node.leave()
        assert await closed(page) == code
        await process.node._report()
        assert not await _is_alive(nodes, "a")


async def test_it_ends_though_the_database_is_away(
    clinic: Clinic, unsteady: Away, session: aiohttp.ClientSession
) -> None:
    room = await a_room(clinic, "a")
    async with Process("a", unsteady).running() as process:
        page = await process.join(session, room)
        unsteady.away = True
        await process.node.leave()
        assert await closed(page) == "closing"
