"""The services of the house on a real database, wired as the product wires them, and a few people to talk to."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation.service import ConsultationService
from backend.db import Database
from backend.dispensing import DispensingService
from backend.dispensing.reminders_prescribed import PrescribedReminders
from backend.events import EventBus
from backend.files import FileStore
from backend.help_desk import HelpDesk
from backend.ids import new_id
from backend.imaging import FolderStore, ImagingService, SealedObjects
from backend.people.service import PeopleService
from backend.prescription import PrescriptionService
from backend.records import RecordService
from backend.records.hospital.history import HistoryService
from backend.records.hospital.registry import Hospitals
from backend.records.monitoring.service import MonitoringService
from backend.records.slips.service import SlipService
from backend.reporting import CriticalValueService, ReportService
from backend.rights import AccessHistory, Amendments, Erasures
from backend.scheduling import BookingView, SchedulingService, WeeklyHours
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Actor, Role
from backend.signing import SigningService
from backend.teaching_cases import TeachingCaseService
from backend.timers import Timers
from backend.video.service import VideoService
from bot.messages import Message, Notice
from bot.services import Services
from bot.templates import FILLERS, fill

CENTRES = (
    ("青山镇卫生院", 30.10, 114.10),
    ("白水乡卫生院", 30.20, 114.20),
    ("红岩镇卫生院", 30.30, 114.30),
    ("黄坡镇卫生院", 31.00, 115.00),
)
"""Township health centres of the tests: name, latitude, longitude."""


def require_no_filler(notice: Notice) -> None:
    """See that the short form of a message says something in each of WeChat's fields."""
    shown = fill(notice, datetime.now(UTC))
    for name, held in shown.items():
        assert held["value"] not in FILLERS.values(), f"{notice.kind} {notice.fields['title']}: {name} says nothing"


class CollectedMessages:
    """Stands for the outbox: keeps what would be sent to others, each key once."""

    def __init__(self) -> None:
        self.by_person: dict[str, list[Message]] = defaultdict(list)
        self._keys: set[str] = set()

    async def send(
        self,
        session: AsyncSession | None,
        person_id: str,
        *messages: Message,
        key: str | None = None,
        expires_at: datetime | None = None,
    ) -> None:
        """Keep `messages`, unless `key` was used before; what a closed window would show is looked at too."""
        for message in messages:
            if message.notice is not None:
                require_no_filler(message.notice)
        if key is None or key not in self._keys:
            self.by_person[person_id].extend(messages)
        if key is not None:
            self._keys.add(key)


class PlainLinks:
    """Addresses as the pages' part makes them, with the booking's id for a token."""

    def calendar(self, booking: BookingView) -> str:
        """Give the address of the calendar file."""
        return f"http://house.test/h5/bookings/{booking.id}.ics"

    def data_copy(self, person_id: str) -> str:
        """Give the address of the copy of a person's data."""
        return f"http://house.test/h5/copies/{person_id}.zip"

    def room(self, consultation_id: str) -> str:
        """Give the address of the page of a room."""
        return f"http://house.test/h5/rooms/{consultation_id}"

    def recordings(self, consultation_id: str) -> str:
        """Give the address of the page of the recordings."""
        return f"http://house.test/h5/recordings/{consultation_id}"

    def viewer(self, consultation_id: str) -> str:
        """Give the address of the page of the images."""
        return f"http://house.test/h5/viewer/{consultation_id}"

    def reports(self, consultation_id: str) -> str:
        """Give the address of the page of the reports."""
        return f"http://house.test/h5/reports/{consultation_id}"

    def prescription(self, prescription_id: str) -> str:
        """Give the address of the page of a prescription."""
        return f"http://house.test/h5/prescriptions/{prescription_id}"

    def verification(self, code: str) -> str:
        """Give the address of the verification page."""
        return f"http://house.test/verify/{code}"

    def pay(self, charge_id: str) -> str:
        """Give the address of the page that pays."""
        return f"http://house.test/h5/pay/{charge_id}"

    def invoice(self, charge_id: str) -> str:
        """Give the address of a receipt."""
        return f"http://house.test/h5/invoices/{charge_id}.pdf"

    def history(self, consultation_id: str) -> str:
        """Give the address of the page of what is known of the patient."""
        return f"http://house.test/h5/history/{consultation_id}"

    def studies(self, consultation_id: str) -> str:
        """Give the address of the page on which a doctor brings images."""
        return f"http://house.test/h5/studies/{consultation_id}"

    def device(self, code: str) -> str:
        """Give the address of the page that pairs a device."""
        return f"http://house.test/h5/devices/{code}"

    def quarantine(self, study_id: str) -> str:
        """Give the address of the page on which a doctor says whose a study is."""
        return f"http://house.test/h5/quarantine/{study_id}"


