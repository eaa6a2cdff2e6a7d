"""What was handed out of a prescription, for whoever holds its paper."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from backend.dispensing.context import DispensingContext
from backend.dispensing.rules import Method
from backend.dispensing.tables import MedicineOrder


@dataclass(frozen=True)
class Handover:
    """That lines of a prescription were handed out.

    Args:
        at: when they were packed, which is dispensing (处方管理办法, articles 33 to 37). lines: their indices.
    """

    at: datetime
    pharmacy_name: str
    method: Method
    lines: tuple[int, ...]


class Handovers(DispensingContext):
    """The part of `DispensingService` that the verification page asks."""

    async def handed_out(self, code: str) -> tuple[Handover, ...]:
        """Give what was handed out of the prescription whose paper shows `code`, the earliest first: when, where, how,
        and nothing of who fetched it or where it was sent. The look itself is audited by `PrescriptionService.verify`.

        Raises:
            NotFound: no prescription has this code.
        """
        async with self._database.transaction() as session:
            prescription = await self._prescriptions.by_code(code)
            query = select(MedicineOrder).where(
                MedicineOrder.prescription_id == prescription.id, MedicineOrder.packed_at.is_not(None)
            )
            found = []
            for row in await session.scalars(query.order_by(MedicineOrder.packed_at, MedicineOrder.id)):
                lines = tuple(claim.line for claim in await self._claims(session, row.id))
                pharmacy = await self._people.institution(row.pharmacy_id)
                if row.packed_at is not None and lines:
                    found.append(Handover(row.packed_at, pharmacy.name, row.method, lines))
            return tuple(found)
