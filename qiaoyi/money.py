"""The services of money put together: all of them, or none where no payment provider or no insurer is set."""

from backend.charging import ChargingService
from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.events import EventBus
from backend.insurance.insurer import Insurer
from backend.ledger import LedgerService
from backend.messaging.service import MessagingService
from backend.payment.payments import Payments
from backend.people import PeopleService
from backend.scheduling import SchedulingService
from backend.security.audit import AuditLog
from backend.timers import Timers
from bot.delivery.sender import CHANNEL


def make_charging(
    database: Database,
    clock: Clock,
    events: EventBus,
    timers: Timers,
    audit: AuditLog,
    people: PeopleService,
    scheduling: SchedulingService,
    consultations: ConsultationService,
    ledger: LedgerService,
    insurer: Insurer | None,
    payments: Payments | None,
) -> ChargingService | None:
    """Give the charging service; None where nothing is charged."""
    if insurer is None or payments is None:
        return None
    messaging = MessagingService(database, clock, people)

    async def payer_of(person_id: str) -> str:
        contacts = await messaging.contacts(person_id, CHANNEL)
        return contacts[0].address if contacts else ""

    return ChargingService(
        database,
        clock,
        events,
        timers,
        audit,
        people,
        scheduling,
        consultations,
        ledger,
        insurer,
        payments,
        payer_of,
    )