@dataclass
class House:
    """Everything behind a dialogue, and who lives there."""

    database: Database
    clock: Clock
    events: EventBus
    timers: Timers
    audit: AuditLog
    services: Services
    outbox: CollectedMessages
    signing: SigningService
    hospitals: Hospitals
    workers: list[Callable[[], Awaitable[int]]] = field(default_factory=list)
    happened: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    institutions: dict[str, str] = field(default_factory=dict)
    practitioners: dict[str, str] = field(default_factory=dict)

    async def new_person(self) -> str:
        """Register somebody who has just met the account."""
        return await self.services.people.register()

    async def actor(self, person_id: str) -> Actor:
        """Who this person is to the policy."""
        return await self.services.people.actor(person_id)

    async def hire(
        self, name: str, role: Role, institution: str, department: str, title: str = "主治医师", **more: Any
    ) -> Actor:
        """Add a practitioner whose invitation has been accepted, and give them as an actor."""
        people, practitioner_id = self.services.people, new_id()
        await people.put_practitioner(
            SYSTEM,
            practitioner_id,
            role=role,
            name=name,
            licence_number=f"1{len(self.practitioners):014}",
            institution_id=self.institutions[institution],
            department_code=department,
            title=title,
            practising_since=2005,
            **more,
        )
        person_id = await self.new_person()
        invitation = await people.create_invitation(SYSTEM, practitioner_id)
        await people.accept_invitation(person_id, invitation.scene)
        self.practitioners[name] = practitioner_id
        return await self.actor(person_id)

    async def settle(self) -> None:
        """Let everything that happened reach its consumers, fire the timers that are due, let `workers` do theirs."""
        while await self.events.dispatch() + await self.timers.fire() + sum([await work() for work in self.workers]):
            pass

    def heard(self, type_: str) -> list[dict[str, Any]]:
        """Give the payloads of the events of a type that were dispatched so far."""
        return [payload for kind, payload in self.happened if kind == type_]


_WATCHED = (
    "help.requested",
    "consultation.drafted",
    "consultation.critical",
    "consultation.cancelled",
    "booking.made",
    "booking.changed",
    "booking.cancelled",
    "consultation.rated",
    "amendment.unanswered",
)


async def build_house(database: Database, clock: Clock, folder: Path) -> House:
    """Wire the services on a database that nobody lives in yet, and let three doctors and an expert move in."""
    house = wire(database, clock, folder)
    await _furnish(house)
    return house


def wire(database: Database, clock: Clock, folder: Path) -> House:
    """Wire the services as the product does."""
    events, timers = EventBus(database, clock), Timers(database, clock)
    audit = AuditLog(database, clock)
    people = PeopleService(database, clock, events, audit)
    scheduling = SchedulingService(database, clock, timers, audit, people)
    files = FileStore(database, folder, clock)
    consultations = ConsultationService(database, clock, events, timers, audit, people, scheduling, files)
    outbox = CollectedMessages()
    records = RecordService(database, clock, events, audit, people, consultations)
    signing = SigningService(database, clock, audit, people)
    objects = SealedObjects(FolderStore(folder / "imaging"))
    imaging = ImagingService(database, clock, events, timers, audit, people, consultations, objects, files)
    prescriptions = PrescriptionService(database, clock, events, timers, audit, people, consultations, records, signing)
    monitoring = MonitoringService(database, clock, events, timers, audit, people, consultations, records)
    hospitals = Hospitals(database, clock, audit, people)
    reports = ReportService(database, clock, events, audit, people, consultations, imaging)
    services = Services(
        people=people,
        consultations=consultations,
        scheduling=scheduling,
        video=VideoService(database, clock, events, timers, audit, people, consultations, files),
        imaging=imaging,
        records=records,
        slips=SlipService(database, clock, events, audit, people, files, records),
        monitoring=monitoring,
        reminders=PrescribedReminders(database, clock, events, timers, audit, consultations, prescriptions),
        reports=reports,
        critical_values=CriticalValueService(timers, database, clock, events, audit, people, consultations, imaging),
        charging=None,
        remuneration=None,
        prescriptions=prescriptions,
        dispensing=DispensingService(database, clock, events, timers, audit, people, consultations, prescriptions),
        history=HistoryService(database, clock, events, audit, people, consultations, records, hospitals),
        teaching_cases=TeachingCaseService(database, clock, events, timers, audit, people, consultations, reports),
        files=files,
        outbox=outbox,  # type: ignore[arg-type]  # the same method, without the queue behind it
        rights=AccessHistory(audit, people, consultations),
        amendments=Amendments(database, clock, events, timers, audit, people, consultations, reports),
        erasures=Erasures(database, clock, events, timers, audit, files),
        help_desk=HelpDesk(database, events),
        clock=clock,
        links=PlainLinks(),
    )
    house = House(database, clock, events, timers, audit, services, outbox, signing, hospitals)

    async def remember(event: Any) -> None:
        house.happened.append((event.type, dict(event.payload)))

    events.subscribe("tests", _WATCHED, remember)
    return house


async def _furnish(house: House) -> None:
    places = [(name, "township", latitude, longitude) for name, latitude, longitude in CENTRES]
    for number, (name, kind, latitude, longitude) in enumerate([*places, ("省人民医院", "tertiary", 30.5, 114.3)]):
        house.institutions[name] = new_id()
        await house.services.people.put_institution(
            SYSTEM,
            house.institutions[name],
            code=f"T{number}",
            name=name,
            kind=kind,
            region="青山县",
            address=f"{name[:3]}中心街{number + 1}号",
            insurance_code=f"H{number:011}",
            latitude=latitude,
            longitude=longitude,
        )
    for number, (name, _, _) in enumerate(CENTRES[:3]):
        await house.hire(f"村医{'甲乙丙'[number]}", Role.GRASSROOTS_DOCTOR, name, "general_practice")
    expert = await house.hire("钟专家", Role.EXPERT, "省人民医院", "respiratory", "主任医师", icd10=["J00-J99"])
    week = [WeeklyHours(weekday, "09:00", "12:00", 30, on_holidays=True) for weekday in range(7)]
    await house.services.scheduling.set_week(expert, house.practitioners["钟专家"], week)
