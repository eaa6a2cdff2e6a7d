"""Our rooms as a server of its own process, and how people enter them."""

import asyncio
import gc
import multiprocessing
import os
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

from benchmarks.rooms.crowd import Door
from benchmarks.rooms.person import Person
from benchmarks.rooms.process import open_files
from media.load import Admission
from media.signalling import Rooms
from media.tokens import Pass, Role, TokenMint

_KEY = b"k" * 32
_GONE_WITHIN = 60.0
_TASKS_OF_AN_EMPTY_SERVER = 5
_OF_CONNECTIONS = ("media.", "aiortc.", "aioice.", "pylibsrtp")


def serve(pipe: Connection, guarded: bool) -> None:
    """Rooms until the pipe says that it is enough; tells the address first, and when asked what is left over. Where
    ``guarded``, rooms are refused that the process cannot carry, as in the product."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe, guarded))


async def _serve(pipe: Connection, guarded: bool) -> None:
    admission = Admission()
    rooms = Rooms(TokenMint(_KEY, time.time), takes_another=lambda held: not guarded or admission.takes_another(held))
    application = web.Application()
    application.router.add_get("/rooms", rooms.handler)
    runner = web.AppRunner(application)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    running = asyncio.gather(rooms.run(), admission.run())
    pipe.send(f"http://127.0.0.1:{listening.getsockname()[1]}/rooms")
    while await asyncio.to_thread(pipe.recv) != "enough":
        pipe.send(await _left_over(rooms))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await runner.cleanup()


async def _left_over(rooms: Rooms) -> dict[str, int]:
    """Objects of connections, tasks and open files once nobody is inside and the last connection is closed."""
    async with asyncio.timeout(_GONE_WITHIN):
        while rooms.rooms or len(asyncio.all_tasks()) > _TASKS_OF_AN_EMPTY_SERVER:  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.1)
    gc.collect()
    kinds = Counter(type(thing) for thing in gc.get_objects())
    of_connections = {kind: count for kind, count in kinds.items() if str(kind.__module__).startswith(_OF_CONNECTIONS)}
    files = open_files(os.getpid())
    named = {f"{kind.__module__}.{kind.__qualname__}": count for kind, count in of_connections.items()}
    return {**named, "tasks": len(asyncio.all_tasks()), "files": files}


class OurServer:
    """The process, as a context."""

    def __init__(self, guarded: bool = False) -> None:
        self._guarded = guarded

    def __enter__(self) -> "OurServer":
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, self._guarded), daemon=True)
        self._process.start()
        self.door: Door = OurDoor(self._pipe.recv())
        self.pid = self._process.pid or 0
        return self

    def __exit__(self, *error: object) -> None:
        self._pipe.send("enough")
        self._process.join(20)
        self._process.kill()

    def left_over(self) -> dict[str, int]:
        """What there is of connections, by kind, once everybody has gone."""
        self._pipe.send("left over")
        left: dict[str, int] = self._pipe.recv()
        return left


@dataclass(frozen=True)
class OurDoor:
    """How people enter a room at this address."""

    url: str

    async def enter(
        self, http: aiohttp.ClientSession, room: int, people: Sequence[Person]
    ) -> Callable[[], Awaitable[None]]:
        """Bring everybody in; gives what makes them leave."""
        mint = TokenMint(_KEY, time.time)
        visits = [_Visit(person) for person in people]
        for visit in visits:
            name = f"{room}-{visit.person.number}"
            token = mint.mint(Pass(f"room{room}", name, Role.HOST, name, "", 4e9))
            await visit.enter(await http.ws_connect(self.url), token)

        async def leave() -> None:
            await asyncio.gather(*(visit.leave() for visit in visits))

        return leave


class _Visit:
    def __init__(self, person: Person) -> None:
        self.person = person
        self._answered = 0
        self._connecting = asyncio.Event()

    async def enter(self, socket: aiohttp.ClientWebSocketResponse, token: str) -> None:
        self._socket = socket
        await socket.send_json({"kind": "join", "version": 1, "token": token})
        self._reading = asyncio.create_task(self._read())
        waiting = asyncio.create_task(self._connecting.wait())
        await asyncio.wait({self._reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self._connecting.is_set():
            raise ConnectionRefusedError(self._closed)

    async def leave(self) -> None:
        await self._socket.close()
        await self._reading

    async def _read(self) -> None:
        self._closed = "gone"
        async for frame in self._socket:
            message = frame.json()
            kind = message["kind"]
            if kind == "joined":
                for purpose in ("publish", "subscribe"):
                    await self._socket.send_json({"kind": "offer", "purpose": purpose})
            elif kind == "offer":
                await self._answer(message)
            elif kind == "quality" and message["audio_only"]:
                self.person.voices_alone += 1
            elif kind == "closed":
                self._closed = message["code"]

    async def _answer(self, message: dict[str, Any]) -> None:
        if message["purpose"] == "publish":
            sending = self.person.sending
            sends = {"audio": [sending.audio_ssrc], "camera": [sending.camera_ssrc, sending.rtx_ssrc]}
            sdp = await self.person.publishing.answer(message["sdp"], sends)
        else:
            self.person.expect(message["sdp"])
            sdp = await self.person.subscribing.answer(message["sdp"], {})
        await self._socket.send_json({"kind": "answer", "connection": message["connection"], "sdp": sdp})
        self._answered += 1
        if self._answered == 2:
            self._connecting.set()
