"""What people in a room show and say while it is recorded is kept whole, and nothing else is."""

import asyncio
import io
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import av
import pytest

from media import backlog
from media.description import OPUS, Source
from media.forwarding import RtpForwarding
from media.published import Watcher
from media.recording import Recorder
from media.rtp import Header, read_header
from media.segments import TrackRecorder
from tests.media.pages import Page, Told, join, running
from tests.media.segment_store import MemoryStore, file_of
from tests.media.streams import packet
from tests.media.studio import vp8
from tests.support.waiting import eventually


class Time:
    """Seconds that pass as fast as the test's loop turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has let so much time pass."""
        until = self.now + seconds
        while self.now < until:  # noqa: ASYNC110  # the time is the test's own
            await asyncio.sleep(0)

    async def pass_by(self, seconds: float) -> None:
        """Let time pass in steps that everybody who sleeps can follow."""
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            for _ in range(5):
                await asyncio.sleep(0)


@dataclass
class Streams:
    """A forwarding of which a test plays the packets; only what a recorder needs of one."""

    people: set[str] = field(default_factory=lambda: {"patient", "doctor"})
    watchers: dict[tuple[str, Source], Watcher] = field(default_factory=dict)
    asked: list[tuple[str, Source]] = field(default_factory=list)
    sent: Counter[tuple[str, Source]] = field(default_factory=Counter)

    def record(self, room: str, person: str, source: Source, watcher: Watcher | None) -> None:
        if person not in self.people:
            raise KeyError(person)
        self.watchers.pop((person, source), None)
        if watcher is not None:
            self.watchers[person, source] = watcher

    def request_keyframe(self, room: str, person: str, source: Source) -> None:
        self.asked.append((person, source))

    def say(self, person: str, at: float, data: bytes = b"\xfcvoice") -> None:
        """Somebody's voice, if anybody listens."""
        number = self._number(person, Source.AUDIO)
        self._send(person, Source.AUDIO, packet(number, data, timestamp=round(at * 48_000), payload_type=OPUS))

    def show(self, person: str, at: float, data: bytes) -> None:
        """Somebody's picture, if anybody looks."""
        number = self._number(person, Source.CAMERA)
        made = bytearray(packet(number, b"\x10" + data, timestamp=round(at * 90_000)))
        made[1] |= 0x80
        self._send(person, Source.CAMERA, bytes(made))

    def _number(self, person: str, source: Source) -> int:
        self.sent[person, source] += 1
        return self.sent[person, source]

    def _send(self, person: str, source: Source, data: bytes) -> None:
        watcher = self.watchers.get((person, source))
        if watcher is not None:
            watcher.forward(data, read_header(data), None)


class Stage:
    """A recorder with time, store and streams in the test's hand."""

    def __init__(self) -> None:
        self.time, self.streams, self.store = Time(), Streams(), MemoryStore()
        self.failed: list[str] = []
        self.recorder = Recorder(
            self.streams,  # type: ignore[arg-type]  # what a recorder needs of it
            self.store,
            self.failed.append,
            clock=self.time,
            sleep=self.time.sleep,
        )

    def start(self) -> None:
        self.recorder.start("r", lambda: ["patient", "doctor"])

    async def talk(self, seconds: float, *people: str) -> None:
        """Everybody speaks for so long."""
        for _ in range(round(seconds / 0.05)):
            for person in people or ("patient", "doctor"):
                self.streams.say(person, self.time.now)
            await self.time.pass_by(0.05)

    def length(self, person: str) -> int:
        """How many milliseconds of somebody were stored."""
        return max((segment.ends for segment in self.store.of(person)), default=0)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    task = asyncio.create_task(stage.recorder.run())
    yield stage
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    stage.store.away = False
    closing = asyncio.create_task(stage.recorder.close())
    while not closing.done():
        await stage.time.pass_by(1.0)
    await closing


@pytest.fixture
async def forwarding() -> AsyncIterator[RtpForwarding]:
    async with running(RtpForwarding(Told())) as started:
        yield started


async def test_everybody_is_recorded_and_can_be_played(forwarding: RtpForwarding) -> None:
    """Two real publishers, over the network; one of them connects anew on the way."""
    store = MemoryStore()
    recorder = Recorder(forwarding, store, on_failed=lambda room: pytest.fail("the recording failed"))
    ticking = asyncio.create_task(recorder.run())
    await join(forwarding, "r", "patient", "doctor")
    recorder.start("r", lambda: ["patient", "doctor"])
    await eventually(lambda: len(store.of("patient")) >= 1, timeout=30)
    await Page(forwarding, "r", "patient").publish()
    before = len(store.of("patient"))
    await eventually(lambda: len(store.of("patient")) >= before + 2, timeout=30)
    recorder.stop("r")
    await eventually(lambda: len(store.ended) == 1)
    for person in ("patient", "doctor"):
        segments = store.of(person)
        with av.open(io.BytesIO(file_of(segments)), "r") as file:
            assert [stream.codec_context.name for stream in file.streams] == ["vp8", "opus"]
            pictures = list(file.decode(video=0))
        assert {(frame.width, frame.height) for frame in pictures} == {(640, 480)}
        assert pictures[-1].time is not None
        # The last segment may hold the end of the voice alone.
        assert pictures[-1].time >= max(one.begins for one in segments if one.keyframe) / 1000
        with av.open(io.BytesIO(file_of(segments)), "r") as file:
            times = [packet.pts for packet in file.demux(audio=0) if packet.size and packet.pts is not None]
        assert max(after - before for before, after in itertools.pairwise(times)) < 100
    assert store.of("patient", Source.SCREEN) == []
    ticking.cancel()
    await recorder.close()


