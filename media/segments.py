"""What one person sends of one kind, cut into segments: some seconds of encoded frames each, as a Matroska cluster."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from aiortc.rtp import RtcpSenderInfo

from media.description import Source
from media.frames import Frame, PictureFrames, VoiceFrames
from media.matroska import LONGEST_CLUSTER_MS, PICTURE, VOICE, Block, cluster
from media.rtp import Header
from media.timeline import PICTURE_RATE, VOICE_RATE, Timeline

LONGEST, LARGEST = 4.0, 4 * 1024 * 1024
"""When a segment is cut: seconds, octets. What is not cut yet is lost with a killed process."""

_KEYFRAME_FROM = 3.0
_SILENCE = b"\xfc\xff\xfe"
"""20 ms of silence as Opus (full band, stereo)."""

_SILENCE_SECONDS = 0.02
_VOICE_MISSED_AFTER = 1.0
_OVERLAP_MOST = 0.06
_OLDEST = 5.0
_SPREAD_MOST_MS = LONGEST_CLUSTER_MS // 2 - 1


@dataclass(frozen=True, slots=True)
class Segment:
    """A cluster of one track, and what a header must know of it.

    ``track_begins`` is when the track began, in milliseconds of the recording; ``begins`` and ``ends`` count from it.
    ``picture`` is the size that the first key frame inside states, ``keyframe`` says that pictures begin with it.
    """

    person: str
    source: Source
    track_begins: int
    number: int
    begins: int
    ends: int
    data: bytes
    picture: tuple[int, int] | None
    voice: bool
    keyframe: bool


class _Part(NamedTuple):
    """One stream as it comes in; another one follows when its publisher connects anew."""

    ssrc: int
    frames: PictureFrames | VoiceFrames
    timeline: Timeline


class TrackRecorder:
    """Makes segments of one person's picture and voice, or of their screen.

    ``now`` gives the seconds of the recording, ``on_segment`` is handed each segment, ``ask_keyframe`` asks the
    publisher for a whole picture.
    """

    def __init__(
        self,
        person: str,
        source: Source,
        now: Callable[[], float],
        on_segment: Callable[[Segment], None],
        ask_keyframe: Callable[[], None],
    ) -> None:
        self.person, self.source = person, source
        self._now, self._on_segment, self._ask_keyframe = now, on_segment, ask_keyframe
        self._picture: _Part | None = None
        self._voice: _Part | None = None
        self._blocks: list[Block] = []
        self._size: tuple[int, int] | None = None
        self._octets = self._number = 0
        self._begins: float | None = None
        self._began_at = 0.0
        self._asked = False
        self._voice_until: float | None = None
        self._picture_until = self._ends = -1

    def picture(self, packet: bytes, header: Header) -> None:
        """A packet of the picture."""
        part = self._picture
        if part is None or part.ssrc != header.ssrc:
            part = self._picture = _Part(header.ssrc, PictureFrames(), Timeline(PICTURE_RATE))
            part.timeline.sound = self._voice.timeline if self._voice is not None else None
        self._add_pictures(part, part.frames.take(packet, header, self._now()))

    def voice(self, packet: bytes, header: Header) -> None:
        """A packet of the voice."""
        part = self._voice
        if part is None or part.ssrc != header.ssrc:
            part = self._voice = _Part(header.ssrc, VoiceFrames(), Timeline(VOICE_RATE))
            if self._picture is not None:
                self._picture.timeline.sound = part.timeline
        self._add_voices(part, part.frames.take(packet, header, self._now()))

    def picture_report(self, report: RtcpSenderInfo) -> None:
        """The publisher's report of the picture's clock."""
        if self._picture is not None:
            self._picture.timeline.report(report.ntp_timestamp, report.rtp_timestamp)

    def voice_report(self, report: RtcpSenderInfo) -> None:
        """The publisher's report of the voice's clock."""
        if self._voice is not None:
            self._voice.timeline.report(report.ntp_timestamp, report.rtp_timestamp)

    def tick(self) -> None:
        """Several times a second: give up waiting for what is lost, and cut what is long enough."""
        now = self._now()
        if self._picture is not None:
            self._add_pictures(self._picture, self._picture.frames.release(now))
        if self._voice is not None:
            self._add_voices(self._voice, self._voice.frames.release(now))
            self._fill_voice(now - _VOICE_MISSED_AFTER)
        if self._blocks and now - self._began_at >= LONGEST:
            self._cut()

    def finish(self) -> None:
        """Nothing more comes: give up waiting, and cut what there is."""
        if self._picture is not None:
            self._add_pictures(self._picture, self._picture.frames.release(float("inf")))
        if self._voice is not None:
            self._add_voices(self._voice, self._voice.frames.release(float("inf")))
        if self._blocks:
            self._cut()

    def _add_pictures(self, part: _Part, frames: Iterable[Frame]) -> None:
        for frame in frames:
            age = frame.arrived - self._began_at
            if frame.keyframe and self._blocks and age >= _KEYFRAME_FROM:
                self._cut()
            made = max(part.timeline.at(frame.timestamp, frame.arrived), frame.arrived - _OLDEST)
            at = max(self._milliseconds(made), self._picture_until + 1)
            self._picture_until = at
            if self._size is None:
                self._size = frame.size
            self._add(Block(PICTURE, at, frame.keyframe, frame.data), at + 1)
        waits = isinstance(part.frames, PictureFrames) and part.frames.needs_keyframe
        if waits or (not self._asked and self._blocks and self._now() - self._began_at >= _KEYFRAME_FROM):
            self._asked = True
            self._ask_keyframe()

    def _add_voices(self, part: _Part, frames: Iterable[Frame]) -> None:
        for frame in frames:
            at = part.timeline.at(frame.timestamp, frame.arrived)
            if self._voice_until is not None:
                if at < self._voice_until - _OVERLAP_MOST:
                    continue  # its time was filled with silence
                self._fill_voice(at)
            self._add_voice(at, frame.data, frame.duration / VOICE_RATE)

    def _fill_voice(self, until: float) -> None:
        """Put silence where nothing came: players count sound instead of reading its times."""
        while self._voice_until is not None and self._voice_until + _SILENCE_SECONDS <= until + 0.001:
            self._add_voice(self._voice_until, _SILENCE, _SILENCE_SECONDS)

    def _add_voice(self, at: float, data: bytes, seconds: float) -> None:
        self._voice_until = at + seconds
        begins = self._milliseconds(at)
        self._add(Block(VOICE, begins, True, data), begins + round(seconds * 1000))

    def _milliseconds(self, at: float) -> int:
        """The time within the track, which begins with its first frame."""
        if self._begins is None:
            self._begins = at = max(at, 0.0)
        return max(0, round((at - self._begins) * 1000))

    def _add(self, block: Block, ends: int) -> None:
        if self._blocks and abs(block.at - self._blocks[0].at) > _SPREAD_MOST_MS:
            self._cut()  # after a long standstill of this process
        if not self._blocks:
            self._began_at, self._asked = self._now(), False
        self._blocks.append(block)
        self._ends = max(self._ends, ends)
        self._octets += len(block.data)
        if self._octets >= LARGEST:
            self._cut()

    def _cut(self) -> None:
        # Sound and picture come with different delays; players want them in order.
        blocks = sorted(self._blocks, key=lambda block: block.at)
        picture = next((block for block in blocks if block.track == PICTURE), None)
        voice = any(block.track == VOICE for block in blocks)
        self._on_segment(
            Segment(
                self.person,
                self.source,
                track_begins=round((self._begins or 0.0) * 1000),
                number=self._number,
                begins=blocks[0].at,
                ends=self._ends,
                data=cluster(blocks),
                picture=self._size,
                voice=voice,
                keyframe=picture is not None and picture.keyframe,
            )
        )
        self._blocks, self._size, self._octets = [], None, 0
        self._number += 1
