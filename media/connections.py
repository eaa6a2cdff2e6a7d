"""The two connections of a person: one on which they publish, one on which they are sent what the others publish."""

import random
import secrets
import struct
from collections.abc import Callable

from aiortc import RTCCertificate, RTCIceServer
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    pack_remb_fci,
)

from media.description import Answer, Received, Sent, Source, Transport, publishing_offer, subscribing_offer
from media.forwarded import ForwardedStream, Reception
from media.peer import Peer
from media.published import PublishedStream, Uplink
from media.quality import Losses
from media.rtp import MalformedPacketError, read_header

CAPACITY = 4
"""People in one room: patient, grassroots doctor, expert, and one more (a relative, a second expert)."""


class Connection:
    """A connection that was offered and waits for its answer, or is up."""

    def __init__(
        self, certificate: RTCCertificate, ice_servers: list[RTCIceServer], on_lost: Callable[[], None]
    ) -> None:
        self.id = secrets.token_hex(8)
        self.offer = self.person = ""
        self.peer = Peer(
            certificate,
            ice_servers,
            on_rtp=self.take_rtp,
            on_rtcp=self._take_rtcp,
            on_message=lambda text: self.on_message(text),
            on_connected=lambda: self.connected(),
            on_lost=on_lost,
        )
        self.on_message: Callable[[str], None] = lambda text: None

    def take_rtp(self, packet: bytes) -> None:
        """A media packet of the page."""

    def take_report(self, packet: object) -> None:
        """A control packet of the page."""

    def answered(self, answer: Answer) -> None:
        """What the page will send."""

    def connected(self) -> None:
        """Media can flow."""

    def _take_rtcp(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except (ValueError, IndexError, struct.error):  # the parser checks most lengths, not all
            return
        for packet in packets:
            self.take_report(packet)


class Publisher(Connection):
    """What a person sends."""

    def __init__(
        self,
        certificate: RTCCertificate,
        ice_servers: list[RTCIceServer],
        on_lost: Callable[[], None],
        on_stream: Callable[[PublishedStream], None],
    ) -> None:
        super().__init__(certificate, ice_servers, on_lost)
        self.uplink = Uplink()
        self.streams: dict[Source, PublishedStream] = {}
        self.losses = Losses()
        self._by_ssrc: dict[int, PublishedStream] = {}
        self._on_stream = on_stream

    async def make_offer(self) -> None:
        local = await self.peer.gather()
        self.offer = publishing_offer(local, self.peer.data_port)

    def answered(self, answer: Answer) -> None:
        for received in answer.received:
            self._expect(received)

    def connected(self) -> None:
        for stream in self.streams.values():
            stream.request_keyframe()

    def stop(self) -> None:
        """Receive nothing any more. What was kept is let go of at once: connections refer to each other in circles,
        which are collected late, and the packets of a picture fill a megabyte."""
        self.streams.clear()
        self._by_ssrc.clear()

    def _expect(self, received: Received) -> None:
        if received.ssrc is None or received.source in self.streams:
            return
        stream = PublishedStream(received.source, received.ssrc, received.rtx_ssrc, self.peer.send_rtcp, self.uplink)
        self.streams[received.source] = stream
        self._by_ssrc[received.ssrc] = stream
        if received.rtx_ssrc is not None:
            self._by_ssrc[received.rtx_ssrc] = stream
        self._on_stream(stream)

    def take_rtp(self, packet: bytes) -> None:
        try:
            header = read_header(packet)
        except MalformedPacketError:
            return
        stream = self._by_ssrc.get(header.ssrc)
        if stream is not None:
            stream.receive(packet, header)

    def take_report(self, packet: object) -> None:
        if isinstance(packet, RtcpSrPacket):
            stream = self._by_ssrc.get(packet.ssrc)
            if stream is not None:
                stream.take_report(packet.sender_info)

    def repair(self) -> None:
        """Ask again for what is missing."""
        for stream in self.streams.values():
            if stream.is_missing_packets:
                stream.ask_for_missing()

    def report(self, cap: int) -> None:
        """Tell the page how its streams arrive and how much it may send."""
        receptions = [r for stream in self.streams.values() if (r := stream.reception()) is not None]
        if not receptions:
            return
        self.losses.add(
            sum(stream.expected for stream in self.streams.values()),
            sum(stream.expected - stream.packets for stream in self.streams.values()),
        )
        pictures = [stream.ssrc for stream in self.streams.values() if stream.source is not Source.AUDIO]
        data = bytes(RtcpRrPacket(ssrc=1, reports=receptions))
        if pictures:
            fci = pack_remb_fci(cap, pictures)
            data += bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))
        self.peer.send_rtcp(data)


