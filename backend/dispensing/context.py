"""What every use case of dispensing needs: rows, the policy's questions, a prescription as a pharmacy sees it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.dispensing.rules import Item
from backend.dispensing.tables import LineClaim, MedicineOrder
from backend.dispensing.views import OrderView
from backend.errors import NotFound
from backend.events import EventBus
from backend.people import PeopleService
from backend.prescription import PrescriptionService, PrescriptionView, line_text
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, require
from backend.timers import Timers

_NO_SUCH_ORDER = "没有找到这张取药单。"


class DispensingContext:
    """Base of the parts of `DispensingService`."""

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
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._prescriptions = prescriptions

    async def _order(
        self, session: AsyncSession, actor: Actor, order_id: str, action: Action, *, lock: bool = False
    ) -> MedicineOrder:
        row = await session.get(MedicineOrder, order_id, with_for_update=lock, populate_existing=True)
        if row is None:
            raise NotFound(_NO_SUCH_ORDER)
        require(actor, action, patient_id=row.patient_id, institution_id=row.pharmacy_id)
        return row

    async def _claims(self, session: AsyncSession, order_id: str) -> list[LineClaim]:
        query = select(LineClaim).where(LineClaim.order_id == order_id).order_by(LineClaim.line)
        return list(await session.scalars(query))

    async def _free_items(self, session: AsyncSession, prescription: PrescriptionView) -> list[Item]:
        """Give the lines that belong to no order yet."""
        query = select(LineClaim.line).where(LineClaim.prescription_id == prescription.id)
        taken = set(await session.scalars(query))
        return [item for item in items_of(prescription) if item.index not in taken]

    async def _view(self, session: AsyncSession, row: MedicineOrder) -> OrderView:
        await session.flush()
        prescription = await self._prescriptions.prescription(SYSTEM, row.prescription_id)
        lines = {claim.line for claim in await self._claims(session, row.id)}
        pharmacy = await self._people.institution(row.pharmacy_id)
        return OrderView(
            id=row.id,
            number=row.number,
            prescription_id=row.prescription_id,
            prescription_number=prescription.number,
            consultation_id=row.consultation_id,
            patient_id=row.patient_id,
            patient_name=prescription.document["patient"]["name"],
            pharmacy_id=row.pharmacy_id,
            pharmacy_name=pharmacy.name,
            pharmacy_address=pharmacy.address,
            method=row.method,
            state=row.state,
            items=tuple(item for item in items_of(prescription) if item.index in lines),
            placed_at=row.placed_at,
            accepted_by=row.accepted_by,
            packed_by=row.packed_by,
            sent_at=row.sent_at,
            closed_at=row.closed_at,
            reason=row.reason,
            carrier=row.carrier,
            tracking_number=row.tracking_number,
            address=row.address,
            phone=row.phone,
        )

    async def _record(self, session: AsyncSession, actor: Actor, action: str, row: MedicineOrder) -> None:
        subject = f"medicine_order:{row.id}"
        await self._audit.record(session, actor, action, patient_id=row.patient_id, subject=subject)

    async def _publish(self, session: AsyncSession, type_: str, row: MedicineOrder, actor: Actor, **more: Any) -> None:
        await self._events.publish(
            session,
            type_,
            order_id=row.id,
            prescription_id=row.prescription_id,
            consultation_id=row.consultation_id,
            patient_id=row.patient_id,
            pharmacy_id=row.pharmacy_id,
            actor_id=actor.person_id,
            **more,
        )


def items_of(prescription: PrescriptionView, only: Collection[int] | None = None) -> list[Item]:
    """Give the lines of an approved prescription as a pharmacy sees them, from what was signed."""
    return [
        Item(
            index=index,
            preparation=line["preparation"],
            name=line["name"],
            spec=line["spec"],
            packs=line["packs"],
            unit=line["pack_unit"],
            text=line_text(line),
        )
        for index, line in enumerate(prescription.document["lines"])
        if only is None or index in only
    ]
