"""Somebody whose picture and voice become segments, with time in the test's hand."""

import io
from dataclasses import dataclass, field
from typing import cast

import av
from av.container import InputContainer

from benchmarks.rooms.pictures import FRAME_RATE, encoded_audio, encoded_video
from media.description import OPUS, Source
from media.rtp import read_header
from media.segments import Segment, TrackRecorder
from tests.media.segment_store import file_of
from tests.media.streams import packet

CAMERA, VOICE = 11, 22


def vp8(number: int, *, key: bool, size: tuple[int, int] = (640, 480), length: int = 40) -> bytes:
    """A frame that says what it is in its header, and nothing after it."""
    tag = bytes([0 if key else 1]) + b"\x00\x00"
    shape = b"\x9d\x01\x2a" + size[0].to_bytes(2, "little") + size[1].to_bytes(2, "little") if key else b""
    return tag + shape + number.to_bytes(2) * length


@dataclass
class Studio:
    """Somebody who sends for a while; the clock stands where the test puts it."""

    now: float = 0.0
    segments: list[Segment] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    pictures: int = 0
    voices: int = 0
    person: str = "patient"

    def __post_init__(self) -> None:
        self.track = TrackRecorder(
            self.person, Source.CAMERA, lambda: self.now, self.segments.append, lambda: self.asked.append(self.now)
        )

    def show(self, data: bytes, ssrc: int = CAMERA, timestamp: int | None = None) -> None:
        """A frame in one packet."""
        stamp = round(self.now * 90_000) if timestamp is None else timestamp
        made = bytearray(packet(self.pictures, b"\x10" + data, timestamp=stamp, ssrc=ssrc))
        made[1] |= 0x80
        self.pictures += 1
        self.track.picture(bytes(made), read_header(bytes(made)))

    def say(self, data: bytes = b"\xfcvoice", ssrc: int = VOICE) -> None:
        made = packet(self.voices, data, timestamp=round(self.now * 48_000), ssrc=ssrc, payload_type=OPUS)
        self.voices += 1
        self.track.voice(made, read_header(made))

    def pass_time(self, until: float, *, picture: bool = True, voice: bool = True, key: bool = True) -> None:
        """Send until then: 50 voices and 25 pictures a second, a whole one each second."""
        step = round(self.now * 50)
        while self.now < until - 1e-9:
            if picture and step % 2 == 0:
                number = step // 2
                self.show(vp8(number, key=number == 0 or (key and number % 25 == 0)))
            if voice:
                self.say()
            if step % 10 == 0:
                self.track.tick()
            step += 1
            self.now = step / 50

    def opened(self) -> InputContainer:
        return av.open(io.BytesIO(file_of(self.segments)), "r")

    def times(self, kind: str) -> list[int]:
        """When the packets of a kind are, in milliseconds."""
        with self.opened() as file:
            return [cast("int", p.pts) for p in file.demux() if p.size and p.stream.type == kind]


def real_segments(seconds: int, person: str = "patient") -> list[Segment]:
    """Segments of a moving picture and a tone that can be decoded."""
    studio = Studio(person=person)
    pictures, sounds = encoded_video(), encoded_audio()
    for step in range(seconds * 50):
        studio.now = step / 50
        studio.say(sounds[step % len(sounds)])
        if studio.pictures < studio.now * FRAME_RATE:
            studio.show(pictures[studio.pictures % len(pictures)])
        if step % 10 == 0:
            studio.track.tick()
    studio.track.finish()
    return studio.segments