async def test_what_comes_after_the_end_is_nowhere(stage: Stage) -> None:
    stage.start()
    await stage.talk(6.0)
    stage.recorder.stop("r")
    assert stage.streams.watchers == {}
    await stage.talk(6.0)
    assert len(stage.store.ended) == 1
    assert 5900 <= stage.length("patient") <= 6100


async def test_a_second_recording_of_a_room_is_another_one(stage: Stage) -> None:
    stage.start()
    await stage.talk(5.0)
    stage.recorder.stop("r")
    stage.start()
    await stage.talk(5.0)
    stage.recorder.stop("r")
    await stage.time.pass_by(1.0)
    assert len(stage.store.begun) == 2
    assert stage.store.ended == list(stage.store.begun)
    assert [segment.number for segment in stage.store.of("patient")] == [0, 1, 0, 1]


async def test_who_connects_only_later_is_recorded_from_then_on(stage: Stage) -> None:
    stage.streams.people = {"doctor"}
    stage.start()
    await stage.talk(8.0)
    stage.streams.people.add("patient")
    await stage.talk(8.0)
    stage.recorder.stop("r")
    await stage.time.pass_by(1.0)
    begins = stage.store.of("patient")[0].track_begins
    assert 8000 <= begins <= 8300
    assert stage.length("patient") + begins == pytest.approx(stage.length("doctor"), abs=100)


async def test_who_leaves_is_recorded_to_the_end(stage: Stage) -> None:
    people = ["patient", "doctor"]
    stage.recorder.start("r", lambda: people)
    await stage.talk(5.0)
    people.remove("patient")
    stage.streams.people.discard("patient")
    await stage.talk(5.0, "doctor")
    assert 4900 <= stage.length("patient") <= 5100
    assert len(stage.store.ended) == 0


async def test_a_store_that_is_away_for_half_a_minute_loses_nothing(stage: Stage) -> None:
    stage.start()
    await stage.talk(3.0)
    stage.store.away = True
    await stage.talk(30.0)
    assert stage.store.failures > 5
    assert stage.store.of("patient") == []
    stage.store.away = False
    await stage.talk(9.0)
    stage.recorder.stop("r")
    await stage.time.pass_by(1.0)
    assert stage.failed == []
    for person in ("patient", "doctor"):
        segments = stage.store.of(person)
        assert [segment.number for segment in segments] == list(range(len(segments)))
        assert 41_900 <= stage.length(person) <= 42_100
        with av.open(io.BytesIO(file_of(segments)), "r") as file:
            times = [packet.pts for packet in file.demux(audio=0) if packet.size]
        assert len(times) >= 42 * 20


async def test_where_too_much_waits_the_recording_ends_and_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "WAITING_MOST", 100_000)
    stage.start()
    stage.store.away = True
    for number in range(40):
        stage.streams.show("patient", stage.time.now, vp8(number, key=True, length=2_000))
        await stage.time.pass_by(1.0)
    assert stage.failed == ["r"]
    assert stage.streams.watchers == {}
    stage.store.away = False
    await stage.time.pass_by(5.0)
    assert len(stage.store.ended) == 1, "what waits is stored all the same"
    segments = stage.store.of("patient")
    assert [segment.number for segment in segments] == list(range(len(segments)))
    assert 0 < sum(len(segment.data) for segment in segments) <= 100_000


async def test_a_store_that_never_comes_back_ends_the_recording(stage: Stage) -> None:
    stage.start()
    stage.store.away = True
    for _ in range(640):
        stage.streams.say("patient", stage.time.now)
        await stage.time.pass_by(1.0)
    assert stage.failed == ["r"]


async def test_a_fault_in_a_recording_ends_it_and_nothing_else(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(self: TrackRecorder, packet: bytes, header: Header) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(TrackRecorder, "voice", fault)
    stage.start()
    await stage.time.pass_by(1.0)
    watcher = stage.streams.watchers["patient", Source.AUDIO]
    data = packet(1, b"\xfcx", payload_type=OPUS)
    watcher.forward(data, read_header(data), None)
    await stage.time.pass_by(0.1)
    assert stage.failed == ["r"]
    assert stage.streams.watchers == {}


async def test_whole_pictures_are_asked_for_so_that_segments_begin_with_one(stage: Stage) -> None:
    stage.start()
    for number in range(200):
        wanted = ("patient", Source.CAMERA) in stage.streams.asked
        stage.streams.asked.clear()
        stage.streams.show("patient", stage.time.now, vp8(number, key=wanted or number == 0))
        await stage.time.pass_by(0.05)
    stage.recorder.stop("r")
    await stage.time.pass_by(1.0)
    segments = stage.store.of("patient")
    assert len(segments) >= 3
    assert all(segment.keyframe for segment in segments)
