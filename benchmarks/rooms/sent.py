"""What one person sends: pictures and sound that were encoded beforehand, at their pace, repaired when asked for."""

import asyncio
import random
import struct
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass

from aiortc.clock import current_ntp_time
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtcpSenderInfo, RtcpSrPacket

from benchmarks.rooms.pictures import FRAME_RATE
from media.description import OPUS, SEND_TIME, VP8, VP8_RTX
from media.rtp import read_header, send_time, wrapped_for_retransmission

_PIECE = 1150
_HISTORY = 512
_SOUND_EACH = 0.02
PICTURES_A_PERSON = 8192
"""Numbers of pictures that each person has for themselves: a picture's number (15 bits) tells whose it is."""


@dataclass(frozen=True)
class Encoded:
    """Pictures, of which the first one alone needs no other, and sounds."""

    pictures: list[bytes]
    sounds: list[bytes]


class Sending:
    """Sound and camera of one person, over ``send_rtp`` and ``send_rtcp``."""

    def __init__(
        self,
        person: int,
        encoded: Encoded,
        sent: MutableMapping[int, float],
        send_rtp: Callable[[bytes], None],
        send_rtcp: Callable[[bytes], None],
    ) -> None:
        self.audio_ssrc, self.camera_ssrc, self.rtx_ssrc = random.sample(range(0x10000, 0xFFFFFFFF), 3)
        self.keyframes = self.asked_again = self.octets = 0
        self._person, self._encoded, self._sent = person, encoded, sent
        self._send_rtp, self._send_rtcp = send_rtp, send_rtcp
        self._history: list[bytes] = [b""] * _HISTORY
        self._sequence = {ssrc: random.randrange(0x8000) for ssrc in (self.audio_ssrc, self.camera_ssrc, self.rtx_ssrc)}
        self._counts = {self.audio_ssrc: [0, 0], self.camera_ssrc: [0, 0]}
        self._picture = self._next = 0

    async def run(self) -> None:
        """Send until cancelled."""
        await asyncio.sleep(random.random() / FRAME_RATE)
        began, sounds, pictures, reports = time.monotonic(), 0, 0, 0
        while True:
            passed = time.monotonic() - began
            if passed >= pictures / FRAME_RATE:
                self._send_picture(pictures * 90_000 // FRAME_RATE)
                pictures += 1
            if passed >= sounds * _SOUND_EACH:
                self._send_sound(sounds)
                sounds += 1
            if passed >= reports:
                self._report(sounds * 960, pictures * 90_000 // FRAME_RATE)
                reports += 1
            due = min(pictures / FRAME_RATE, sounds * _SOUND_EACH)
            await asyncio.sleep(max(0.0, began + due - time.monotonic()))

    def take_rtcp(self, data: bytes) -> None:
        """What the other side asks for: packets again, or a whole picture."""
        for packet in RtcpPacket.parse(data):
            if isinstance(packet, RtcpRtpfbPacket) and packet.media_ssrc == self.camera_ssrc:
                for number in packet.lost:
                    self._send_again(number & 0xFFFF)
            elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in (1, 4):
                self.keyframes += 1
                self._picture = 0

    def _send_picture(self, timestamp: int) -> None:
        data = self._encoded.pictures[self._picture % len(self._encoded.pictures)]
        self._picture += 1
        number = self._person * PICTURES_A_PERSON + self._next % PICTURES_A_PERSON
        self._next += 1
        now = time.monotonic()
        self._sent[number] = now
        extension = struct.pack("!HHB", 0xBEDE, 1, SEND_TIME << 4 | 2) + send_time(now)
        for at in range(0, len(data), _PIECE):
            descriptor = b"\x80\x80" if at else b"\x90\x80"
            payload = descriptor + struct.pack("!H", 0x8000 | number) + data[at : at + _PIECE]
            packet = self._packet(self.camera_ssrc, VP8, timestamp, extension + payload, at + _PIECE >= len(data), 0x90)
            self._history[int.from_bytes(packet[2:4]) % _HISTORY] = packet
            self._send_rtp(packet)

    def _send_sound(self, number: int) -> None:
        sounds = self._encoded.sounds
        self._send_rtp(self._packet(self.audio_ssrc, OPUS, number * 960, sounds[number % len(sounds)], False, 0x80))

    def _packet(self, ssrc: int, payload_type: int, timestamp: int, rest: bytes, marker: bool, first: int) -> bytes:
        sequence = self._sequence[ssrc] = (self._sequence[ssrc] + 1) & 0xFFFF
        counts = self._counts[ssrc]
        counts[0], counts[1] = counts[0] + 1, counts[1] + len(rest)
        self.octets += len(rest)
        return struct.pack("!BBHII", first, marker << 7 | payload_type, sequence, timestamp & 0xFFFFFFFF, ssrc) + rest

    def _send_again(self, sequence: int) -> None:
        packet = self._history[sequence % _HISTORY]
        if packet and int.from_bytes(packet[2:4]) == sequence:
            self.asked_again += 1
            number = self._sequence[self.rtx_ssrc] = (self._sequence[self.rtx_ssrc] + 1) & 0xFFFF
            at = read_header(packet).payload_at
            self._send_rtp(wrapped_for_retransmission(packet, at, VP8_RTX, number, self.rtx_ssrc))

    def _report(self, sound_time: int, picture_time: int) -> None:
        for ssrc, timestamp in ((self.audio_ssrc, sound_time), (self.camera_ssrc, picture_time)):
            packets, octets = self._counts[ssrc]
            info = RtcpSenderInfo(current_ntp_time(), timestamp & 0xFFFFFFFF, packets, octets)
            self._send_rtcp(bytes(RtcpSrPacket(ssrc=ssrc, sender_info=info)))
