"""What one person is sent of one source of another: the publisher's packets under numbers of our own."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiortc.rtp import RtcpReceiverInfo, RtcpSdesPacket, RtcpSenderInfo, RtcpSourceInfo, RtcpSrPacket

from media.description import OPUS, VP8, VP8_RTX, Sent, Source
from media.published import PublishedStream
from media.rtp import Header, is_newer, readdressed, send_time, starts_keyframe_vp8, wrapped_for_retransmission

_CLOCK_RATE = {"audio": 48000, "video": 90000}
_REPORTS_KEPT = 8
_RETRANSMITTED_MOST = 500
"""Packets a second that one place sends again: more than a fifth of 4 Mbit/s lost, less than a page could ask for."""
_WISH_AGAIN_AFTER, _WISH_AGAIN_AFTER_MOST = 0.5, 2.0
_WISHES_FORGOTTEN_AFTER = 10.0


@dataclass(frozen=True, slots=True)
class Reception:
    """How a stream arrives on the other side: packets that it should have had and lacked (before repair) since its
    first report, jitter and round trip in seconds."""

    expected: int
    lacked: int
    jitter: float
    round_trip: float | None


class ForwardedStream:
    """One place of a subscribing connection; what is shown in it can be exchanged or paused at any time."""

    def __init__(
        self,
        place: Sent,
        send_rtp: Callable[[bytes], None],
        send_rtcp: Callable[[bytes], None],
        is_ready: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.place = place
        self.stream: PublishedStream | None = None
        self.packets = self.octets = self.retransmitted = 0
        self.reception: Reception | None = None
        self._send_rtp, self._send_rtcp, self._is_ready, self._clock = send_rtp, send_rtcp, is_ready, clock
        self._is_video = place.source is not Source.AUDIO
        self._payload_type = VP8 if self._is_video else OPUS
        self._rate = _CLOCK_RATE[place.source.kind]
        self._paused = False
        self._first: int | None = None
        self._sequence_offset = self._timestamp_offset = 0
        self._last_sequence, self._last_timestamp, self._last_at = 0, 0, clock()
        self._rtx_sequence = 0
        self._retransmitting_since, self._retransmitted_since = clock(), 0
        self._reports: dict[int, float] = {}
        self._first_report: RtcpReceiverInfo | None = None
        self._wished_at, self._wish_again_after = float("-inf"), _WISH_AGAIN_AFTER

    def show(self, stream: PublishedStream | None) -> None:
        """Send this stream from now on; nothing where it is ``None``."""
        if self.stream is not None:
            self.stream.watchers.remove(self)
        self.stream, self._first = stream, None
        if stream is not None:
            stream.watchers.append(self)
            stream.request_keyframe()

    def pause(self, paused: bool) -> None:
        """Stop sending, or begin again with a whole picture."""
        if paused != self._paused:
            self._paused, self._first = paused, None
            if not paused and self.stream is not None:
                self.stream.request_keyframe()

    def forward(self, packet: bytes, header: Header, send_time_at: int | None) -> None:
        """Send a packet of the publisher on."""
        if self._paused or not self._is_ready():
            return
        if self._first is None:
            if not self._begin(packet, header):
                return
        elif not is_newer(header.sequence, self._first) and header.sequence != self._first:
            return  # from before this place showed the stream
        sequence = (header.sequence + self._sequence_offset) & 0xFFFF
        timestamp = (header.timestamp + self._timestamp_offset) & 0xFFFFFFFF
        copy = readdressed(packet, header, self._payload_type, sequence, timestamp, self.place.ssrc)
        now = self._clock()
        if send_time_at is not None:
            copy[send_time_at : send_time_at + 3] = send_time(now)
        self._send_rtp(bytes(copy))
        self.packets += 1
        self.octets += len(packet) - header.payload_at
        if is_newer(sequence, self._last_sequence) or self.packets == 1:
            self._last_sequence, self._last_timestamp, self._last_at = sequence, timestamp, now
            if (header.sequence - (self._first or 0)) & 0xFFFF > 0x4000:  # the wrap must not make old what is new
                self._first = (header.sequence - 0x2000) & 0xFFFF

    def retransmit(self, lost: Iterable[int]) -> None:
        """Send again what the other side lacks, as far as it is still kept."""
        if self.stream is None or self._first is None or self._paused:
            return
        for sequence in lost:
            original = (sequence - self._sequence_offset) & 0xFFFF
            kept = self.stream.kept(original)
            if kept is None or is_newer(self._first, original):
                continue  # gone, or from before what this place shows now
            if not self._may_retransmit():
                return
            packet, header = kept
            timestamp = (header.timestamp + self._timestamp_offset) & 0xFFFFFFFF
            copy = readdressed(packet, header, self._payload_type, sequence & 0xFFFF, timestamp, self.place.ssrc)
            again = wrapped_for_retransmission(
                copy, header.payload_at, VP8_RTX, self._rtx_sequence, self.place.rtx_ssrc
            )
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            self.retransmitted += 1
            self._send_rtp(again)

    def wish_keyframe(self) -> None:
        """The page cannot decode and wishes for a whole picture. Everybody pays for one with a worse picture: a page
        that goes on wishing is heard ever more seldom, until it has been content for a while."""
        now = self._clock()
        since = now - self._wished_at
        if self.stream is None or since < self._wish_again_after:
            return
        again = self._wish_again_after * 2 if since < _WISHES_FORGOTTEN_AFTER else _WISH_AGAIN_AFTER
        self._wished_at, self._wish_again_after = now, min(again, _WISH_AGAIN_AFTER_MOST)
        self.stream.request_keyframe()

    def forward_report(self, report: RtcpSenderInfo) -> None:
        """Tell the publisher's clock in our numbers, so that sound and picture stay together (RFC 3550, 6.4.1)."""
        if self._first is None or self._paused or not self._is_ready():
            return
        info = RtcpSenderInfo(
            ntp_timestamp=report.ntp_timestamp,
            rtp_timestamp=(report.rtp_timestamp + self._timestamp_offset) & 0xFFFFFFFF,
            packet_count=self.packets & 0xFFFFFFFF,
            octet_count=self.octets & 0xFFFFFFFF,
        )
        names = [RtcpSourceInfo(ssrc=self.place.ssrc, items=[(1, self.place.stream.encode())])]
        self._send_rtcp(bytes(RtcpSrPacket(ssrc=self.place.ssrc, sender_info=info)) + bytes(RtcpSdesPacket(names)))
        self._reports[(report.ntp_timestamp >> 16) & 0xFFFFFFFF] = self._clock()
        while len(self._reports) > _REPORTS_KEPT:
            del self._reports[next(iter(self._reports))]

    def take_reception(self, report: RtcpReceiverInfo) -> None:
        """How the other side says that this stream arrives."""
        sent = self._reports.get(report.lsr) if report.lsr else None
        trip = None if sent is None else max(0.0, self._clock() - sent - report.dlsr / 65536)
        first = self._first_report = self._first_report or report
        expected = (report.highest_sequence - first.highest_sequence) & 0xFFFFFFFF
        lacked = report.packets_lost - first.packets_lost
        self.reception = Reception(expected, lacked, report.jitter / self._rate, trip)

    def _may_retransmit(self) -> bool:
        """Whether one more packet may be sent again in this second."""
        now = self._clock()
        if now - self._retransmitting_since >= 1.0:
            self._retransmitting_since, self._retransmitted_since = now, 0
        self._retransmitted_since += 1
        return self._retransmitted_since <= _RETRANSMITTED_MOST

    def _begin(self, packet: bytes, header: Header) -> bool:
        """Whether sending can begin here: a picture begins with a whole one. Numbers go on from the last ones."""
        if self._is_video and not starts_keyframe_vp8(packet, header.payload_at):
            if self.stream is not None:
                self.stream.request_keyframe()
            return False
        passed = int((self._clock() - self._last_at) * self._rate) + 1
        self._first = header.sequence
        self._sequence_offset = (self._last_sequence + 1 - header.sequence) & 0xFFFF
        self._timestamp_offset = (self._last_timestamp + passed - header.timestamp) & 0xFFFFFFFF
        return True
