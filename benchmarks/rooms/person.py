"""A person of a measured room: one connection on which they send, one on which they are sent the others."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSrPacket
from aiortc.sdp import SessionDescription

from benchmarks.rooms.endpoint import Endpoint
from benchmarks.rooms.seen import Watcher
from benchmarks.rooms.sent import Encoded, Sending
from benchmarks.rooms.weather import Weather
from media.description import Source
from media.published import PublishedStream, Uplink
from media.rtp import MalformedPacketError, read_header

_TICK = 0.02
_TICKS_A_REPORT = 50


class Person:
    """Number ``number`` of a room whose people share ``sent``: when which picture was sent."""

    def __init__(
        self, number: int, encoded: Encoded, sent: MutableMapping[int, float], bad_weather: bool = False
    ) -> None:
        self.number = number
        weather = [Weather(2 * number), Weather(2 * number + 1)] if bad_weather else [None, None]
        self.publishing = Endpoint(lambda packet: None, self._take_wish, weather[0])
        self.subscribing = Endpoint(self._take_packet, self._take_report, weather[1])
        peer = self.publishing.peer
        self.sending = Sending(number, encoded, sent, peer.send_rtp, peer.send_rtcp)
        self.watchers: list[Watcher] = []
        self.sounds: list[PublishedStream] = []
        self.voices_alone = 0
        """How often the server stopped pictures, because the network seemed to bear none."""
        self._by_ssrc: dict[int, PublishedStream] = {}
        self._sent = sent
        self._sounds_before = 0, 0
        self._picture_came = asyncio.Event()
        self._tasks = [asyncio.create_task(self.sending.run()), asyncio.create_task(self._repair())]

    def expect(self, description: str) -> None:
        """The streams that a description of the subscribing connection announces."""
        for section in SessionDescription.parse(description).media:
            numbers = [described.ssrc for described in section.ssrc]
            if not numbers or numbers[0] in self._by_ssrc:
                continue
            source = Source.AUDIO if section.kind == "audio" else Source.CAMERA
            rtx = numbers[1] if len(numbers) > 1 else None
            stream = PublishedStream(source, numbers[0], rtx, self.subscribing.peer.send_rtcp, Uplink())
            self._by_ssrc.update(dict.fromkeys(numbers, stream))
            if source is Source.AUDIO:
                self.sounds.append(stream)
            else:
                watcher = Watcher(self._sent, self._picture_came.set)
                watcher.stream = stream
                stream.watchers.append(watcher)
                self.watchers.append(watcher)

    async def saw(self, others: int) -> None:
        """Return once a picture of so many others has come."""
        while len(self._seen) < others:
            self._picture_came.clear()
            await self._picture_came.wait()

    def begin(self) -> None:
        """Count from now on."""
        for watcher in self.watchers:
            watcher.begin()
        self._sounds_before = sum(s.expected for s in self.sounds), sum(s.packets for s in self.sounds)

    @property
    def streams(self) -> set[PublishedStream]:
        """What was announced."""
        return set(self._by_ssrc.values())

    def row(self) -> list[dict[str, Any]]:
        """What was seen and not heard since ``begin`` of everybody else."""
        expected = sum(sound.expected for sound in self.sounds) - self._sounds_before[0]
        came = sum(sound.packets for sound in self.sounds) - self._sounds_before[1]
        return [
            {
                "began": watcher.seen.began,
                "pictures": watcher.seen.pictures,
                "gap": watcher.seen.longest_gap,
                "last": watcher.seen.last,
                "ages": watcher.seen.ages,
                "sounds_lost": 1 - came / max(1, expected),
                "voices_alone": self.voices_alone,
            }
            for watcher in self._seen
        ]

    async def close(self) -> None:
        """Go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self.publishing.close(), self.subscribing.close())

    @property
    def _seen(self) -> list[Watcher]:
        return [watcher for watcher in self.watchers if watcher.seen.last]

    async def _repair(self) -> None:
        """Ask again for what is missing, and report, as a browser does."""
        ticks = 0
        while True:
            await asyncio.sleep(_TICK)
            ticks += 1
            for endpoint in (self.publishing, self.subscribing):
                endpoint.peer.allow(_TICK)
            for watcher in self.watchers:
                watcher.look()
                if watcher.stream is not None and watcher.stream.is_missing_packets:
                    watcher.stream.ask_for_missing()
            if ticks % _TICKS_A_REPORT == 0:
                reports = [found for stream in self.streams if (found := stream.reception()) is not None]
                if reports:
                    self.subscribing.peer.send_rtcp(bytes(RtcpRrPacket(ssrc=1, reports=reports)))

    def _take_packet(self, packet: bytes) -> None:
        try:
            header = read_header(packet)
        except MalformedPacketError:
            return
        stream = self._by_ssrc.get(header.ssrc)
        if stream is not None:
            stream.receive(packet, header)

    def _take_report(self, data: bytes) -> None:
        for packet in RtcpPacket.parse(data):
            if isinstance(packet, RtcpSrPacket) and packet.ssrc in self._by_ssrc:
                self._by_ssrc[packet.ssrc].take_report(packet.sender_info)

    def _take_wish(self, data: bytes) -> None:
        self.sending.take_rtcp(data)
