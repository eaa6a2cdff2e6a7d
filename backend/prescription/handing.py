"""What dispensing tells a prescription: that it is being prepared, that it is not after all, that it was handed out.

Called by `backend.dispensing`, which asks the policy and audits, in its own transaction.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import key_ring
from backend.errors import NotFound
from backend.prescription.context import EXPIRY_TIMER, PrescriptionContext, pickup_index
from backend.prescription.rules import State, Step, after
from backend.prescription.tables import Prescription
from backend.prescription.views import PrescriptionView
from backend.security.policy import SYSTEM

_NO_SUCH_CODE = "没有查到这张处方，请核对纸上的二维码。"


class Handing(PrescriptionContext):
    """The part of `PrescriptionService` that dispensing calls."""

    async def by_code(self, code: str) -> PrescriptionView:
        """Give the approved prescription whose paper shows `code`. Raises NotFound where none does."""
        async with self._database.transaction() as session:
            return await self._view(session, await self._coded(session, code))

    async def by_pickup_number(self, number: str) -> PrescriptionView:
        """Give the approved prescription that is called by these eight digits. Raises NotFound where none is."""
        async with self._database.transaction() as session:
            row = await session.scalar(select(Prescription).where(Prescription.pickup_index == pickup_index(number)))
            if row is None:
                raise NotFound("没有这个取药码，请再核对一遍数字。")
            return await self._view(session, row)

    async def _coded(self, session: AsyncSession, code: str) -> Prescription:
        index = key_ring().blind_index(code, "prescriptions.code")
        row = await session.scalar(select(Prescription).where(Prescription.code_index == index))
        if row is None:
            raise NotFound(_NO_SUCH_CODE)
        return row

    async def hold(self, session: AsyncSession, prescription_id: str) -> None:
        """Let a prescription not expire while a pharmacy prepares it: it was presented in time."""
        await self._timers.cancel(session, EXPIRY_TIMER, prescription_id)

    async def let_go(self, session: AsyncSession, prescription_id: str) -> None:
        """Let a prescription that no pharmacy prepares any more expire when its time is up."""
        row = await session.get_one(Prescription, prescription_id)
        if row.state is State.VALID and row.valid_until is not None:
            await self._timers.set(session, EXPIRY_TIMER, row.id, row.valid_until, prescription_id=row.id)

    async def hand_out(self, session: AsyncSession, prescription_id: str, *, whole: bool) -> None:
        """Note that the whole of a prescription, or a part of it, was dispensed.

        Raises:
            IllegalMove: it cannot be dispensed any more: it was used, revoked, or has expired.
        """
        row = await session.get_one(Prescription, prescription_id, with_for_update=True, populate_existing=True)
        step = Step.DISPENSE if whole else Step.DISPENSE_PART
        row.state = after(row.state, step)
        await self._timers.cancel(session, EXPIRY_TIMER, row.id)
        await self._consultations.note(SYSTEM, row.consultation_id, "prescription", f"处方{row.state.label}")
