"""What was recorded of a video room: kept encrypted, shown to those who took part, deleted on its day."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from backend.clock import Clock
from backend.db import Database
from backend.errors import Forbidden, NotFound
from backend.files import FileRow
from backend.ids import new_id
from backend.security.policy import Actor, Role
from backend.security.tables import AuditEntry
from backend.video.recordings import EXPIRY_TIMER, NewSegment, Recordings
from backend.video.tables import Recording, RecordingConsent, RecordingSegment, RecordingTrack
from tests.support.clinic import Clinic, build_clinic
from tests.support.waiting import eventually

CLUSTER = b"\x1fC\xb6u the words of a patient"
KEPT = timedelta(days=30)


class Scene:
    """A consultation with everybody in it, and the recordings of its room."""

    def __init__(self, clinic: Clinic, folder: Path) -> None:
        self.clinic, self.folder = clinic, folder
        self.video = Recordings(
            clinic.database,
            clinic.clock,
            clinic.events,
            clinic.timers,
            clinic.audit,
            clinic.people,
            clinic.care,
            clinic.files,
            keep_recordings=KEPT,
        )
        clinic.timers.on(EXPIRY_TIMER, self.video._on_recording_expired)
        self.patient = self.doctor = self.expert = Actor("", frozenset())
        self.case = ""

    async def play(self) -> None:
        clinic = self.clinic
        self.doctor, self.expert, self.patient = await clinic.doctor(), await clinic.expert(), await clinic.patient()
        self.case = (await clinic.draft(self.patient)).id
        await clinic.care.submit(self.doctor, self.case, icd10="J18.9", question="需要住院吗？")
        await clinic.accept(self.expert, self.case)

    @property
    def now(self) -> datetime:
        return self.clinic.clock.now()

    async def record(self, *segments: NewSegment) -> str:
        recording = new_id()
        await self.video.begin_recording(recording, self.case, self.now)
        for segment in segments:
            await self.video.store_segment(recording, segment)
        return recording

    async def recorded(self) -> str:
        """A recording that has ended: eight seconds of the patient, four of the expert."""
        recording = await self.record(
            self.segment(self.patient, 0), self.segment(self.patient, 1), self.segment(self.expert, 0)
        )
        await self.video.end_recording(recording, self.now)
        return recording

    def segment(self, whose: Actor, number: int) -> NewSegment:
        begins = number * 4000
        return NewSegment(
            whose.person_id, "camera", 500, number, begins, begins + 4000, CLUSTER, (640, 480), True, number == 0
        )

    async def count(self, table: type) -> int:
        async with self.clinic.database.reading() as session:
            return await session.scalar(select(func.count()).select_from(table)) or 0

    async def audited(self, action: str) -> list[str]:
        async with self.clinic.database.reading() as session:
            rows = await session.scalars(select(AuditEntry).where(AuditEntry.action == action))
            return [row.actor_id for row in rows]


@pytest_asyncio.fixture
async def scene(database: Database, clock: Clock, tmp_path: Path) -> Scene:
    clinic = build_clinic(database, clock, tmp_path / "files")
    await clinic.furnish()
    scene = Scene(clinic, tmp_path / "files")
    await scene.play()
    return scene


async def test_those_who_took_part_find_what_was_recorded(scene: Scene) -> None:
    await scene.recorded()
    for actor in (scene.patient, scene.doctor, scene.expert):
        [found] = await scene.video.recordings(actor, scene.case)
        assert found.duration_ms == 8500
        assert found.delete_at == found.started_at + KEPT
        tracks = {track.role: track for track in found.tracks}
        assert tracks[Role.PATIENT].name == "王小明"
        assert (tracks[Role.PATIENT].duration_ms, tracks[Role.PATIENT].size) == (8000, 2 * len(CLUSTER))
        assert (tracks[Role.EXPERT].name, tracks[Role.EXPERT].begins_ms) == ("张强", 500)


async def test_nobody_else_learns_of_it(scene: Scene) -> None:
    recording = await scene.recorded()
    for stranger in (await scene.clinic.patient("赵四"), await scene.clinic.administrator()):
        with pytest.raises(Forbidden):
            await scene.video.recordings(stranger, scene.case)
        with pytest.raises(Forbidden):
            await scene.video.open_recording(stranger, scene.case, recording)


async def test_a_recording_opens_only_with_its_own_consultation(scene: Scene) -> None:
    recording = await scene.recorded()
    another = (await scene.clinic.draft(await scene.clinic.patient("赵四"))).patient_id
    stranger = await scene.clinic.people.actor(another)
    theirs = (await scene.clinic.care.list_for(stranger))[0].id
    with pytest.raises(NotFound):
        await scene.video.open_recording(stranger, theirs, recording)


async def test_every_opening_is_in_the_audit_log_once(scene: Scene) -> None:
    recording = await scene.recorded()
    opened = await scene.video.open_recording(scene.expert, scene.case, recording)
    for track in opened.tracks:
        for segment in await scene.video.segments(track.id):
            assert await scene.video.segment_data(segment) == CLUSTER
    assert await scene.audited("video.read_recording") == [scene.expert.person_id]


async def test_what_lies_on_the_disk_is_encrypted(scene: Scene) -> None:
    await scene.recorded()
    stored = [path for path in scene.folder.rglob("*") if path.is_file()]
    assert len(stored) == 3
    assert not any(CLUSTER[4:] in path.read_bytes() for path in stored)


async def test_a_part_that_comes_twice_is_kept_once(scene: Scene) -> None:
    recording = await scene.record(scene.segment(scene.patient, 0), scene.segment(scene.patient, 0))
    await scene.video.begin_recording(recording, scene.case, scene.now)
    assert (await scene.count(Recording), await scene.count(RecordingSegment)) == (1, 1)
    assert await scene.count(FileRow) == 1


async def test_a_recording_that_goes_on_cannot_be_opened_yet(scene: Scene) -> None:
    recording = await scene.record(scene.segment(scene.patient, 0))
    [found] = await scene.video.recordings(scene.doctor, scene.case)
    assert found.ended_at is None
    with pytest.raises(NotFound):
        await scene.video.open_recording(scene.doctor, scene.case, recording)


async def test_a_recording_whose_process_has_died_ends_with_its_last_part(scene: Scene) -> None:
    recording = await scene.record(scene.segment(scene.patient, 0))
    await scene.clinic.pass_time(timedelta(minutes=3))
    opened = await scene.video.open_recording(scene.doctor, scene.case, recording)
    assert opened.ended_at == opened.started_at + timedelta(milliseconds=4500)


async def test_a_new_recording_of_a_room_ends_the_one_of_a_dead_process(scene: Scene) -> None:
    await scene.record(scene.segment(scene.patient, 0))
    await scene.record(scene.segment(scene.expert, 0))
    first, second = await scene.video.recordings(scene.doctor, scene.case)
    assert first.ended_at == first.started_at + timedelta(milliseconds=4500)
    assert second.ended_at is None


async def test_a_late_part_of_a_process_taken_for_dead_is_not_lost(scene: Scene) -> None:
    first = await scene.record(scene.segment(scene.patient, 0))
    await scene.record(scene.segment(scene.expert, 0))
    await scene.video.store_segment(first, scene.segment(scene.patient, 1))
    found = (await scene.video.recordings(scene.doctor, scene.case))[0]
    assert (found.id, found.duration_ms) == (first, 8500)
    assert found.ended_at == found.started_at + timedelta(milliseconds=8500)


async def test_a_recording_of_nothing_is_forgotten(scene: Scene) -> None:
    recording = await scene.record()
    await scene.video.end_recording(recording, scene.now)
    await scene.video.end_recording(recording, scene.now)
    assert await scene.count(Recording) == 0
    assert await scene.video.recordings(scene.doctor, scene.case) == []


async def test_a_recording_is_deleted_for_good_on_its_day(scene: Scene) -> None:
    await scene.recorded()
    await scene.clinic.pass_time(KEPT - timedelta(minutes=1))
    assert await scene.count(Recording) == 1
    await scene.clinic.pass_time(timedelta(minutes=2))
    for table in (Recording, RecordingTrack, RecordingSegment, FileRow):
        assert await scene.count(table) == 0
    await eventually(lambda: not any(path.is_file() for path in scene.folder.rglob("*")))
    assert await scene.audited("video.delete_recording") == [""]
    assert (await scene.clinic.told(scene.case))[-1] == "录像保存到期，已经删除"


async def test_a_part_of_a_deleted_recording_is_refused(scene: Scene) -> None:
    recording = await scene.recorded()
    await scene.clinic.pass_time(KEPT + timedelta(minutes=1))
    with pytest.raises(NotFound):
        await scene.video.store_segment(recording, scene.segment(scene.patient, 2))


async def test_answers_are_kept_in_order_with_who_gave_them(scene: Scene) -> None:
    for actor, agreed in ((scene.expert, True), (scene.patient, True), (scene.patient, False)):
        await scene.video.answer_recording(scene.case, actor.person_id, agreed, scene.now)
    async with scene.clinic.database.reading() as session:
        rows = (await session.scalars(select(RecordingConsent).order_by(RecordingConsent.id))).all()
    assert [(row.person_id, row.agreed) for row in rows] == [
        (scene.expert.person_id, True),
        (scene.patient.person_id, True),
        (scene.patient.person_id, False),
    ]
    assert await scene.audited("video.answer_recording") == [row.person_id for row in rows]


async def test_a_colleague_who_stood_in_is_shown_as_the_doctor(scene: Scene) -> None:
    colleague = await scene.clinic.doctor("周医生")
    await scene.record(replace(scene.segment(colleague, 0), source="screen"))
    [found] = await scene.video.recordings(colleague, scene.case)
    [track] = found.tracks
    assert (track.name, track.role, track.source) == ("周医生", Role.GRASSROOTS_DOCTOR, "screen")


async def test_the_timeline_says_that_and_how_long_it_is_kept(scene: Scene) -> None:
    await scene.recorded()
    until = scene.now + KEPT
    assert f"保存到{until:%Y}年" in (await scene.clinic.told(scene.case))[-1]
