"""Recordings of rooms: encoded packets go into segments, and segments, by a bounded queue, to whoever stores them.

Nothing here decodes, and nothing of it can hold up the forwarding: packets are looked at as they pass, storing happens
in tasks of its own.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Protocol

from aiortc.rtp import RtcpSenderInfo

from media.backlog import Backlog
from media.description import Source
from media.forwarding import Forwarding
from media.rtp import Header
from media.segments import Segment, TrackRecorder

logger = logging.getLogger(__name__)

_TICK = 0.2
_CLOSE_WITHIN = 8.0


class SegmentStore(Protocol):
    """Where recordings are kept. A call that fails is repeated, one that has succeeded may be: both must be borne."""

    async def begin(self, recording: str, room: str, started: float) -> None:
        """A recording (32 hexadecimal digits) of ``room`` has begun; ``started`` in seconds since 1970."""

    async def store(self, recording: str, segment: Segment) -> None:
        """Keep a segment."""

    async def end(self, recording: str, ended: float) -> None:
        """Nothing more comes; ``ended`` in seconds since 1970."""


class Recorder:
    """Records rooms. ``run`` it as long as it is used.

    ``on_failed`` is told of a room whose recording had to be stopped: too much of it waits to be stored (what waits is
    stored all the same), or the store has failed for very long. ``wall`` gives the seconds since 1970, ``clock`` counts
    seconds, ``sleep`` waits for some.
    """

    def __init__(
        self,
        forwarding: Forwarding,
        store: SegmentStore,
        on_failed: Callable[[str], None],
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._forwarding, self._store, self._on_failed = forwarding, store, on_failed
        self._wall, self._clock, self._sleep = wall, clock, sleep
        self._running: dict[str, _RoomRecording] = {}
        self._backlogs: dict[str, Backlog] = {}

    def start(self, room: str, people: Callable[[], Iterable[str]]) -> None:
        """Record everybody in ``room`` from now on; ``people`` gives who they are at any time."""
        self.stop(room)
        name, began = secrets.token_hex(16), self._clock()
        backlog = self._backlogs.setdefault(room, Backlog(lambda: self._fail(room), self._sleep))
        backlog.put(partial(self._store.begin, name, room, self._wall()))

        def keep(segment: Segment) -> None:
            if not backlog.put(partial(self._store.store, name, segment), len(segment.data)):
                recording.failed()

        recording = self._running[room] = _RoomRecording(
            name,
            room,
            people,
            self._forwarding,
            now=lambda: self._clock() - began,
            keep=keep,
            on_failed=lambda: self._fail(room),
        )
        recording.tick()

    def stop(self, room: str) -> None:
        """Record nothing more of ``room`` from the call on."""
        recording = self._running.pop(room, None)
        if recording is not None:
            recording.stop()
            self._backlogs[room].put(partial(self._store.end, recording.name, self._wall()))

    async def run(self) -> None:
        """Cut and hand on until cancelled."""
        while True:
            await self._sleep(_TICK)
            for recording in list(self._running.values()):
                recording.tick()
            for room in [room for room, backlog in self._backlogs.items() if backlog.is_idle]:
                if room not in self._running:
                    del self._backlogs[room]

    async def close(self) -> None:
        """Stop every recording, and give the store a moment for what waits."""
        for room in list(self._running):
            self.stop(room)
        done = await asyncio.gather(*(backlog.close(_CLOSE_WITHIN) for backlog in self._backlogs.values()))
        if not all(done):
            logger.error("recordings of %d rooms were not stored to their end", done.count(False))

    def _fail(self, room: str) -> None:
        if room in self._running:
            self.stop(room)
            self._on_failed(room)


class _RoomRecording:
    """One recording: its tracks, and the packets that they are handed."""

    def __init__(
        self,
        name: str,
        room: str,
        people: Callable[[], Iterable[str]],
        forwarding: Forwarding,
        *,
        now: Callable[[], float],
        keep: Callable[[Segment], None],
        on_failed: Callable[[], None],
    ) -> None:
        self.name = name
        self._room, self._people, self._forwarding = room, people, forwarding
        self._now, self._keep, self._on_failed = now, keep, on_failed
        self._tracks: dict[tuple[str, Source], TrackRecorder] = {}
        self._watched: set[str] = set()
        self._stopped = False

    def tick(self) -> None:
        """Look who is there, and cut what is long enough."""
        people = set(self._people())
        for person in self._watched - people:
            self._forget(person)
        for person in people - self._watched:
            with contextlib.suppress(KeyError):  # has not connected yet
                self._watch(person)
        for track in self._tracks.values():
            self._guarded(track.tick)

    def stop(self) -> None:
        """Take nothing more, and hand on what there is."""
        for person in list(self._watched):
            self._forget(person)
        self._stopped = True

    def failed(self) -> None:
        """Take nothing more; the room is told once the packet that is on its way has reached everybody."""
        if not self._stopped:
            self._stopped = True
            asyncio.get_running_loop().call_soon(self._on_failed)

    def _watch(self, person: str) -> None:
        camera, screen = self._track(person, Source.CAMERA), self._track(person, Source.SCREEN)
        watchers = {
            Source.AUDIO: _Watcher(self._guarded, camera.voice, camera.voice_report),
            Source.CAMERA: _Watcher(self._guarded, camera.picture, camera.picture_report),
            Source.SCREEN: _Watcher(self._guarded, screen.picture, screen.picture_report),
        }
        for source, watcher in watchers.items():
            self._forwarding.record(self._room, person, source, watcher)
        self._watched.add(person)

    def _forget(self, person: str) -> None:
        self._watched.discard(person)
        for source in Source:
            with contextlib.suppress(KeyError):  # has left
                self._forwarding.record(self._room, person, source, None)
        for (owner, _), track in self._tracks.items():
            if owner == person:
                self._guarded(track.finish)

    def _track(self, person: str, source: Source) -> TrackRecorder:
        def ask_keyframe() -> None:
            self._forwarding.request_keyframe(self._room, person, source)

        if (person, source) not in self._tracks:
            self._tracks[person, source] = TrackRecorder(person, source, self._now, self._keep, ask_keyframe)
        return self._tracks[person, source]

    def _guarded(self, take: Callable[..., None], *what: object) -> None:
        """Whatever goes wrong in a recording ends it, and nothing else."""
        if self._stopped:
            return
        try:
            take(*what)
        except Exception:
            logger.exception("a recording failed")
            self.failed()


class _Watcher:
    """Hands the packets of one stream to its track."""

    def __init__(
        self,
        guarded: Callable[..., None],
        take: Callable[[bytes, Header], None],
        take_report: Callable[[RtcpSenderInfo], None],
    ) -> None:
        self._guarded, self._take, self._take_report = guarded, take, take_report

    def forward(self, packet: bytes, header: Header, send_time_at: int | None) -> None:
        self._guarded(self._take, packet, header)

    def forward_report(self, report: RtcpSenderInfo) -> None:
        self._guarded(self._take_report, report)
