"""What a county health office oversees, made to happen: charges, prescriptions and orders, images on their way."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web
from pydicom.dataset import FileDataset

from backend.charging import ChargingService
from backend.clock import Clock
from backend.consultation import ConsultationService, ConsultationView
from backend.dispensing import DispensingService, Method
from backend.imaging import ImagingService, StowAddress
from backend.insurance.insurer import Person
from backend.people import PeopleService
from backend.people.rules import identity_check_character
from backend.prescription import Line, PrescriptionService
from backend.records import RecordService
from backend.scheduling import SchedulingService
from backend.security.policy import SYSTEM, Actor
from backend.signing import SigningService
from tests.support.clinic import practitioner_of
from tests.support.forwarding import stow_answer, stow_peer
from tests.support.imaging import as_file, ct_slice, of_patient, streamed
from tests.support.insurer_twin import InsurerTwin
from tests.support.payments_twin import PaymentsTwin
from tests.support.prescribing import AMOXICILLIN, CETIRIZINE, IBUPROFEN, amoxicillin, line, tell_everything
from tests.support.till import REGION, order_of

NOT_OF_ITS_CLASS = 0xA900
"""DICOM status by which a PACS refuses an instance for good."""


@dataclass
class Office:
    """The services of a house, its people, and the other sides of its money.

    `settle` lets everything be heard, `pass_time` a time go by. The pharmacist reviews at the township centre, the
    chemist hands out at a pharmacy.
    """

    clock: Clock
    people: PeopleService
    care: ConsultationService
    scheduling: SchedulingService
    records: RecordService
    signing: SigningService
    prescriptions: PrescriptionService
    dispensing: DispensingService
    imaging: ImagingService
    charging: ChargingService
    insurer: InsurerTwin
    payments: PaymentsTwin
    doctor: Actor
    expert: Actor
    pharmacist: Actor
    chemist: Actor
    settle: Callable[[], Awaitable[Any]]
    pass_time: Callable[[timedelta], Awaitable[Any]]
    insured: int = 0

    async def insure(self, patient: Actor) -> None:
        """Let a patient have an identity card whom the insurer knows."""
        self.insured += 1
        digits = f"11010119800101{self.insured:03}"
        number = digits + identity_check_character(digits)
        await self.people.update_person(patient, patient.person_id, id_number=number)
        self.insurer.people[number] = Person(f"P{self.insured:06}", REGION, "resident", "", account=Decimal(0))

    async def taken_case(self, patient: Actor) -> ConsultationView:
        """A case that the expert has taken."""
        assert self.doctor.institution_id is not None
        case = await self.care.open(
            patient, patient_id=patient.person_id, institution_id=self.doctor.institution_id,
            record={"chief_complaint": "咳嗽3天"}, facts={}, department_code="respiratory", urgency="routine",
        )  # fmt: skip
        await self.care.submit(self.doctor, case.id)
        await self.settle()
        [offer] = [one for one in await self.care.offers_for(self.expert) if one.consultation_id == case.id]
        await self.care.accept_offer(self.expert, offer.id)
        await self.settle()
        return case

    async def quoted(self, patient: Actor) -> str:
        """A charge that the insurer has been asked about; give its identifier."""
        await self.insure(patient)
        case = await self.taken_case(patient)
        now = self.clock.now()
        expert_id = practitioner_of(self.expert)
        slots = await self.scheduling.slots(expert_id, now + timedelta(hours=3), now + timedelta(days=3))
        charge = await self.charging.begin(patient, case.id, slots[0].id)
        await self.settle()
        return charge.id

    async def settled(self, patient: Actor, *, dearer: int = 0) -> str:
        """A charge that was paid, and its consultation held; with `dearer` the insurer wants the patient to pay so
        many yuan more than it had said. Give its identifier."""
        charge_id = await self.quoted(patient)
        order = order_of(await self.charging.prepay(patient, charge_id))
        assert self.payments.pay(order)
        await self.charging.notified(*self.payments.letter(self.payments.notifications[-1]))
        await self.settle()
        self.insurer.cheat = Decimal(dearer)
        case_id = (await self.charging.view(SYSTEM, charge_id)).consultation_id
        await self.care.start(self.expert, case_id)
        await self.care.record_opinion(self.expert, case_id, icd10="J20.9", diagnosis="急性支气管炎", plan="多喝水。")
        await self.care.complete(self.expert, case_id)
        await self.settle()
        return charge_id

    async def prescribed(self, patient: Actor, *, warned: bool = False) -> str:
        """A prescription of a case that waits for the pharmacist; `warned` passes over a warning. Give its
        identifier."""
        await tell_everything(self.people, self.records, patient.person_id)
        case = await self.taken_case(patient)
        await self.signing.issue(SYSTEM, practitioner_of(self.doctor))
        await self.signing.issue(SYSTEM, practitioner_of(self.pharmacist))
        draft = await self.prescriptions.draft(self.doctor, case.id)
        lines: tuple[Line, ...] = (amoxicillin(), line(CETIRIZINE, 10, 7, "qd"))
        if warned:
            lines = (line(IBUPROFEN, 400, 5, "tid"), line(CETIRIZINE, 10, 7, "qd"))
        draft = await self.prescriptions.write(self.doctor, draft.id, lines=lines, diagnoses=("J20.9",))
        for one in draft.unanswered:
            draft = await self.prescriptions.override(self.doctor, draft.id, one.rule, one.subject, "已当面问过")
        signed = await self.prescriptions.sign(self.doctor, draft.id, revision=draft.revision)
        return signed.id

    async def ordered(self, patient: Actor, prescription_id: str) -> str:
        """Approve a prescription, and let the patient order it at the pharmacy; give the order's identifier."""
        pharmacy_id = self.chemist.institution_id
        assert pharmacy_id is not None
        await self.prescriptions.approve(self.pharmacist, prescription_id)
        await self.dispensing.set_stock(self.chemist, pharmacy_id, {AMOXICILLIN: 50, CETIRIZINE: 50})
        placed = await self.dispensing.place(patient, prescription_id, pharmacy_id, Method.PICKUP)
        await self.settle()
        return placed.id

    async def images(self, patient: Actor, stack: AsyncExitStack) -> str:
        """Two images go to the PACS of the expert's hospital, which refuses one of them for good; give their case's
        identifier."""
        assert self.doctor.institution_id is not None
        assert self.expert.institution_id is not None

        async def first_alone(sent: list[FileDataset]) -> web.Response:
            first = [one for one in sent if one.InstanceNumber == 1]
            return stow_answer(first, [one for one in sent if one not in first], NOT_OF_ITS_CLASS)

        url = await stack.enter_async_context(stow_peer(first_alone))
        await self.imaging.register_destination(SYSTEM, self.expert.institution_id, "省医PACS", StowAddress(url))
        new = await self.imaging.register_stow_sender(SYSTEM, self.doctor.institution_id, "放射科CT")
        machine = await self.imaging.sender_of_token(new.token)
        assert machine is not None
        case = await self.taken_case(patient)
        person = await self.people.person(SYSTEM, patient.person_id)
        for number in (1, 2):
            said = of_patient(person.name, accession=case.number)
            await self.imaging.receive(machine, streamed(as_file(ct_slice(number, **said))))
        await self.imaging.receive(machine, streamed(as_file(ct_slice(1, study=2, **of_patient("李四")))))
        await self.pass_time(timedelta(minutes=2))
        await self.settle()
        await self.imaging.forward_waiting()
        return case.id
