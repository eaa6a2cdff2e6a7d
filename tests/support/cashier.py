"""A house that charges: the services of money beside its others, with insurer and payment provider in memory."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from backend.charging import ChargeView, ChargingService
from backend.insurance.insurer import Person
from backend.ledger import LedgerService
from backend.people.rules import identity_check_character
from backend.remuneration import RemunerationService
from backend.security.policy import SYSTEM
from data.insurance import Insurance
from tests.support.insurer_twin import InsurerTwin
from tests.support.payments_twin import PaymentsTwin
from tests.support.till import REGION, order_of, payer_of

if TYPE_CHECKING:
    from tests.support.house import House


@dataclass
class Cashier:
    """The services of money of a house, and shorthands for what people do with money."""

    house: "House"
    insurer: InsurerTwin
    payments: PaymentsTwin
    ledger: LedgerService
    charging: ChargingService
    people: int = 0

    async def insure(self, person_id: str, insurance: Insurance | None = "resident", account: str = "0") -> None:
        """Let a person have an identity card whom the insurer knows."""
        self.people += 1
        digits = f"11010119800101{self.people:03}"
        number = digits + identity_check_character(digits)
        actor = await self.house.actor(person_id)
        await self.house.services.people.update_person(actor, person_id, id_number=number)
        self.insurer.people[number] = Person(
            f"P{self.people:06}", REGION, insurance, "您的医保已经停保。", account=Decimal(account)
        )

    async def charge(self, person_id: str) -> ChargeView:
        """Give the newest charge of a person."""
        return (await self.charging.bills(await self.house.actor(person_id)))[0]

    async def pay(self, person_id: str) -> ChargeView:
        """Let a person open the page of their newest charge and pay; give it as it stands then."""
        charge = await self.charge(person_id)
        order = order_of(await self.charging.prepay(await self.house.actor(person_id), charge.id))
        assert self.payments.pay(order)
        await self.house.settle()
        return await self.charging.view(SYSTEM, charge.id)

    async def work(self) -> int:
        """Deliver what the provider tells, and do the steps that are due; give how many were done."""
        told = 0
        while self.payments.notifications:
            await self.charging.notified(*self.payments.letter(self.payments.notifications[-1]))
            self.payments.notifications.pop()
            told += 1
        return told + await self.charging.work()


def let_charge(house: "House") -> Cashier:
    """Let a house charge from now on; called before its conversations begin."""
    services = house.services
    ledger = LedgerService(house.database, house.clock)
    insurer, payments = InsurerTwin(house.clock), PaymentsTwin(house.clock)
    charging = ChargingService(
        house.database,
        house.clock,
        house.events,
        house.timers,
        house.audit,
        services.people,
        services.scheduling,
        services.consultations,
        ledger,
        insurer,
        payments,
        payer_of,
    )
    services.charging = charging
    services.remuneration = RemunerationService(
        house.database,
        house.clock,
        house.events,
        house.timers,
        house.audit,
        services.people,
        services.consultations,
        services.reports,
        ledger,
        charging,
    )
    cashier = Cashier(house, insurer, payments, ledger, charging)
    house.workers.append(cashier.work)
    return cashier
