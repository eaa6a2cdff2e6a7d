"""The use cases of dispensing in one service, a file each: stock, orders, handovers, requests for the same again."""

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.dispensing.handovers import Handovers
from backend.dispensing.orders import UNACCEPTED_TIMER, UNRECEIVED_TIMER, Orders
from backend.dispensing.overview import Overseeing
from backend.dispensing.refills import Refills
from backend.events import Event, EventBus
from backend.people import PeopleService
from backend.prescription import PrescriptionService
from backend.security.audit import AuditLog
from backend.timers import Timers


class DispensingService(Orders, Refills, Handovers, Overseeing):
    """All use cases of dispensing: the only code that changes its tables.

    Raises (besides what each method names):
        NotFound: no such prescription, order or request. Forbidden: the policy refuses.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        prescriptions: PrescriptionService,
    ) -> None:
        super().__init__(database, clock, events, timers, audit, people, consultations, prescriptions)
        timers.on(UNACCEPTED_TIMER, self._on_unaccepted)
        timers.on(UNRECEIVED_TIMER, self._on_unreceived)
        events.subscribe("dispensing", ["prescription.revoked"], self._on_revoked)

    async def _on_revoked(self, event: Event) -> None:
        await self.withdraw(event.payload["prescription_id"])
