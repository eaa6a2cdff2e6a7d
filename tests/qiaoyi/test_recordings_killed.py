"""A process that records is killed: all but the last seconds can be played, and nothing lies readable on the disk."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import av
import pytest

from backend.clock import Clock
from backend.db import Database
from backend.errors import NotFound
from backend.people import PeopleService
from backend.video.recordings import RecordingView
from benchmarks.rooms.pictures import encoded_audio, encoded_video
from qiaoyi.recordings import TrackFile
from tests.support import cases
from tests.support.house import House, build_house
from tests.support.processes import environment
from tests.support.recorded_room import token
from tests.support.visit import Visit
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
LOST_AT_MOST = timedelta(seconds=5)


@asynccontextmanager
async def recording_process(address: str, folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The process, and the address of its rooms."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.recorded_room", address, str(folder), cwd=ROOT, env=environment({}),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 60))
        yield process, f"http://127.0.0.1:{port}/rooms"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def patient_of(people: PeopleService) -> str:
    """Somebody who has consented."""
    person_id = await people.register("王小明")
    await people.give_consent(await people.actor(person_id), people.consent_document().version)
    return person_id


async def file_of(house: House, track_id: str) -> bytes:
    """A track as a browser would be given it."""
    video = house.services.video
    file = TrackFile(await video.segments(track_id), video.segment_data)
    return b"".join([data async for data in file.read(0, file.size)])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_kill_costs_the_last_seconds_at_most(
    database: Database, database_url: str, clock: Clock, tmp_path: Path
) -> None:
    house = await build_house(database, clock, tmp_path / "files")
    patient = await patient_of(house.services.people)
    case = await cases.open_case(house, patient)
    await cases.assign(house, case)
    expert = await cases.staff(house, "钟专家")

    async def found() -> RecordingView | None:
        views = await house.services.video.recordings(expert, case)
        return views[0] if views else None

    async def is_long() -> bool:
        view = await found()
        return view is not None and len(view.tracks) == 2 and all(t.duration_ms > 9_000 for t in view.tracks)

    async with recording_process(database_url, tmp_path / "files") as (process, url):
        tokens = {person: token(case, person) for person in (patient, expert.person_id)}
        async with Visit(url, tokens) as visit:
            for visitor in visit.people.values():
                await visitor.agree()
            assert visit.is_recorded
            await eventually(is_long, timeout=60)
            process.kill()
            killed_at = clock.now()
            await process.wait()
    view = await found()
    assert view is not None
    with pytest.raises(NotFound):
        await house.services.video.open_recording(expert, case, view.id)
    clock.advance(timedelta(minutes=3))
    opened = await house.services.video.open_recording(expert, case, view.id)
    assert {track.person_id for track in opened.tracks} == {patient, expert.person_id}
    for track in opened.tracks:
        data = await file_of(house, track.id)
        with av.open(io.BytesIO(data), "r") as file:
            assert [stream.codec_context.name for stream in file.streams] == ["vp8", "opus"]
            last = list(file.decode(video=0))[-1]
        assert last.time is not None
        shown_until = opened.started_at + timedelta(milliseconds=track.begins_ms) + timedelta(seconds=last.time)
        assert killed_at - shown_until < LOST_AT_MOST
    nothing_readable(tmp_path)


def nothing_readable(folder: Path) -> None:
    """No frame that was sent stands in any file, the database's among them."""
    known = [frame[20:60] for frame in encoded_video()] + [sound[5:] for sound in encoded_audio() if len(sound) > 30]
    assert len(known) > 60
    stored = [path for path in folder.rglob("*") if path.is_file()]
    assert len([path for path in stored if path.stat().st_size > 50_000]) >= 4, "segments lie there"
    for path in stored:
        data = path.read_bytes()
        assert not any(frame in data for frame in known), path.name
