"""People who meet in a room of a running process: each publishes picture and sound, and says what a test tells them."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import aiohttp

from tests.support.room_client import Client
from tests.support.waiting import eventually


class Visitor(Client):
    """One person."""

    _socket: aiohttp.ClientWebSocketResponse | None = None

    async def say(self, **message: Any) -> None:
        """Send a message to the room."""
        assert self._socket is not None
        await self._socket.send_json(message)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a kind so far."""
        return [message for message in self.messages if message["kind"] == kind]

    async def agree(self) -> None:
        """Agree to be recorded, and wait until the room knows it."""
        await self.say(kind="recording", agree=True)
        await eventually(lambda: any(self.person in message["agreed"] for message in self.heard("recording")))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        await super()._read(socket)


class Visit:
    """People who come into a room together, and go at the end of the block."""

    def __init__(self, url: str, tokens: Mapping[str, str]) -> None:
        self.people = {person: Visitor(person, url, token) for person, token in tokens.items()}
        self._stop = asyncio.Event()

    async def __aenter__(self) -> "Visit":
        self._session = aiohttp.ClientSession()
        self._tasks = [asyncio.create_task(one.run(self._session, self._stop)) for one in self.people.values()]
        await eventually(lambda: all(one.heard("joined") for one in self.people.values()), timeout=30)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    @property
    def is_recorded(self) -> bool:
        """Whether everybody was told last that the room records."""
        told = [one.heard("recording") for one in self.people.values()]
        return all(messages and messages[-1]["on"] for messages in told)
