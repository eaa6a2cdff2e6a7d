"""A store of segments in memory that tests may take away, and the file that a browser would be given."""

from dataclasses import dataclass, field

from media.description import Source
from media.matroska import Chapter, header
from media.segments import Segment


@dataclass
class MemoryStore:
    """Keeps what it is given; `away` makes every call fail."""

    away: bool = False
    failures: int = 0
    begun: dict[str, str] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)

    async def begin(self, recording: str, room: str, started: float) -> None:
        self._fail()
        self.begun[recording] = room

    async def store(self, recording: str, segment: Segment) -> None:
        self._fail()
        assert recording in self.begun
        self.segments.append(segment)

    async def end(self, recording: str, ended: float) -> None:
        self._fail()
        self.ended.append(recording)

    def of(self, person: str, source: Source = Source.CAMERA) -> list[Segment]:
        """The segments of one track."""
        return [s for s in self.segments if (s.person, s.source) == (person, source)]

    def _fail(self) -> None:
        if self.away:
            self.failures += 1
            raise OSError("away")


def file_of(segments: list[Segment]) -> bytes:
    """The segments of one track as a file."""
    picture = next((segment.picture for segment in segments if segment.picture), None)
    chapters = [Chapter(s.begins, len(s.data), s.keyframe or picture is None) for s in segments]
    front = header(chapters, segments[-1].ends, picture, any(segment.voice for segment in segments))
    return front + b"".join(segment.data for segment in segments)
