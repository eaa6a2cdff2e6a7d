"""A clinic that charges: the services of money on one database, with an insurer and a payment provider in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, update

from backend.charging import ChargeFilter, ChargeOverview, ChargeView, ChargingService
from backend.charging.tables import ChargeStep
from backend.consultation import ConsultationView, Status
from backend.consultation.tables import Consultation
from backend.events import EventBus
from backend.insurance.insurer import Person
from backend.ledger import LedgerService
from backend.people.rules import identity_check_character
from backend.scheduling import BookingState, SlotView
from backend.security.policy import SYSTEM, Actor
from backend.timers import Timers
from data.insurance import Insurance
from tests.support.clinic import Clinic, practitioner_of
from tests.support.insurer_twin import InsurerTwin
from tests.support.money_wire import Wire
from tests.support.payments_twin import PaymentsTwin

REGION = "桥县"


@dataclass
class Till:
    """The services, the twins, and shorthands for what tests do with them."""

    clinic: Clinic
    insurer: InsurerTwin
    payments: PaymentsTwin
    ledger: LedgerService
    charging: ChargingService
    doctor: Actor
    expert: Actor
    people: int = 0
    at_once: int = 8

    # who and what there is

    async def insured(
        self, insurance: Insurance | None = "resident", *, known: bool = True, account: str = "0", refusal: str = ""
    ) -> Actor:
        """Make a patient with an identity card whom the insurer knows."""
        self.people += 1
        digits = f"11010119800101{self.people:03}"
        number = digits + identity_check_character(digits)
        patient = await self.clinic.patient()
        await self.clinic.people.update_person(patient, patient.person_id, id_number=number)
        if known:
            self.insurer.people[number] = Person(
                f"P{self.people:06}", REGION, insurance, refusal, account=Decimal(account)
            )
        return patient

    async def assigned(self, patient: Actor) -> ConsultationView:
        """Open a consultation that has its expert and no time yet."""
        case = await self.clinic.draft(patient)
        await self.clinic.care.submit(self.doctor, case.id)
        return await self.clinic.accept(self.expert, case.id)

    async def slots(self) -> list[SlotView]:
        """Give the free slots of the expert, the first ones first."""
        now = self.clinic.clock.now()
        expert_id = practitioner_of(self.expert)
        return await self.clinic.scheduling.slots(expert_id, now + timedelta(hours=3), now + timedelta(days=14))

    async def begun(self, patient: Actor) -> ChargeView:
        """Begin a charge for the first free slot of a new consultation."""
        case = await self.assigned(patient)
        return await self.charging.begin(patient, case.id, (await self.slots())[0].id)

    async def quoted(self, patient: Actor) -> ChargeView:
        """Begin a charge, and have it quoted."""
        charge = await self.begun(patient)
        await self.work()
        return await self.now(charge)

    async def paid(self, patient: Actor) -> ChargeView:
        """Begin a charge, and have the patient pay it."""
        charge = await self.quoted(patient)
        if charge.payable:
            await self.pay(patient, charge)
        await self.work()
        return await self.now(charge)

    # what happens

    async def pay(self, payer: Actor, charge: ChargeView, *, amount: int | None = None) -> str:
        """Let somebody open the page and pay; give the order's number. The notification is on its way."""
        number = order_of(await self.charging.prepay(payer, charge.id))
        assert self.payments.pay(number, amount=amount)
        return number

    async def deliver(self) -> None:
        """Deliver every notification that there is, once more where it was delivered before."""
        for notification in list(self.payments.notifications):
            await self.charging.notified(*self.payments.letter(notification))

    async def complete(self, charge: ChargeView) -> None:
        """Let the consultation be held and completed."""
        await self.clinic.care.start(self.expert, charge.consultation_id)
        await self.clinic.care.record_opinion(self.expert, charge.consultation_id, icd10="J18.9", diagnosis="肺炎")
        await self.clinic.care.record_opinion(self.expert, charge.consultation_id, plan="口服抗生素")
        await self.clinic.care.complete(self.expert, charge.consultation_id)

    async def work(self) -> None:
        """Do what is due now, and what follows from it: notifications, events, steps."""
        while True:
            await self.deliver()
            if not await self.clinic.events.dispatch() + await self.charging.work(self.at_once):
                return

    async def later(self, by: timedelta = timedelta(minutes=1)) -> None:
        """Let time pass, and do what is due then."""
        await self.clinic.pass_time(by)
        await self.work()

    async def settle_down(self) -> None:
        """Let everything that is under way come to its end: wires that work, answers, steps, refunds."""
        for wire in self.wires:
            wire.down, wire.share, wire.next = False, 0.0, []
        for _ in range(200):
            arrived = sum(wire.arrive() for wire in self.wires)
            self.payments.progress()
            await self.work()
            due = await self.next_due()
            if due is None and not arrived:
                return
            if due is not None:
                await self.clinic.pass_time(max(due - self.clinic.clock.now(), timedelta(seconds=1)))
        raise AssertionError("steps without end")

    async def next_due(self) -> datetime | None:
        """Give when a worker takes the next step: the first of its lane, once nobody else is at it."""
        async with self.clinic.database.reading() as session:
            query = select(ChargeStep).where(ChargeStep.due_at.is_not(None)).order_by(ChargeStep.id.desc())
            first = {(step.charge_id, step.lane): step for step in await session.scalars(query)}
        taken = [max(step.due_at, step.leased_until or step.due_at) for step in first.values() if step.due_at]
        return min(taken, default=None)

    async def now(self, charge: ChargeView) -> ChargeView:
        """Give a charge as it stands now."""
        return await self.charging.view(SYSTEM, charge.id)

    async def waiting(self, administrator: Actor) -> list[ChargeOverview]:
        """Give the charges that wait for a person."""
        return (await self.charging.search(administrator, ChargeFilter(waiting=True))).items

    async def books(self, charge: ChargeView) -> dict[str, int]:
        """Give the balances of what is posted about a charge, without those of nothing; the institution as such."""
        balances: dict[str, int] = {}
        for posting in await self.ledger.of(f"charge:{charge.id}"):
            for line in posting.lines:
                account = line.account.split(":")[0]
                balances[account] = balances.get(account, 0) + line.amount
        return {account: amount for account, amount in balances.items() if amount}

    @property
    def wires(self) -> tuple[Wire, Wire]:
        """The two ways out of the house."""
        return self.insurer.wire, self.payments.wire

    def restart(self) -> None:
        """End the process, and begin a new one on the same database."""
        clinic = self.clinic
        clinic.events = EventBus(clinic.database, clinic.clock)
        clinic.timers = Timers(clinic.database, clinic.clock)
        parts = (clinic.database, clinic.clock, clinic.events, clinic.timers, clinic.audit)
        clinic.people = type(clinic.people)(clinic.database, clinic.clock, clinic.events, clinic.audit)
        clinic.scheduling = type(clinic.scheduling)(
            clinic.database, clinic.clock, clinic.timers, clinic.audit, clinic.people
        )
        clinic.care = type(clinic.care)(*parts, clinic.people, clinic.scheduling, clinic.files)
        self.charging = _charging(clinic, self.ledger, self.insurer, self.payments)

    async def finish(self, consultation_id: str) -> None:
        """Let a consultation be over and tell of it, without what else `complete` needs."""
        async with self.clinic.database.transaction() as session:
            await self.clinic.scheduling.release(consultation_id, BookingState.KEPT)
            case = update(Consultation).where(Consultation.id == consultation_id)
            await session.execute(case.values(status=Status.COMPLETED))
            await self.clinic.care.publish_meeting(session, consultation_id, "consultation.completed")


