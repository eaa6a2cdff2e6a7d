"""A booked case with its three people, a media process that lives, and the video rooms."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from backend.ids import new_id
from backend.security.policy import Actor
from backend.video.nodes import NodeReport
from backend.video.rooms import RoomAdmission
from backend.video.service import VideoService
from backend.video.tables import NodeState
from tests.support.clinic import Clinic, build_clinic


@dataclass
class Booked:
    """A case that an expert took and for which a time is booked."""

    clinic: Clinic
    video: VideoService
    patient: Actor
    doctor: Actor
    expert: Actor
    id: str
    node_id: str = field(default_factory=new_id)

    async def live(self, node_id: str | None = None, *carried: str, **more: Any) -> tuple[str, ...]:
        """Let a media process say that it lives and carries these rooms; give those that it is to close."""
        told: dict[str, Any] = {"region": "", "url": "ws://media.test/", "state": NodeState.SERVING, "capacity": 10}
        told |= {"rooms": 0, "people": 0, "cpu": 0.1, "loop_lag": 0.0, **more}
        return (await self.video.report_node(NodeReport(id=node_id or self.node_id, **told), carried)).over

    async def move_to(self, minutes: float) -> None:
        """Let the time come that lies so many minutes after the booked start (before it, where negative)."""
        booking = await self.clinic.scheduling.booking(self.id)
        assert booking is not None
        when = booking.starts_at + timedelta(minutes=minutes)
        await self.clinic.pass_time(when - self.clinic.clock.now())
        await self.live()

    async def enter(self, actor: Actor) -> RoomAdmission:
        """Fetch what lets somebody in."""
        return await self.video.enter(actor, self.id)

    async def happens(self, kind: str, actor: Actor, node_id: str | None = None) -> None:
        """Let the media process tell of something that happens now."""
        now = self.clinic.clock.now()
        await self.video.happened(kind, self.id, actor.person_id, now, node_id or self.node_id)

    async def pass_minutes(self, minutes: float) -> None:
        """Let time pass while the media process lives; what is due in it happens."""
        left = timedelta(minutes=minutes)
        while left > timedelta():
            step = min(left, timedelta(seconds=30))
            self.clinic.clock.advance(step)
            await self.live()
            await self.clinic.timers.fire()
            left -= step

    async def settle(self) -> None:
        """Let what happened reach its consumers."""
        while await self.clinic.events.dispatch():
            pass

    async def meetings(self) -> list[str]:
        """Give the lines of the timeline that tell of meetings."""
        entries = await self.clinic.care.timeline(self.doctor, self.id)
        return [entry.text_zh for entry in entries if entry.kind == "meeting"]


@pytest_asyncio.fixture
async def booked(database: Database, clock: Clock, tmp_path: Path) -> Booked:
    """A case whose time lies in the future."""
    clinic = build_clinic(database, clock, tmp_path / "files")
    await clinic.furnish()
    video = make_video(clinic)
    expert, doctor, patient = await clinic.expert(), await clinic.doctor(), await clinic.patient()
    case = await clinic.draft(patient)
    await clinic.care.submit(doctor, case.id)
    await clinic.accept(expert, case.id)
    [slot] = await clinic.care.bookable_slots(patient, case.id, 1)
    await clinic.care.book(patient, case.id, slot.id)
    made = Booked(clinic, video, patient, doctor, expert, case.id)
    await made.live()
    return made


def make_video(clinic: Clinic) -> VideoService:
    """Wire the video rooms as the product does."""
    return VideoService(
        clinic.database,
        clinic.clock,
        clinic.events,
        clinic.timers,
        clinic.audit,
        clinic.people,
        clinic.care,
        clinic.files,
    )
