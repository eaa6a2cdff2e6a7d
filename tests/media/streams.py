"""Packets of a publisher and a clock that tests move."""

import struct
from dataclasses import dataclass, field

from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket

from media.description import OPUS, VP8, VP8_RTX, Sent, Source
from media.forwarded import ForwardedStream
from media.published import PublishedStream, Uplink
from media.rtp import Header, read_header

SSRC, RTX_SSRC = 1111, 2222
KEYFRAME, INTERFRAME = b"\x10\x00", b"\x10\x01"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def packet(
    sequence: int,
    payload: bytes = INTERFRAME,
    *,
    timestamp: int = 0,
    payload_type: int = VP8,
    ssrc: int = SSRC,
    sent: float | None = None,
) -> bytes:
    """An RTP packet; with ``abs-send-time`` where ``sent`` says when it was sent."""
    first = 0x80 if sent is None else 0x90
    header = struct.pack("!BBHII", first, payload_type, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    if sent is not None:
        header += bytes.fromhex("bede0001 12") + (int(sent * (1 << 18)) & 0xFFFFFF).to_bytes(3)
    return header + payload


def retransmission(sequence: int, original: int, payload: bytes = INTERFRAME) -> bytes:
    """A packet that carries another one again (RFC 4588)."""
    return packet(sequence, struct.pack("!H", original) + payload, payload_type=VP8_RTX, ssrc=RTX_SSRC)


@dataclass
class Publisher:
    """A stream with what it asked its page for."""

    source: Source = Source.CAMERA
    clock: Clock = field(default_factory=Clock)
    asked: list[RtcpRtpfbPacket] = field(default_factory=list)
    keyframes: int = 0

    def __post_init__(self) -> None:
        self.uplink = Uplink()
        self.stream = PublishedStream(self.source, SSRC, RTX_SSRC, self.take, self.uplink, self.clock)

    def take(self, data: bytes) -> None:
        for control in RtcpPacket.parse(data):
            if isinstance(control, RtcpRtpfbPacket):
                self.asked.append(control)
            elif isinstance(control, RtcpPsfbPacket):
                self.keyframes += 1

    @property
    def asked_for(self) -> list[int]:
        """The numbers that were asked for, in order."""
        return [number & 0xFFFF for control in self.asked for number in control.lost]

    def send(self, data: bytes) -> None:
        self.stream.receive(data, read_header(data))

    def sound(self, sequence: int, timestamp: int = 0) -> None:
        self.send(packet(sequence, b"opus", payload_type=OPUS, timestamp=timestamp))


@dataclass
class Watching:
    """A place of a watcher with what it was sent."""

    clock: Clock
    source: Source = Source.CAMERA
    ready: bool = True
    packets: list[bytes] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        place = Sent(f"p0-{self.source}", self.source, "p0", 5555, 6666)
        self.place = ForwardedStream(place, self.packets.append, self.reports.append, lambda: self.ready, self.clock)

    @property
    def headers(self) -> list[Header]:
        return [read_header(data) for data in self.packets]

    @property
    def sequences(self) -> list[int]:
        return [header.sequence for header in self.headers if header.ssrc == 5555]