class Subscriber(Connection):
    """What a person is sent."""

    def __init__(
        self, certificate: RTCCertificate, ice_servers: list[RTCIceServer], on_lost: Callable[[], None]
    ) -> None:
        super().__init__(certificate, ice_servers, on_lost)
        self.losses = Losses()
        self.groups: dict[str, str] = {}
        numbers = iter(random.sample(range(0x10000, 0xFFFFFFFF), 2 * (CAPACITY - 1) * len(Source)))
        self.forwarded = [
            ForwardedStream(
                Sent(f"p{group}-{source}", source, f"p{group}", next(numbers), next(numbers)),
                self.peer.send_rtp,
                self.peer.send_rtcp,
                lambda: self.peer.is_connected,
            )
            for group in range(CAPACITY - 1)
            for source in Source
        ]
        self._by_ssrc = {forwarded.place.ssrc: forwarded for forwarded in self.forwarded}

    async def make_offer(self) -> None:
        local: Transport = await self.peer.gather()
        self.offer = subscribing_offer(local, [f.place for f in self.forwarded], self.peer.data_port)

    def connected(self) -> None:
        for forwarded in self.forwarded:
            if forwarded.stream is not None:
                forwarded.stream.request_keyframe()

    def show(self, person: str, source: Source, stream: PublishedStream | None) -> None:
        """Show this stream of this person in the place that is theirs."""
        group = next((g for g, shown in self.groups.items() if shown == person), None)
        if group is None:
            used = set(self.groups)
            group = next(f"p{n}" for n in range(CAPACITY - 1) if f"p{n}" not in used)
            self.groups[group] = person
        for forwarded in self.forwarded:
            if forwarded.place.stream == group and forwarded.place.source is source:
                forwarded.show(stream)

    def forget(self, person: str) -> None:
        """Free the place of somebody who left."""
        for source in Source:
            if person in self.groups.values():
                self.show(person, source, None)
        self.groups = {group: shown for group, shown in self.groups.items() if shown != person}

    def pause_pictures(self, paused: bool) -> None:
        """Send voices alone, or pictures again."""
        for forwarded in self.forwarded:
            if forwarded.place.source is not Source.AUDIO:
                forwarded.pause(paused)

    def stop(self) -> None:
        """Watch nothing any more."""
        for forwarded in self.forwarded:
            forwarded.show(None)

    def take_report(self, packet: object) -> None:
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                forwarded = self._by_ssrc.get(report.ssrc)
                if forwarded is not None:
                    forwarded.take_reception(report)
        elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            forwarded = self._by_ssrc.get(packet.media_ssrc)
            if forwarded is not None:
                forwarded.retransmit(packet.lost)
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_PLI:
            forwarded = self._by_ssrc.get(packet.media_ssrc)
            if forwarded is not None:
                forwarded.wish_keyframe()

    def report(self) -> None:
        """Sum up what the page has reported until now."""
        receptions = [f.reception for f in self.forwarded if f.reception is not None]
        if receptions:
            self.losses.add(sum(r.expected for r in receptions), sum(r.lacked for r in receptions))

    def receptions(self) -> list[Reception]:
        """How what is sent arrives."""
        return [f.reception for f in self.forwarded if f.reception is not None and f.stream is not None]
