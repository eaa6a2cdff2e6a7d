"""A page played by aiortc over the rooms' own protocol: sends encoded pictures and sound, counts what comes."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.rtp import RtpPacket

from benchmarks.rooms.pictures import audio_track, video_track
from media.description import VP8


class Client:
    """One person."""

    def __init__(self, person: str, url: str, token: str) -> None:
        self.person, self._url, self._token = person, url, token
        self.pictures: Counter[str] = Counter()
        self.sounds: Counter[str] = Counter()
        self.messages: list[dict[str, Any]] = []
        self.connections: dict[str, RTCPeerConnection] = {}
        self._answering: list[asyncio.Task[str]] = []
        self._places: dict[str, str] = {}

    async def run(self, session: aiohttp.ClientSession, stop: asyncio.Event) -> None:
        """Be in the room until told to stop."""
        async with session.ws_connect(self._url) as socket:
            await socket.send_json({"kind": "join", "version": 1, "token": self._token})
            stopping = asyncio.create_task(stop.wait())
            reading = asyncio.create_task(self._read(socket))
            await asyncio.wait({stopping, reading}, return_when=asyncio.FIRST_COMPLETED)
            for task in (stopping, reading):
                task.cancel()
            await asyncio.gather(stopping, reading, return_exceptions=True)
        await asyncio.gather(*self._answering, return_exceptions=True)
        for connection in self.connections.values():
            await connection.close()

    def look_away(self) -> None:
        """Forget what has come so far."""
        self.pictures.clear()
        self.sounds.clear()

    def sees_and_hears(self, person: str, more_than: int = 2) -> bool:
        """Whether so many pictures and sounds of somebody have come."""
        return self.pictures[person] > more_than and self.sounds[person] > more_than

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            message = frame.json()
            self.messages.append(message)
            if message["kind"] == "joined":
                await socket.send_json({"kind": "offer", "purpose": "publish"})
                await socket.send_json({"kind": "offer", "purpose": "subscribe"})
            elif message["kind"] == "places":
                self._places = message["places"]
            elif message["kind"] == "offer":
                # Cut off in the middle it would leave its sockets behind.
                answering = asyncio.create_task(self._answer(message))
                self._answering.append(answering)
                sdp = await asyncio.shield(answering)
                await socket.send_json({"kind": "answer", "connection": message["connection"], "sdp": sdp})

    async def _answer(self, offer: dict[str, Any]) -> str:
        configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        self.connections[offer["purpose"]] = connection = RTCPeerConnection(configuration)
        await connection.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        for transceiver in connection.getTransceivers():
            if offer["purpose"] == "publish" and transceiver.mid in ("audio", "camera"):
                track = audio_track() if transceiver.mid == "audio" else video_track()
                transceiver.sender.replaceTrack(track)
                transceiver.direction = "sendonly"
            elif offer["purpose"] == "subscribe" and transceiver.mid is not None:
                self._count(transceiver.mid, transceiver.receiver)
        await connection.setLocalDescription(await connection.createAnswer())
        return connection.localDescription.sdp

    def _count(self, mid: str, receiver: RTCRtpReceiver) -> None:
        """Look at every packet that this place is sent, before the library does."""
        place, source = mid.split("-")
        take = receiver._handle_rtp_packet

        async def count(packet: RtpPacket, arrival_time_ms: int) -> None:
            person = self._places.get(place, "?")
            if source == "audio":
                self.sounds[person] += 1
            elif packet.payload_type == VP8 and packet.marker:
                self.pictures[person] += 1
            await take(packet, arrival_time_ms)

        receiver._handle_rtp_packet = count  # type: ignore[method-assign]


@contextmanager
def without_decoding() -> Iterator[None]:
    """Clients throw pictures away instead of decoding them."""
    import aiortc.rtcrtpreceiver as module

    decode = module.decoder_worker
    module.decoder_worker = _throw_away
    try:
        yield
    finally:
        module.decoder_worker = decode


def _throw_away(loop: Any, input_q: Any, output_q: Any, decode_error: Any) -> None:
    while input_q.get() is not None:
        pass
