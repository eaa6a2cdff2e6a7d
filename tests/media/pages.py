"""A page played by aiortc: it publishes encoded pictures and sound, and decodes what it is sent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import av
import numpy as np
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack

from benchmarks.rooms.pictures import audio_track, video_track
from media.forwarding import Offer, RtpForwarding
from tests.support.waiting import eventually

TIMEOUT = 20.0

_opened: list["Page"] = []


class Told:
    """Listens to a forwarding, and remembers what it was told."""

    def __init__(self) -> None:
        self.losses: list[tuple[str, str]] = []
        self.places: list[tuple[str, str]] = []
        self.messages: list[tuple[str, str, str]] = []

    def lost(self, room: str, person: str) -> None:
        """A connection broke."""
        self.losses.append((room, person))

    def places_changed(self, room: str, person: str) -> None:
        """Somebody's places are others now."""
        self.places.append((room, person))

    def message(self, room: str, person: str, text: str) -> None:
        """Somebody said something over the data channel."""
        self.messages.append((room, person, text))


class Page:
    """One person's page on a forwarding without signalling; with ``relays`` (as a browser takes them) it connects
    through them alone."""

    def __init__(
        self, forwarding: RtpForwarding, room: str, person: str, relays: Sequence[dict[str, Any]] = ()
    ) -> None:
        self.forwarding, self.room, self.person = forwarding, room, person
        self.sends: tuple[str, ...] = ("audio", "camera")
        self.configuration = RTCConfiguration(
            iceServers=[RTCIceServer(**relay) for relay in relays],
            bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            iceTransportPolicy=RTCIceTransportPolicy.RELAY if relays else RTCIceTransportPolicy.ALL,
        )
        self.strokes: list[str] = []
        self.connections: dict[str, RTCPeerConnection] = {}
        self.channels: dict[str, Any] = {}
        self.offers: dict[str, Offer] = {}
        _opened.append(self)

    async def publish(self) -> None:
        """Send camera and sound."""
        self.offers["publish"] = offer = await self.forwarding.publish(self.room, self.person)
        await self._answer("publish", offer)

    async def subscribe(self) -> None:
        """Receive everybody else."""
        self.offers["subscribe"] = offer = await self.forwarding.subscribe(self.room, self.person)
        await self._answer("subscribe", offer)

    async def picture(self, person: str) -> np.ndarray[Any, Any]:
        """The next decoded picture of somebody."""
        frame = cast("av.VideoFrame", await self._next(person, "camera"))
        return frame.to_ndarray(format="rgb24")

    async def hear(self, person: str) -> float:
        """How loud somebody is: the greatest of a half second's samples."""
        frames = [cast("av.AudioFrame", await self._next(person, "audio")) for _ in range(25)]
        return float(max(np.abs(frame.to_ndarray()).max() for frame in frames))

    async def close(self) -> None:
        """Go without a word."""
        while self.connections:
            await self.connections.popitem()[1].close()

    async def _answer(self, purpose: str, offer: Offer) -> None:
        before = self.connections.pop(purpose, None)
        if before is not None:
            await before.close()
        self.connections[purpose] = connection = RTCPeerConnection(self.configuration)
        await connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        channel = connection.createDataChannel("room", negotiated=True, id=0)
        channel.on("message", self.strokes.append)
        self.channels[purpose] = channel
        for transceiver in connection.getTransceivers():
            if purpose == "publish" and transceiver.mid in self.sends:
                transceiver.sender.replaceTrack(audio_track() if transceiver.mid == "audio" else video_track())
                transceiver.direction = "sendonly"
        await connection.setLocalDescription(await connection.createAnswer())
        self.forwarding.answer(offer.connection, connection.localDescription.sdp, self.person)

    async def _next(self, person: str, source: str) -> Any:
        await eventually(lambda: person in self.forwarding.places(self.room, self.person).values())
        places = self.forwarding.places(self.room, self.person)
        place = next(name for name, shown in places.items() if shown == person)
        track: MediaStreamTrack = next(
            transceiver.receiver.track
            for transceiver in self.connections["subscribe"].getTransceivers()
            if transceiver.mid == f"{place}-{source}"
        )
        async with asyncio.timeout(TIMEOUT):
            return await track.recv()


@asynccontextmanager
async def running(forwarding: RtpForwarding) -> AsyncIterator[RtpForwarding]:
    """A forwarding that repairs and reports; it and all pages are closed at the end."""
    task = asyncio.create_task(forwarding.run())
    try:
        yield forwarding
    finally:
        while _opened:
            await _opened.pop().close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await forwarding.close()


async def join(forwarding: RtpForwarding, room: str, *people: str) -> list[Page]:
    """Pages that publish and subscribe."""
    pages = [Page(forwarding, room, person) for person in people]
    for page in pages:
        await page.publish()
        await page.subscribe()
    return pages
