"""A person of a measured room, over the rooms' own protocol: sends encoded pictures and counts what comes."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtp import RtpPacket

from benchmarks.rooms.pictures import audio_track, video_track

SETTLE = 6.0
"""Seconds until everybody is in and sees everybody."""

_sent: dict[tuple[str, int], float] = {}
"""When the first packet of a picture was sent, by whose it is and its number; the clients of one process share it."""


@dataclass
class Counted:
    """What one person was sent of one other: pictures, their ages in seconds, the longest time without a new one."""

    pictures: int = 0
    ages: list[float] = field(default_factory=list)
    longest_gap: float = 0.0
    last: float = 0.0
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
                if transceiver.mid == "camera":
                    _note_sending(self.person, transceiver.sender)
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
            counted = self.counted.setdefault(person, Counted())
            if source == "audio":
                counted.sounds += 1
            elif packet.payload_type == 96 and packet.marker:
                self._take_picture(counted, person, packet)
            await take(packet, arrival_time_ms)

        receiver._handle_rtp_packet = count  # type: ignore[method-assign]

    def _take_picture(self, counted: Counted, person: str, packet: RtpPacket) -> None:
        now = time.monotonic()
        counted.pictures += 1
        if counted.last:
            counted.longest_gap = max(counted.longest_gap, now - counted.last)
        counted.last = now
        number = VpxPayloadDescriptor.parse(packet.payload)[0].picture_id
        sent = _sent.get((person, number or 0))
        if sent is not None:
            counted.ages.append(now - sent)


def _note_sending(person: str, sender: Any) -> None:
    """Remember when each picture begins to be sent."""
    encode = sender._next_encoded_frame

    async def noting(codec: Any) -> Any:
        frame = await encode(codec)
        if frame is not None:
            number = VpxPayloadDescriptor.parse(frame.payloads[0])[0].picture_id
            _sent[(person, number or 0)] = time.monotonic()
        return frame

    sender._next_encoded_frame = noting


@contextmanager
def without_decoding() -> Iterator[None]:
    """Clients that throw pictures away instead of decoding them: only the server is measured."""
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


def meet(url: str, tokens: dict[str, str], seconds: float, results: Any) -> None:
    """The people of some rooms, in a process of their own."""
    with without_decoding():
        results.put(asyncio.run(_meet(url, tokens, seconds)))


async def _meet(url: str, tokens: dict[str, str], seconds: float) -> list[dict[str, Any]]:
    stop = asyncio.Event()
    clients = [Client(person, url, token) for person, token in tokens.items()]
    async with aiohttp.ClientSession() as session:
        tasks = [asyncio.create_task(client.run(session, stop)) for client in clients]
        await asyncio.sleep(SETTLE)
        for client in clients:
            client.begin_counting()
        began = time.monotonic()
        await asyncio.sleep(seconds - 1)
        took = time.monotonic() - began
        rows = [
            {"rate": c.pictures / took, "gap": c.longest_gap, "ages": c.ages}
            for client in clients
            for c in client.counted.values()
        ]
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)
    return rows
