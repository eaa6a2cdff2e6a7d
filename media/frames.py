"""From packets to the encoded frames in them: VP8 (RFC 7741) and Opus (RFC 7587). Nothing is decoded.

Packets come in the order of arrival, late and repaired ones too; frames go out whole and in order. What has not come
within a moment is given up, and with it every picture that builds on it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from media.rtp import Header

_WINDOW = 512
"""Packets that wait for an earlier one at most: two seconds of a picture at 2.5 Mbit/s."""

_PICTURE_WAIT = 0.5
_VOICE_WAIT = 0.1
_START_CODE = b"\x9d\x01\x2a"
_LARGEST_FRAME = 4 * 1024 * 1024


class Frame(NamedTuple):
    """One encoded frame: its RTP timestamp without the wrap, when its last packet came (seconds), its bytes;
    ``size`` is the width and height in pixels that a key frame states, ``duration`` (of a voice) counts samples."""

    timestamp: int
    arrived: float
    data: bytes
    keyframe: bool = True
    size: tuple[int, int] | None = None
    duration: int = 0


class _Waiting(NamedTuple):
    timestamp: int
    marker: bool
    payload: bytes
    arrived: float


def extended(value: int, near: int, bits: int) -> int:
    """The number nearest to ``near`` of which ``value`` holds the lowest ``bits`` bits: undoes the wrap."""
    half = 1 << bits - 1
    return near + ((value - near + half) & (2 * half - 1)) - half


def payload_of(packet: bytes, header: Header) -> bytes:
    """The payload without its padding (RFC 3550, 5.1), empty where there is nothing else."""
    end = len(packet)
    if packet[0] & 0x20:
        end -= packet[-1]
    return packet[header.payload_at : max(end, header.payload_at)]


class Ordered:
    """Puts packets in order within a bounded window; ``wait`` in seconds is how long it waits for a missing one."""

    def __init__(self, wait: float) -> None:
        self._wait = wait
        self._waiting: dict[int, _Waiting] = {}
        self._next: int | None = None
        self._timestamp = 0

    def take(self, packet: bytes, header: Header, arrived: float) -> Iterator[tuple[_Waiting, bool]]:
        """Give what is in order now, each with whether packets before it are lost."""
        if self._next is None:
            self._next, self._timestamp = header.sequence, header.timestamp
        sequence = extended(header.sequence, self._next, 16)
        if sequence >= self._next and sequence not in self._waiting:
            self._timestamp = extended(header.timestamp, self._timestamp, 32)
            self._waiting[sequence] = _Waiting(self._timestamp, header.marker, payload_of(packet, header), arrived)
        return self.release(arrived)

    def release(self, now: float) -> Iterator[tuple[_Waiting, bool]]:
        """Give what has waited long enough for what did not come, and what follows it."""
        while self._waiting and self._next is not None:
            lost = self._next not in self._waiting
            if lost:
                first = min(self._waiting)
                patient = now - self._waiting[first].arrived < self._wait
                if patient and len(self._waiting) < _WINDOW:
                    return
                self._next = first
            entry = self._waiting.pop(self._next)
            self._next += 1
            yield entry, lost


class PictureFrames:
    """Whole VP8 frames of one stream. What builds on a lost frame is dropped until the next key frame."""

    def __init__(self) -> None:
        self.needs_keyframe = True
        """Whether nothing can be given before a key frame comes."""
        self._ordered = Ordered(_PICTURE_WAIT)
        self._parts: list[bytes] = []
        self._octets = self._timestamp = 0
        self._discardable = False

    def take(self, packet: bytes, header: Header, arrived: float) -> Iterator[Frame]:
        """Give the frames that this packet completes."""
        return self._frames(self._ordered.take(packet, header, arrived))

    def release(self, now: float) -> Iterator[Frame]:
        """Give the frames that need not wait any longer."""
        return self._frames(self._ordered.release(now))

    def _frames(self, packets: Iterator[tuple[_Waiting, bool]]) -> Iterator[Frame]:
        for packet, lost in packets:
            if lost:
                self._lose(packet.timestamp)
            if packet.payload:
                frame = self._add(packet)
                if frame is not None:
                    yield frame

    def _lose(self, next_timestamp: int) -> None:
        """Packets are lost before one of ``next_timestamp``. A frame that no other refers to is lost alone."""
        within = bool(self._parts) and self._timestamp == next_timestamp
        if not (within and self._discardable):
            self.needs_keyframe = True
        self._parts = []

    def _add(self, packet: _Waiting) -> Frame | None:
        descriptor = _descriptor(packet.payload)
        if descriptor is None:
            self._lose(packet.timestamp)
            return None
        length, starts, discardable = descriptor
        if self._parts and self._timestamp != packet.timestamp:
            self._lose(packet.timestamp)  # its last packet never came
        if starts and not self._parts:
            self._timestamp, self._discardable, self._octets = packet.timestamp, discardable, 0
        elif not self._parts:
            return None  # the rest of a frame whose beginning is lost
        self._parts.append(packet.payload[length:])
        self._octets += len(packet.payload) - length
        if self._octets > _LARGEST_FRAME:
            self._lose(packet.timestamp)
        elif packet.marker:
            return self._finish(packet.arrived)
        return None

    def _finish(self, arrived: float) -> Frame | None:
        data, self._parts = b"".join(self._parts), []
        keyframe = not data[0] & 0x01
        size = _size(data) if keyframe else None
        if keyframe and size is None:
            self.needs_keyframe = True  # damaged
        if self.needs_keyframe and size is None:
            return None
        self.needs_keyframe = False
        return Frame(self._timestamp, arrived, data, keyframe, size)


class VoiceFrames:
    """Opus frames of one stream: a packet is a frame."""

    def __init__(self) -> None:
        self._ordered = Ordered(_VOICE_WAIT)

    def take(self, packet: bytes, header: Header, arrived: float) -> Iterator[Frame]:
        """Give the frames that are in order with this packet."""
        return self._frames(self._ordered.take(packet, header, arrived))

    def release(self, now: float) -> Iterator[Frame]:
        """Give the frames that need not wait any longer."""
        return self._frames(self._ordered.release(now))

    def _frames(self, packets: Iterator[tuple[_Waiting, bool]]) -> Iterator[Frame]:
        for packet, _lost in packets:
            samples = opus_samples(packet.payload)
            if samples:
                yield Frame(packet.timestamp, packet.arrived, packet.payload, duration=samples)


def opus_samples(data: bytes) -> int:
    """How many samples at 48 kHz an Opus packet lasts (RFC 6716, 3.1 and 3.2); 0 for what is none."""
    if not data:
        return 0
    configuration, code = data[0] >> 3, data[0] & 0x03
    if configuration < 12:
        each = (480, 960, 1920, 2880)[configuration & 3]
    elif configuration < 16:
        each = (480, 960)[configuration & 1]
    else:
        each = (120, 240, 480, 960)[configuration & 3]
    frames = (1, 2, 2, data[1] & 0x3F if len(data) > 1 else 0)[code]
    return frames * each if frames * each <= 5760 else 0


def _descriptor(payload: bytes) -> tuple[int, bool, bool] | None:
    """The payload descriptor (RFC 7741, 4.2): its length, whether a frame begins here, whether no frame refers to it;
    ``None`` where nothing follows it."""
    first, length = payload[0], 1
    if first & 0x80 and len(payload) > 1:
        extension = payload[1]
        length = 2
        if extension & 0x80:
            length += 2 if len(payload) > 2 and payload[2] & 0x80 else 1
        length += bool(extension & 0x40) + bool(extension & 0x30)
    if len(payload) <= length:
        return None
    return length, bool(first & 0x10) and not first & 0x07, bool(first & 0x20)


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a key frame states (RFC 6386, 9.1); ``None`` where it is cut short or damaged."""
    if len(data) < 10 or data[3:6] != _START_CODE:
        return None
    width, height = int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF
    return (width, height) if width and height else None
