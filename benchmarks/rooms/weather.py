"""Bad weather on the way: a UDP relay between a person and the server that loses and delays packets, both ways.

It stands in for ``tc netem``, which needs a kernel module and the rights of root. As there, each packet is delayed by
itself, so that packets overtake each other: worse than most networks, where a queue delays but keeps the order.
"""

import asyncio
import dataclasses
import random
from typing import Any, cast

from aiortc import RTCIceCandidate

LOSS, DELAY, JITTER = 0.03, 0.06, 0.05
"""Share of packets lost, seconds of delay and how many more or less, each way (``netem loss 3% delay 60ms 50ms``)."""


class Weather:
    """The way between one connection of a person and the server."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    async def open(self, person: RTCIceCandidate) -> RTCIceCandidate:
        """Where the server finds the person, whose own address it is not told."""
        loop = asyncio.get_running_loop()
        self._near, self._far = _Side(self._chance), _Side(self._chance)
        self._near.other, self._far.other = self._far, self._near
        for side in (self._near, self._far):
            await loop.create_datagram_endpoint(lambda side=side: side, local_addr=(person.ip, 0))  # type: ignore[misc]
        return dataclasses.replace(person, port=self._far.port)

    def stand_before(self, server: RTCIceCandidate) -> RTCIceCandidate:
        """Where the person finds the server, whose own address they are not told."""
        self._far.goes_to = (server.ip, server.port)
        return dataclasses.replace(server, port=self._near.port)

    def close(self) -> None:
        """Let nothing pass any more."""
        for side in (self._near, self._far):
            side.transport.close()


class _Side(asyncio.DatagramProtocol):
    """A socket towards the person (who is answered where they first sent from) or towards the server."""

    transport: asyncio.DatagramTransport
    other: "_Side"

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.goes_to: tuple[str | Any, int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if self.goes_to is None:
            self.goes_to = addr
        if self._chance.random() >= LOSS:
            delay = DELAY + self._chance.uniform(-JITTER, JITTER)
            asyncio.get_running_loop().call_later(delay, self.other.send, data)

    def send(self, data: bytes) -> None:
        if self.goes_to is not None and not self.transport.is_closing():
            self.transport.sendto(data, self.goes_to)
