"""Somebody in a room, over the rooms' own protocol: sends encoded pictures and counts those that come, undecoded."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.rtp import RtpPacket

from benchmarks.rooms.pictures import audio_track, video_track


@dataclass
class Counted:
    """What one person was sent of one other."""

    pictures: int = 0
    sounds: int = 0


class Client:
    """One person."""

    def __init__(self, person: str, url: str, token: str) -> None:
        self.person, self._url, self._token = person, url, token
        self.counted: dict[str, Counted] = {}
        self.messages: list[dict[str, Any]] = []
        self._places: dict[str, str] = {}
        self._connections: list[RTCPeerConnection] = []

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
        for connection in self._connections:
            await connection.close()

    def begin_counting(self) -> None:
        """Forget what was counted while everybody came in."""
        self.counted = {}

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
                sdp = await self._answer(message)
                await socket.send_json({"kind": "answer", "connection": message["connection"], "sdp": sdp})

    async def _answer(self, offer: dict[str, Any]) -> str:
        configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        connection = RTCPeerConnection(configuration)
        self._connections.append(connection)
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
            counted = self.counted.setdefault(self._places.get(place, "?"), Counted())
            if source == "audio":
                counted.sounds += 1
            elif packet.payload_type == 96 and packet.marker:
                counted.pictures += 1
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
