"""What one person publishes of one source: received, kept for a moment, handed to whoever watches."""

import time
from collections.abc import Callable
from typing import Protocol

from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    clamp_packets_lost,
)

from media.description import OPUS, SEND_TIME, VP8, VP8_RTX, Source
from media.rtp import Header, extension_at, is_newer, unwrapped_retransmission

HISTORY = 1024
"""Packets that are kept for retransmission: some five seconds of a picture at 1 Mbit/s."""

_CLOCK_RATE = {"audio": 48000, "video": 90000}
_MISSING_LIMIT = 256
_ASK_AGAIN_AFTER = 0.06
_ASK_AT_MOST = 10
_KEYFRAME_AGAIN_AFTER = 0.5
_DELAY_WINDOW = 30.0


class Watcher(Protocol):
    """Whoever is handed the packets of a stream."""

    def forward(self, packet: bytes, header: Header, send_time_at: int | None) -> None:
        """One packet, in the order of arrival; ``send_time_at`` is where its ``abs-send-time`` lies."""

    def forward_report(self, report: RtcpSenderInfo) -> None:
        """The publisher's report of its clock."""


class Uplink:
    """How much longer than the fastest packet of late the packets of a publisher are on their way.

    A queue that builds up before us shows here long before packets are lost. Clocks need not agree: only the
    difference to the least one counts, and the least is forgotten after half a minute, as clocks drift.
    """

    def __init__(self) -> None:
        self.delay = 0.0
        self._offset: float | None = None
        self._least: list[tuple[float, float]] = []

    def add(self, sent: int, arrived: float) -> None:
        """A packet: ``sent`` as ``abs-send-time`` (24 bits, wraps each 64 s), ``arrived`` in seconds."""
        apart = arrived - sent / (1 << 18)
        if self._offset is None:
            self._offset = apart
        on_the_way = (apart - self._offset + 32.0) % 64.0 - 32.0
        least = self._least
        while least and least[-1][1] >= on_the_way:
            least.pop()
        least.append((arrived, on_the_way))
        while least[0][0] < arrived - _DELAY_WINDOW:
            least.pop(0)
        self.delay += (on_the_way - least[0][1] - self.delay) / 16


