"""People of rooms in a process of their own, told over a pipe what to do."""

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Protocol

import aiohttp
import uvloop

from benchmarks.rooms.person import Person
from benchmarks.rooms.sent import Encoded

PEOPLE = 3
_TOGETHER_WITHIN = 30.0


class Door(Protocol):
    """How people enter the rooms of a server; travels to other processes."""

    async def enter(
        self, http: aiohttp.ClientSession, room: int, people: Sequence[Person]
    ) -> Callable[[], Awaitable[None]]:
        """Bring everybody in; gives what makes them leave. ``ConnectionRefusedError`` where there is no place."""


class Crowd:
    """A process of people, as a context."""

    def __init__(self, door: Door, encoded: Encoded, bad_weather: bool = False) -> None:
        self._start = (door, encoded, bad_weather)

    def __enter__(self) -> "Crowd":
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_attend, args=(theirs, *self._start), daemon=True)
        self._process.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._pipe.send(("stop", None))
        self._process.join(20)
        self._process.kill()

    def tell(self, command: str, what: Any = None) -> Any:
        """``enter`` a room by number (whether everybody sees everybody), ``begin`` to count, give ``rows``, or
        ``come_and_go`` through rooms with these numbers."""
        self._pipe.send((command, what))
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _attend(pipe: Connection, door: Door, encoded: Encoded, bad_weather: bool) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_obey(pipe, door, encoded, bad_weather))


async def _obey(pipe: Connection, door: Door, encoded: Encoded, bad_weather: bool) -> None:
    async with aiohttp.ClientSession() as http:
        people = People(http, door, encoded, bad_weather)
        while True:
            command, what = await asyncio.to_thread(pipe.recv)
            if command == "stop":
                return
            try:
                pipe.send(await getattr(people, command)(what))
            except Exception as error:  # told where it is understood
                pipe.send(error)


class People:
    """The people of some rooms; what they are told is what ``Crowd.tell`` lists."""

    def __init__(self, http: aiohttp.ClientSession, door: Door, encoded: Encoded, bad_weather: bool) -> None:
        self._http, self._door, self._encoded, self._bad_weather = http, door, encoded, bad_weather
        self._rooms: dict[int, tuple[list[Person], Callable[[], Awaitable[None]]]] = {}

    async def enter(self, room: int) -> None:
        """Three people who see each other when this returns; ``TimeoutError`` where they do not."""
        sent: dict[int, float] = {}
        people = [Person(number, self._encoded, sent, self._bad_weather) for number in range(PEOPLE)]
        self._rooms[room] = people, await self._door.enter(self._http, room, people)
        async with asyncio.timeout(_TOGETHER_WITHIN):
            for person in people:
                await person.saw(PEOPLE - 1)

    async def leave(self, room: int) -> None:
        """Everybody goes."""
        people, leave = self._rooms.pop(room)
        await leave()
        await asyncio.gather(*(person.close() for person in people))

    async def begin(self, _: None) -> None:
        """Count from now on."""
        for person in self.everybody:
            person.begin()

    async def rows(self, _: None) -> list[dict[str, Any]]:
        """What everybody saw."""
        now = time.monotonic()
        rows = [row for person in self.everybody for row in person.row()]
        for row in rows:
            row["rate"] = row["pictures"] / (now - row["began"])
            row["gap"] = max(row["gap"], now - row["last"])
        return rows

    async def come_and_go(self, rooms: Sequence[int]) -> None:
        """Enter each room, see everybody, and leave."""
        for room in rooms:
            await self.enter(room)
            await self.leave(room)

    @property
    def everybody(self) -> list[Person]:
        """Who is in any of the rooms."""
        return [person for people, _ in self._rooms.values() for person in people]
