"""What happens in the rooms reaches the hospital part: in order, once, and also when the database was away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url, select
from sqlalchemy.exc import OperationalError

from backend.db import Database
from backend.errors import NotFound
from backend.video.service import VideoService
from backend.video.tables import RoomVisit
from media.rooms import RoomEvent
from qiaoyi.video import EventQueue
from tests.backend.video.conftest import Booked, make_video
from tests.support.cable import cable
from tests.support.clinic import build_clinic
from tests.support.waiting import eventually

ON_MARIADB = pytest.mark.parametrize(
    "database_url", [pytest.param("mariadb", marks=pytest.mark.mariadb)], indirect=True
)


async def stays(booked: Booked) -> list[tuple[str, bool]]:
    """Whose stays are known, and whether each is over."""
    async with booked.clinic.database.reading() as session:
        rows = await session.scalars(select(RoomVisit).order_by(RoomVisit.id))
        return [(row.person_id, row.left_at is not None) for row in rows]


@asynccontextmanager
async def handing_on(queue: EventQueue) -> AsyncIterator[None]:
    """Let the queue run."""
    running = asyncio.create_task(queue.run())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def put(queue: EventQueue, booked: Booked, *kinds: str) -> None:
    """Let things happen to the doctor, faster than a clock ticks."""
    for kind in kinds:
        queue.put(RoomEvent(booked.id, kind, booked.doctor.person_id))


async def test_events_arrive_in_order_however_fast_they_come(booked: Booked) -> None:
    await booked.move_to(0)
    await booked.enter(booked.doctor)
    queue = EventQueue(booked.video, booked.clinic.clock, booked.node_id)
    put(queue, booked, "joined", "left", "joined", "left", "joined")
    doctor = booked.doctor.person_id

    async def arrived() -> bool:
        return await stays(booked) == [(doctor, True), (doctor, True), (doctor, False)]

    async with handing_on(queue):
        await eventually(arrived)


@ON_MARIADB
async def test_a_database_that_is_away_loses_nothing(booked: Booked, database_url: str, tmp_path: Path) -> None:
    await booked.move_to(0)
    await booked.enter(booked.doctor)
    address = make_url(database_url)
    assert address.port is not None
    async with cable(address.port) as line:
        database = Database(address.set(port=line.port).render_as_string(hide_password=False))
        now = booked.clinic.clock.now()
        video = make_video(build_clinic(database, booked.clinic.clock, tmp_path))
        booked.clinic.clock.advance(now - booked.clinic.clock.now())  # a clinic is built in the morning
        queue = EventQueue(video, booked.clinic.clock, booked.node_id)
        doctor = booked.doctor.person_id

        async def arrived(*wanted: bool) -> bool:
            return await stays(booked) == [(doctor, over) for over in wanted]

        async with handing_on(queue):
            put(queue, booked, "joined")
            await eventually(lambda: arrived(False))
            line.cut()
            put(queue, booked, "left", "joined", "left")
            await eventually(lambda: line.refused >= 2)  # it asks again and again
            assert await arrived(False)
            line.mend()
            await eventually(lambda: arrived(True, True))
        await database.close()


class FailsAfterIt(VideoService):
    """A service whose answer is lost: what it did is done, and nobody hears so."""

    lost = 0

    async def happened(self, kind: str, consultation_id: str, person_id: str, at: datetime, node_id: str) -> None:
        """Do it, and lose the first answer."""
        await super().happened(kind, consultation_id, person_id, at, node_id)
        self.lost += 1
        if self.lost == 1:
            raise OperationalError("COMMIT", None, ConnectionResetError())


def other_video(booked: Booked, kind: type[VideoService]) -> VideoService:
    """A service of another kind on the same clinic."""
    video = object.__new__(kind)
    vars(video).update(vars(booked.video))
    return video


async def test_an_answer_that_is_lost_makes_nothing_happen_twice(booked: Booked) -> None:
    await booked.move_to(0)
    await booked.enter(booked.doctor)
    video = other_video(booked, FailsAfterIt)
    queue = EventQueue(video, booked.clinic.clock, booked.node_id)
    put(queue, booked, "joined", "left")
    doctor = booked.doctor.person_id

    async def arrived() -> bool:
        return await stays(booked) == [(doctor, True)]

    async with handing_on(queue):
        await eventually(arrived)
    assert len(await booked.clinic.published("room.joined")) == 1


class RefusesFirst(VideoService):
    """A service to which the first event makes no sense."""

    refusal: Exception = NotFound()
    told = 0

    async def happened(self, kind: str, consultation_id: str, person_id: str, at: datetime, node_id: str) -> None:
        """Refuse the first, take the others."""
        self.told += 1
        if self.told == 1:
            raise self.refusal
        await super().happened(kind, consultation_id, person_id, at, node_id)


@pytest.mark.parametrize("refusal", [NotFound(), KeyError("a fault of ours")])
async def test_one_event_that_cannot_be_taken_holds_up_no_other(
    booked: Booked, refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    await booked.move_to(0)
    await booked.enter(booked.doctor)
    video = other_video(booked, RefusesFirst)
    vars(video)["refusal"] = refusal
    queue = EventQueue(video, booked.clinic.clock, booked.node_id)
    put(queue, booked, "waiting", "joined")

    async def arrived() -> bool:
        return await stays(booked) == [(booked.doctor.person_id, False)]

    async with handing_on(queue):
        await eventually(arrived)
    assert booked.doctor.person_id not in caplog.text


async def test_what_is_left_at_the_end_is_handed_on(booked: Booked) -> None:
    await booked.move_to(0)
    await booked.enter(booked.doctor)
    queue = EventQueue(booked.video, booked.clinic.clock, booked.node_id)
    put(queue, booked, "joined", "left")
    await queue.drain(10)
    assert await stays(booked) == [(booked.doctor.person_id, True)]
