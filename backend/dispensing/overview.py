"""Orders for medicines from above: how those of a prescription went, and which do not go on. Not what is in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from backend import paging
from backend.dispensing.context import DispensingContext
from backend.dispensing.rules import ACCEPT_WITHIN, ASK_RECEIVED_AFTER, Method, OrderState
from backend.dispensing.tables import MedicineOrder
from backend.people import masked_name
from backend.prescription import PrescriptionDossier
from backend.security.policy import Action, Actor, only_institution

STUCK_AFTER = {
    OrderState.PLACED: ACCEPT_WITHIN,
    OrderState.ACCEPTED: timedelta(days=1),
    OrderState.PACKED: timedelta(days=3),
    OrderState.SENT: ASK_RECEIVED_AFTER,
}
"""How long an order may stand in a state before somebody should ask what holds it up. The project's own."""

_SINCE: dict[OrderState, Any] = {
    OrderState.PLACED: MedicineOrder.placed_at,
    OrderState.ACCEPTED: MedicineOrder.accepted_at,
    OrderState.PACKED: MedicineOrder.packed_at,
    OrderState.SENT: MedicineOrder.sent_at,
}


@dataclass(frozen=True)
class OrderOverview:
    """An order in a list; the patient's name is masked.

    Attributes:
        since: since when it stands in its state. stuck: for longer than it should.
    """

    id: str
    number: str
    prescription_id: str
    pharmacy_id: str
    patient_name: str = field(repr=False)
    method: Method
    state: OrderState
    placed_at: datetime
    since: datetime
    stuck: bool


@dataclass(frozen=True)
class OrderPage:
    """A page of a list, and what the next one is asked with; empty at the end."""

    items: list[OrderOverview]
    next_cursor: str


class Overseeing(DispensingContext):
    """The part of `DispensingService` for those who oversee orders: the platform's, or those of their pharmacy."""

    async def stuck(self, actor: Actor, *, limit: int = 20, cursor: str = "") -> OrderPage:
        """List the orders that stand still, the latest placed first; audited as a list.

        Raises:
            Forbidden: the actor oversees none. InvalidInput: it is no cursor.
        """
        own = only_institution(actor, Action.PRESCRIPTION_OVERSEE)
        row, now = MedicineOrder, self._clock.now()
        query = select(row).where(_stuck(now)).order_by(row.placed_at.desc(), row.id.desc())
        if own is not None:
            query = query.where(row.pharmacy_id == own)
        if cursor:
            query = query.where(paging.older(cursor, row.placed_at, row.id))
        limit = min(max(limit, 1), paging.LONGEST)
        async with self._database.transaction() as session:
            rows, more = paging.cut(list(await session.scalars(query.limit(limit + 1))), limit)
            subject = f"medicine_orders:{len(rows)}"
            await self._audit.record(session, actor, Action.PRESCRIPTION_OVERSEE, subject=subject)
        items = await self._overviews(rows)
        return OrderPage(items, paging.cursor(rows[-1].placed_at, rows[-1].id) if more else "")

    async def overseen(self, actor: Actor, prescription_id: str) -> tuple[PrescriptionDossier, list[OrderOverview]]:
        """Give what happened to a prescription and how its orders went, the oldest first; the read is audited.

        Raises:
            Forbidden, NotFound: as `PrescriptionService.dossier`.
        """
        dossier = await self._prescriptions.dossier(actor, prescription_id)
        async with self._database.reading() as session:
            query = select(MedicineOrder).where(MedicineOrder.prescription_id == prescription_id)
            rows = (await session.scalars(query.order_by(MedicineOrder.id))).all()
        return dossier, await self._overviews(rows)

    async def _overviews(self, rows: Sequence[MedicineOrder]) -> list[OrderOverview]:
        names, now = await self._people.names({row.patient_id for row in rows}), self._clock.now()
        return [_overview(row, masked_name(names.get(row.patient_id, "")), now) for row in rows]


def _stuck(now: datetime) -> ColumnElement[bool]:
    row = MedicineOrder
    return or_(*(and_(row.state == state, _SINCE[state] < now - after) for state, after in STUCK_AFTER.items()))


def _overview(row: MedicineOrder, patient_name: str, now: datetime) -> OrderOverview:
    moments = (row.closed_at, row.sent_at, row.packed_at, row.accepted_at, row.placed_at)
    since = next(one for one in moments if one is not None)
    after = STUCK_AFTER.get(row.state)
    return OrderOverview(
        id=row.id,
        number=row.number,
        prescription_id=row.prescription_id,
        pharmacy_id=row.pharmacy_id,
        patient_name=patient_name,
        method=row.method,
        state=row.state,
        placed_at=row.placed_at,
        since=since,
        stuck=after is not None and since < now - after,
    )
