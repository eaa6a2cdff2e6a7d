"""A small platform to test on: one township centre, one hospital, and everybody who takes part in a consultation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from backend.clock import LOCAL_ZONE, Clock
from backend.consultation import ConsultationService, ConsultationView
from backend.db import Database
from backend.events import EventBus, EventRow
from backend.files import FileStore
from backend.ids import new_id
from backend.people import PeopleService
from backend.photographs import clean
from backend.scheduling import SchedulingService, WeeklyHours
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Actor, Role
from backend.timers import Timer, Timers
from tests.support.pictures import jpeg

RECORD = {"chief_complaint": "咳嗽、发热3天", "present_illness": "3天前受凉后咳嗽"}
EVERY_DAY = tuple(WeeklyHours(weekday, "09:00", "12:00", 30, on_holidays=True) for weekday in range(7))


@dataclass
class Clinic:
    """The services on one database, and shorthands for what tests do with them."""

    database: Database
    clock: Clock
    events: EventBus
    timers: Timers
    audit: AuditLog
    people: PeopleService
    scheduling: SchedulingService
    files: FileStore
    care: ConsultationService
    township: str = field(default_factory=new_id)
    hospital: str = field(default_factory=new_id)

    async def furnish(self) -> None:
        """Make the two institutions."""
        for institution_id, code, kind in ((self.township, "T1", "township"), (self.hospital, "H1", "tertiary")):
            await self.people.put_institution(
                SYSTEM,
                institution_id,
                code=code,
                name=f"测试{code}医院",
                kind=kind,
                region="桥县",
                address="测试路1号",
                latitude=30.0,
                longitude=114.0,
            )

    async def patient(self, name: str = "王小明") -> Actor:
        """Make a patient who has consented."""
        person_id = await self.people.register(name)
        actor = await self.people.actor(person_id)
        await self.people.give_consent(actor, self.people.consent_document().version)
        return actor

    async def doctor(self, name: str = "李梅") -> Actor:
        """Make a grassroots doctor of the township centre who has joined."""
        return await self._join(Role.GRASSROOTS_DOCTOR, name, self.township, "general_practice", "主治医师", ())

    async def expert(
        self,
        name: str = "张强",
        *,
        department_code: str = "respiratory",
        title: str = "主任医师",
        icd10: Sequence[str] = (),
        on_call: bool = False,
        week: Sequence[WeeklyHours] = EVERY_DAY,
    ) -> Actor:
        """Make an expert of the hospital who has joined and works every day from 9 to 12 unless told otherwise."""
        actor = await self._join(Role.EXPERT, name, self.hospital, department_code, title, icd10, on_call)
        await self.scheduling.set_week(SYSTEM, practitioner_of(actor), week)
        return actor

    async def administrator(self) -> Actor:
        """Make an administrator who has joined."""
        return await self._join(Role.ADMINISTRATOR, "管理员", self.hospital, "", "", ())

    async def _join(
        self,
        role: Role,
        name: str,
        institution_id: str,
        department_code: str,
        title: str,
        icd10: Sequence[str],
        on_call: bool = False,
    ) -> Actor:
        practitioner_id = new_id()
        await self.people.put_practitioner(
            SYSTEM,
            practitioner_id,
            role=role,
            name=name,
            licence_number=practitioner_id,
            institution_id=institution_id,
            department_code=department_code,
            title=title,
            practising_since=2006,
            icd10=icd10,
            on_call=on_call,
        )
        person_id = await self.people.register(name)
        invitation = await self.people.create_invitation(SYSTEM, practitioner_id)
        await self.people.accept_invitation(person_id, invitation.scene)
        return await self.people.actor(person_id)

    async def draft(self, patient: Actor, **changes: Any) -> ConsultationView:
        """Open a consultation as the patient."""
        arguments: dict[str, Any] = {
            "patient_id": patient.person_id,
            "institution_id": self.township,
            "record": RECORD,
            "facts": {"temperature": 38.5},
            "department_code": "respiratory",
            "urgency": "routine",
        }
        return await self.care.open(patient, **(arguments | changes))

    async def offers(self, consultation_id: str) -> dict[str, str]:
        """Give the invitations' identifiers by expert."""
        return {offer.expert_id: offer.id for offer in await self.care.offers_of(SYSTEM, consultation_id)}

    async def accept(self, expert: Actor, consultation_id: str) -> ConsultationView:
        """Let the expert accept their invitation."""
        offers = await self.offers(consultation_id)
        return await self.care.accept_offer(expert, offers[practitioner_of(expert)])

    async def picture(self, owner: Actor) -> str:
        """Keep a picture that `owner` sent."""
        return await self.files.put_picture(clean(jpeg(), "image/jpeg"), owner.person_id, own_of=owner.person_id)

    async def pass_time(self, by: timedelta) -> None:
        """Let time pass, and what is due in it happen: each timer at the moment at which it is due."""
        end = self.clock.now() + by
        while True:
            async with self.database.reading() as session:
                due_at = await session.scalar(
                    select(Timer.due_at).where(Timer.due_at <= end).order_by(Timer.due_at).limit(1)
                )
            if due_at is None:
                break
            self.clock.advance(max(due_at - self.clock.now(), timedelta()))
            fired = await self.timers.fire()
            assert fired, "a due timer did not fire"
        self.clock.advance(max(end - self.clock.now(), timedelta()))

    async def published(self, type_: str) -> list[dict[str, Any]]:
        """Give the payloads of the events of this type, in order."""
        async with self.database.reading() as session:
            rows = await session.scalars(select(EventRow).where(EventRow.type == type_).order_by(EventRow.id))
            return [row.payload for row in rows]

    async def told(self, consultation_id: str) -> list[str]:
        """Give the sentences of the timeline."""
        return [entry.text_zh for entry in await self.care.timeline(SYSTEM, consultation_id)]


def practitioner_of(actor: Actor) -> str:
    """Give the practitioner that the actor is."""
    assert actor.practitioner_id is not None
    return actor.practitioner_id


def build_clinic(database: Database, clock: Clock, folder: Path) -> Clinic:
    """Wire the services on `database`; the clock stands at eight in the morning of a Monday in China."""
    monday = datetime(2026, 11, 23, 8, 0, tzinfo=LOCAL_ZONE)
    clock.shift(monday - datetime.now(UTC))
    events = EventBus(database, clock)
    timers = Timers(database, clock)
    audit = AuditLog(database, clock)
    people = PeopleService(database, clock, events, audit)
    scheduling = SchedulingService(database, clock, timers, audit, people)
    files = FileStore(database, folder, clock)
    care = ConsultationService(database, clock, events, timers, audit, people, scheduling, files)
    return Clinic(database, clock, events, timers, audit, people, scheduling, files, care)
