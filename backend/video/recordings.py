"""Recordings of the video rooms: who agreed, what is kept, who may see it, and when it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import local
from backend.errors import NotFound
from backend.ids import new_id
from backend.security.policy import SYSTEM, Action, Actor, Role
from backend.video.desk import VideoDesk
from backend.video.tables import Recording, RecordingConsent, RecordingSegment, RecordingTrack

EXPIRY_TIMER = "video.recording_expired"

_ABANDONED_AFTER = timedelta(minutes=2)
"""A recording of which nothing has come for so long has ended: segments come every few seconds, and its process keeps
what it cannot store for little more than a minute."""

_GONE = "没有找到这段录像，可能已经到期删除了。"


@dataclass(frozen=True)
class NewSegment:
    """A part of what one person sent, as it comes from a room.

    Args:
        source: "camera" (with the voice) or "screen".
        track_begins_ms: when that began, counted from the beginning of the recording.
        number: of the part, from 0.
        begins_ms, ends_ms: counted from the beginning of the track.
        data: a Matroska cluster.
        size: width and height of its first key frame, where there is one.
        voice: whether there is sound in it. keyframe: whether its pictures begin with a whole one.
    """

    person_id: str
    source: str
    track_begins_ms: int
    number: int
    begins_ms: int
    ends_ms: int
    data: bytes
    size: tuple[int, int] | None
    voice: bool
    keyframe: bool


@dataclass(frozen=True)
class TrackView:
    """What one person sent of one kind ("camera" or "screen"); `size` in bytes."""

    id: str
    person_id: str
    name: str
    role: Role
    source: str
    begins_ms: int
    duration_ms: int
    size: int


@dataclass(frozen=True)
class RecordingView:
    """A recording; `ended_at` is None while it goes on, and then it cannot be played yet."""

    id: str
    started_at: datetime
    ended_at: datetime | None
    delete_at: datetime
    duration_ms: int
    tracks: tuple[TrackView, ...]


@dataclass(frozen=True)
class SegmentView:
    """A part of a track as it lies in the file store; `size` in bytes, `picture` in pixels where it states them."""

    file_id: str
    begins_ms: int
    ends_ms: int
    size: int
    picture: tuple[int, int] | None
    voice: bool
    keyframe: bool


class Recordings(VideoDesk):
    """What is kept of the rooms."""

    async def answer_recording(self, consultation_id: str, person_id: str, agreed: bool, at: datetime) -> None:
        """Keep what somebody answered in a room at `at` when they were asked whether they may be recorded. Twice is as
        good as once."""
        async with self._database.transaction() as session:
            told = select(RecordingConsent.id).where(
                RecordingConsent.consultation_id == consultation_id,
                RecordingConsent.person_id == person_id,
                RecordingConsent.answered_at == at,
            )
            if await session.scalar(told.limit(1)) is not None:
                return
            actor = await self._people.actor(person_id)
            await self._consultations.meeting(actor, consultation_id, Action.VIDEO_ANSWER_RECORDING)
            session.add(
                RecordingConsent(consultation_id=consultation_id, person_id=person_id, agreed=agreed, answered_at=at)
            )

    async def begin_recording(self, recording_id: str, consultation_id: str, started_at: datetime) -> None:
        """A room records since `started_at`; an earlier recording of it has ended. Twice is as good as once."""
        async with self._database.transaction() as session:
            if await session.get(Recording, recording_id) is not None:
                return
            await self._consultations.meeting(SYSTEM, consultation_id, Action.VIDEO_RECORD)
            await self._close_recordings(session, consultation_id)
            delete_at = started_at + self._keep_recordings
            session.add(
                Recording(id=recording_id, consultation_id=consultation_id, started_at=started_at, delete_at=delete_at)
            )
            await self._timers.set(session, EXPIRY_TIMER, recording_id, delete_at, recording_id=recording_id)
            text = f"在场的人都同意后开始录像，保存到{local(delete_at):%Y年%m月%d日}"
            await self._consultations.note_meeting(consultation_id, text)

    async def store_segment(self, recording_id: str, segment: NewSegment) -> None:
        """Keep a part of a recording, encrypted. Twice is as good as once.

        Raises:
            NotFound: there is no such recording (any more).
        """
        async with self._database.transaction() as session:
            recording = await self._recording(session, recording_id)
            track = await self._track(session, recording, segment)
            if await session.get(RecordingSegment, (track.id, segment.number)) is not None:
                return
            file_id = await self._files.put(segment.data, "video/webm", segment.person_id)
            width, height = segment.size or (None, None)
            session.add(
                RecordingSegment(
                    track_id=track.id,
                    number=segment.number,
                    file_id=file_id,
                    begins_ms=segment.begins_ms,
                    ends_ms=segment.ends_ms,
                    size=len(segment.data),
                    width=width,
                    height=height,
                    voice=segment.voice,
                    keyframe=segment.keyframe,
                )
            )
            if recording.ended_at is not None:  # its process was taken for dead, and lives
                recording.ended_at = max(
                    recording.ended_at, recording.started_at + _ms(track.begins_ms + segment.ends_ms)
                )

    async def end_recording(self, recording_id: str, ended_at: datetime) -> None:
        """Nothing more comes. A recording in which nobody sent anything is forgotten. Twice is as good as once."""
        async with self._database.transaction() as session:
            recording = await session.get(Recording, recording_id)
            if recording is None:
                return
            recording.ended_at = ended_at
            tracks = await session.scalar(
                select(func.count()).select_from(RecordingTrack).where(RecordingTrack.recording_id == recording_id)
            )
            if not tracks:
                await self._timers.cancel(session, EXPIRY_TIMER, recording_id)
                await session.delete(recording)

    async def recordings(self, actor: Actor, consultation_id: str) -> list[RecordingView]:
        """Give the recordings of a consultation, the oldest first.

        Raises:
            NotFound: no such consultation. Forbidden: the policy refuses.
        """
        async with self._database.transaction() as session:
            await self._consultations.meeting(actor, consultation_id, Action.VIDEO_READ_RECORDING)
            rows = (
                await session.scalars(
                    select(Recording)
                    .where(Recording.consultation_id == consultation_id)
                    .order_by(Recording.started_at, Recording.id)
                )
            ).all()
            views = [await self._view(session, row) for row in rows]
            return [view for view in views if view.tracks]

    async def open_recording(self, actor: Actor, consultation_id: str, recording_id: str) -> RecordingView:
        """Open a recording to play it; this is audited once, and `segments` may then be read for a while.

        Raises:
            NotFound: no such recording, or it goes on. Forbidden: the policy refuses.
        """
        async with self._database.transaction() as session:
            await self._consultations.meeting(actor, consultation_id, Action.VIDEO_READ_RECORDING)
            recording = await self._recording(session, recording_id)
            if recording.consultation_id != consultation_id:
                raise NotFound(_GONE)
            view = await self._view(session, recording)
            if view.ended_at is None:
                raise NotFound("这段录像还没有录完，结束以后再来看。")
            return view

    async def segments(self, track_id: str) -> list[SegmentView]:
        """Give the parts of a track in order, to whoever `open_recording` let in.

        Raises:
            NotFound: there is no such track (any more).
        """
        async with self._database.reading() as session:
            rows = (
                await session.scalars(
                    select(RecordingSegment)
                    .where(RecordingSegment.track_id == track_id)
                    .order_by(RecordingSegment.number)
                )
            ).all()
        if not rows:
            raise NotFound(_GONE)
        return [_segment_view(row) for row in rows]

    async def segment_data(self, segment: SegmentView) -> bytes:
        """Give the bytes of a part.

        Raises:
            NotFound: it was deleted meanwhile.
        """
        data, _ = await self._files.get(segment.file_id)
        return data

    # inside

    async def _recording(self, session: AsyncSession, recording_id: str) -> Recording:
        found = await session.get(Recording, recording_id)
        if found is None:
            raise NotFound(_GONE)
        return found

    async def _track(self, session: AsyncSession, recording: Recording, segment: NewSegment) -> RecordingTrack:
        found: RecordingTrack | None = await session.scalar(
            select(RecordingTrack).where(
                RecordingTrack.recording_id == recording.id,
                RecordingTrack.person_id == segment.person_id,
                RecordingTrack.source == segment.source,
            )
        )
        if found is None:
            role, name = await self._role_and_name(recording.consultation_id, segment.person_id)
            found = RecordingTrack(
                id=new_id(),
                recording_id=recording.id,
                person_id=segment.person_id,
                role=role,
                source=segment.source,
                begins_ms=segment.track_begins_ms,
                name=name,
            )
            session.add(found)
            await session.flush()
        return found

    async def _role_and_name(self, consultation_id: str, person_id: str) -> tuple[Role, str]:
        """Whoever was in the room and is neither patient nor expert came as the doctor, or stood in for them."""
        found = await self._consultations.meeting(SYSTEM, consultation_id, Action.VIDEO_RECORD)
        for one in found.people:
            if one.person_id == person_id:
                return one.role, one.name
        names = await self._people.practitioner_names({person_id})
        return Role.GRASSROOTS_DOCTOR, names.get(person_id, "")

    async def _view(self, session: AsyncSession, recording: Recording) -> RecordingView:
        tracks = await self._track_views(session, recording.id)
        duration = _duration(tracks)
        if recording.ended_at is None and recording.started_at + _ms(duration) + _ABANDONED_AFTER < self._clock.now():
            recording.ended_at = recording.started_at + _ms(duration)
        return RecordingView(
            recording.id, recording.started_at, recording.ended_at, recording.delete_at, duration, tuple(tracks)
        )

    async def _track_views(self, session: AsyncSession, recording_id: str) -> list[TrackView]:
        ends, size = func.max(RecordingSegment.ends_ms), func.sum(RecordingSegment.size)
        rows = await session.execute(
            select(RecordingTrack, ends, size)
            .join(RecordingSegment, RecordingSegment.track_id == RecordingTrack.id)
            .where(RecordingTrack.recording_id == recording_id)
            .group_by(RecordingTrack.id)
            .order_by(RecordingTrack.begins_ms, RecordingTrack.id)
        )
        return [
            TrackView(
                track.id, track.person_id, track.name, track.role, track.source, track.begins_ms, int(end), int(octets)
            )
            for track, end, octets in rows
        ]

    async def _close_recordings(self, session: AsyncSession, consultation_id: str) -> None:
        """End what still counts as going on: the room is elsewhere now, so its process has died."""
        open_ones = select(Recording).where(Recording.consultation_id == consultation_id, Recording.ended_at.is_(None))
        for recording in await session.scalars(open_ones):
            recording.ended_at = recording.started_at + _ms(_duration(await self._track_views(session, recording.id)))

    async def _on_recording_expired(self, payload: Mapping[str, Any]) -> None:
        """Delete a recording for good: its rows now, its bytes when that is committed."""
        async with self._database.transaction() as session:
            recording = await session.get(Recording, payload["recording_id"])
            if recording is None:
                return
            await self._consultations.meeting(SYSTEM, recording.consultation_id, Action.VIDEO_DELETE_RECORDING)
            of_recording = RecordingTrack.recording_id == recording.id
            track_ids: Sequence[str] = (await session.scalars(select(RecordingTrack.id).where(of_recording))).all()
            of_tracks = RecordingSegment.track_id.in_(track_ids)
            file_ids = (await session.scalars(select(RecordingSegment.file_id).where(of_tracks))).all()
            await session.execute(delete(RecordingSegment).where(of_tracks))
            await session.execute(delete(RecordingTrack).where(of_recording))
            await session.delete(recording)
            await self._files.remove(session, file_ids)
            await self._consultations.note_meeting(recording.consultation_id, "录像保存到期，已经删除")


def _duration(tracks: Sequence[TrackView]) -> int:
    return max((track.begins_ms + track.duration_ms for track in tracks), default=0)


def _ms(number: int) -> timedelta:
    return timedelta(milliseconds=number)


def _segment_view(row: RecordingSegment) -> SegmentView:
    picture = None if row.width is None or row.height is None else (row.width, row.height)
    return SegmentView(row.file_id, row.begins_ms, row.ends_ms, row.size, picture, row.voice, row.keyframe)