async def build_till(clinic: Clinic) -> Till:
    """Furnish a clinic with a doctor, an expert and a till."""
    ledger = LedgerService(clinic.database, clinic.clock)
    insurer, payments = InsurerTwin(clinic.clock), PaymentsTwin(clinic.clock)
    await clinic.people.put_institution(
        SYSTEM,
        clinic.hospital,
        code="H1",
        name="测试H1医院",
        kind="tertiary",
        region=REGION,
        address="测试路1号",
        latitude=30.0,
        longitude=114.0,
        insurance_code="H36000000001",
    )
    doctor, expert = await clinic.doctor(), await clinic.expert()
    charging = _charging(clinic, ledger, insurer, payments)
    return Till(clinic, insurer, payments, ledger, charging, doctor, expert)


def _charging(clinic: Clinic, ledger: LedgerService, insurer: InsurerTwin, payments: PaymentsTwin) -> ChargingService:
    return ChargingService(
        clinic.database,
        clinic.clock,
        clinic.events,
        clinic.timers,
        clinic.audit,
        clinic.people,
        clinic.scheduling,
        clinic.care,
        ledger,
        insurer,
        payments,
        payer_of,
    )


async def payer_of(person_id: str) -> str:
    """Give the open id of a person: here, one made of their id."""
    return f"openid-{person_id}"


def order_of(parameters: Mapping[str, str]) -> str:
    """Give the number of the order that parameters of the payment sheet are for."""
    return parameters["package"].removeprefix("prepay_id=")
