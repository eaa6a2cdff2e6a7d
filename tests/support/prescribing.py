"""Prescribing on a clinic: its services, a pharmacist, certificates, and what is known of a patient."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from backend.people import PeopleService
from backend.prescription import Line, PrescriptionPapers, PrescriptionService, PrescriptionView
from backend.records import Question, RecordService
from backend.records.background import Background, Condition, Measured, Source
from backend.security.policy import SYSTEM, Actor, Role
from backend.signing import SigningService
from tests.support.clinic import Clinic, practitioner_of

AMOXICILLIN = "amoxicillin-capsule-250-24"
IBUPROFEN = "ibuprofen-tablet-200-24"
WARFARIN = "warfarin-tablet-2.5-60"
PARACETAMOL = "paracetamol-suspension-32-100"
AMBROXOL = "ambroxol-tablet-30-20"
CETIRIZINE = "cetirizine-tablet-10-12"
OMEPRAZOLE = "omeprazole-enteric_capsule-20-14"
AMLODIPINE = "amlodipine-tablet-5-28"


def amoxicillin(days: int = 5, note: str = "饭后吃") -> Line:
    """Amoxicillin as it is often written."""
    return Line(AMOXICILLIN, Decimal(500), "tid", "oral", days, note)


def ambroxol() -> Line:
    """Something for the cough that goes with it."""
    return Line(AMBROXOL, Decimal(30), "tid", "oral", 5)


def line(code: str, dose: int | str = 1, days: int = 5, frequency: str = "bid") -> Line:
    """Give a line by mouth."""
    return Line(code, Decimal(dose), frequency, "oral", days)


def known_adult(patient_id: str) -> Background:
    """Give a man of 46 of whom everything is known that a check may ask for, seen by a doctor for what he has."""
    asked = datetime(2026, 11, 1, tzinfo=UTC)
    return Background(
        patient_id,
        date(1980, 5, 1),
        "male",
        named=True,
        weight=Measured(Decimal(65), asked),
        creatinine=Measured(Decimal(70), asked),
        alt=Measured(Decimal(20), asked),
        allergies_asked=asked,
        medicines_asked=asked,
        conditions=(Condition("J20.9", "急性支气管炎", Source.DOCTOR, asked),),
    )


@dataclass
class KnownPatients:
    """Stands where `backend.records` does: what a test says is known."""

    by_patient: dict[str, Background] = field(default_factory=dict)

    async def background(self, actor: Actor, patient_id: str) -> Background:
        """Give what is known; nothing where nothing was said."""
        return self.by_patient.get(patient_id, known_adult(patient_id))

    def know(self, patient_id: str, **facts: Any) -> None:
        """Let something be known."""
        known = self.by_patient.get(patient_id, known_adult(patient_id))
        self.by_patient[patient_id] = replace(known, **facts)


@dataclass
class Pharmacy:
    """A clinic in which prescriptions are written and reviewed."""

    clinic: Clinic
    known: KnownPatients
    signing: SigningService
    prescriptions: PrescriptionService

    async def pharmacist(self, name: str = "叶青禾", institution: str = "") -> Actor:
        """Make a pharmacist of the township centre, or of `institution`, who can sign."""
        place = institution or self.clinic.township
        actor = await self.clinic._join(Role.PHARMACIST, name, place, "", "主管药师", ())
        await self.certify(actor)
        return actor

    async def certify(self, *actors: Actor) -> None:
        """Give certificates."""
        for actor in actors:
            await self.signing.issue(SYSTEM, practitioner_of(actor))

    async def written(self, doctor: Actor, case: str, *lines: Line) -> PrescriptionView:
        """Write a draft."""
        draft = await self.prescriptions.draft(doctor, case)
        return await self.prescriptions.write(
            doctor, draft.id, lines=lines or (amoxicillin(),), diagnoses=draft.diagnoses or ("J20.9",)
        )

    async def signed(self, doctor: Actor, case: str, *lines: Line) -> PrescriptionView:
        """Write and sign."""
        draft = await self.written(doctor, case, *lines)
        return await self.prescriptions.sign(doctor, draft.id, revision=draft.revision)


def build_pharmacy(clinic: Clinic) -> Pharmacy:
    """Wire prescribing on a clinic."""
    known = KnownPatients()
    signing = SigningService(clinic.database, clinic.clock, clinic.audit, clinic.people)
    prescriptions = PrescriptionService(
        clinic.database,
        clinic.clock,
        clinic.events,
        clinic.timers,
        clinic.audit,
        clinic.people,
        clinic.care,
        known,
        signing,
    )
    return Pharmacy(clinic, known, signing, prescriptions)


def papers_on(pharmacy: Pharmacy) -> PrescriptionPapers:
    """Give the papers of a pharmacy; the process that prints is ended with `close`."""
    clinic = pharmacy.clinic
    return PrescriptionPapers(
        clinic.database, clinic.clock, clinic.events, pharmacy.prescriptions, pharmacy.signing, "http://house.test"
    )


async def tell_everything(people: PeopleService, records: RecordService, patient_id: str) -> None:
    """Let everything be known of a patient that a check may ask for: a man of 46 who has and takes nothing."""
    await people.update_person(SYSTEM, patient_id, sex="male", birth_date=date(1980, 5, 1))
    for question in (Question.ALLERGIES, Question.MEDICINES):
        await records.answer(SYSTEM, patient_id, question, yes=False)