class PublishedStream:
    """One stream of a publisher."""

    def __init__(
        self,
        source: Source,
        ssrc: int,
        rtx_ssrc: int | None,
        send_rtcp: Callable[[bytes], None],
        uplink: Uplink,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source, self.ssrc, self.rtx_ssrc = source, ssrc, rtx_ssrc
        self.watchers: list[Watcher] = []
        self.packets = self.octets = self.repaired = 0
        self._send_rtcp, self._uplink, self._clock = send_rtcp, uplink, clock
        self._is_video = source.kind == "video"
        self._payload_type = VP8 if self._is_video else OPUS
        self._rate = _CLOCK_RATE[source.kind]
        self._history: list[tuple[int, bytes, Header] | None] = [None] * (HISTORY if self._is_video else 0)
        self._missing: dict[int, tuple[int, float]] = {}
        self._base = self._highest = -1
        self._cycles = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._expected_before = self._received_before = 0
        self._report_at = 0.0
        self._report_time = 0
        self._keyframe_asked = float("-inf")

    def receive(self, packet: bytes, header: Header) -> None:
        """Take a packet of this stream, or one of its retransmissions."""
        if header.ssrc == self.rtx_ssrc:
            self._receive_retransmission(packet, header)
            return
        if header.payload_type != self._payload_type:
            return  # nothing that was agreed on
        now = self._clock()
        send_time_at = self._estimate(packet, header) if self._is_video else None
        self._count(packet, header, now)
        self._keep_and_forward(packet, header, send_time_at)

    def kept(self, sequence: int) -> tuple[bytes, Header] | None:
        """The packet of this number while it is still kept."""
        if not self._is_video:
            return None
        entry = self._history[sequence % HISTORY]
        return (entry[1], entry[2]) if entry is not None and entry[0] == sequence else None

    def request_keyframe(self) -> None:
        """Ask the publisher for a whole picture, not more often than the link bears."""
        now = self._clock()
        if self._is_video and now - self._keyframe_asked >= _KEYFRAME_AGAIN_AFTER:
            self._keyframe_asked = now
            self._send_rtcp(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=self.ssrc)))

    def ask_for_missing(self) -> None:
        """Ask for what has not come; each packet some times, spaced by what a way there and back may take."""
        now = self._clock()
        due = [n for n, (_, asked) in self._missing.items() if now - asked >= _ASK_AGAIN_AFTER]
        if not due:
            return
        for number in due:
            times = self._missing[number][0] + 1
            if times > _ASK_AT_MOST:
                del self._missing[number]
            else:
                self._missing[number] = (times, now)
        lost = sorted(n for n in due if n in self._missing)
        if lost:
            packet = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=self.ssrc)
            packet.lost = lost
            self._send_rtcp(bytes(packet))

    @property
    def is_missing_packets(self) -> bool:
        """Whether packets are waited for."""
        return bool(self._missing)

    def take_report(self, report: RtcpSenderInfo) -> None:
        """The publisher's report of its clock: remembered for ours, and handed on."""
        self._report_time, self._report_at = (report.ntp_timestamp >> 16) & 0xFFFFFFFF, self._clock()
        for watcher in self.watchers:
            watcher.forward_report(report)

    @property
    def expected(self) -> int:
        """Packets that should have come since the first one."""
        return 0 if self._base < 0 else self._cycles + self._highest - self._base + 1

    def reception(self) -> RtcpReceiverInfo | None:
        """How this stream has arrived since the last call (RFC 3550, 6.4.1); ``None`` before its first packet."""
        if self._base < 0:
            return None
        expected = self.expected
        expected_now = expected - self._expected_before
        lost_now = expected_now - (self.packets - self._received_before)
        self._expected_before, self._received_before = expected, self.packets
        fraction = 0 if expected_now <= 0 or lost_now <= 0 else min(255, (lost_now << 8) // expected_now)
        since = min(self._clock() - self._report_at, 65535.0) if self._report_time else 0.0
        return RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            packets_lost=clamp_packets_lost(expected - self.packets),
            highest_sequence=(self._cycles + self._highest) & 0xFFFFFFFF,
            jitter=int(self._jitter),
            lsr=self._report_time,
            dlsr=int(since * 65536),
        )

    @property
    def jitter_seconds(self) -> float:
        """How unevenly packets arrive."""
        return self._jitter / self._rate

    def _receive_retransmission(self, packet: bytes, header: Header) -> None:
        if header.payload_type != VP8_RTX:
            return
        original = unwrapped_retransmission(packet, header, VP8, self.ssrc)
        if original is None:
            return
        sequence = int.from_bytes(original[2:4])
        if self._missing.pop(sequence, None) is None:
            return  # it had come after all
        self.repaired += 1
        restored = header._replace(payload_type=VP8, sequence=sequence, ssrc=self.ssrc)
        self._keep_and_forward(original, restored, self._send_time_at(original, restored))

    def _keep_and_forward(self, packet: bytes, header: Header, send_time_at: int | None) -> None:
        if self._is_video:
            self._history[header.sequence % HISTORY] = (header.sequence, packet, header)
        for watcher in self.watchers:
            watcher.forward(packet, header, send_time_at)

    def _send_time_at(self, packet: bytes, header: Header) -> int | None:
        found = extension_at(packet, header.payload_at, SEND_TIME)
        return found[0] if found is not None and found[1] == 3 else None

    def _estimate(self, packet: bytes, header: Header) -> int | None:
        """Tell the uplink of this packet; gives where its send time lies."""
        at = self._send_time_at(packet, header)
        if at is not None:
            self._uplink.add(int.from_bytes(packet[at : at + 3]), self._clock())
        return at

    def _count(self, packet: bytes, header: Header, now: float) -> None:
        self.packets += 1
        self.octets += len(packet) - header.payload_at
        sequence = header.sequence
        if self._base < 0:
            self._base = self._highest = sequence
        elif is_newer(sequence, self._highest):
            if self._is_video and (sequence - self._highest) & 0xFFFF > 1:
                self._note_missing(self._highest, sequence)
            if sequence < self._highest:
                self._cycles += 1 << 16
            self._highest = sequence
        else:
            self._missing.pop(sequence, None)
        transit = now * self._rate - header.timestamp
        if self._transit is not None:
            difference = abs(transit - self._transit)
            if difference < self._rate:  # a jump of the clock is no jitter
                self._jitter += (difference - self._jitter) / 16
        self._transit = transit

    def _note_missing(self, last: int, sequence: int) -> None:
        gap = (sequence - last - 1) & 0xFFFF
        if gap > _MISSING_LIMIT:  # too much to repair: a new picture is cheaper
            self._missing.clear()
            self.request_keyframe()
            return
        for number in range(1, gap + 1):
            self._missing[(last + number) & 0xFFFF] = (0, float("-inf"))
        while len(self._missing) > _MISSING_LIMIT:
            del self._missing[next(iter(self._missing))]
        self.ask_for_missing()
