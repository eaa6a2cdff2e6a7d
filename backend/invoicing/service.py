"""Receipts: made with the first wish for one, sealed by the platform, kept, and the same ever after."""

from typing import Any

from sqlalchemy.exc import IntegrityError

from backend.charging import ChargeState, ChargeView, ChargingService
from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.errors import IllegalMove
from backend.invoice_page import print_sealed_invoice
from backend.invoicing.rules import GIVEN_BACK, document_of, number_of, page_of
from backend.invoicing.tables import InvoiceRow
from backend.pdf_seal import Seal, seal_holds
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, require
from backend.signing import SigningService
from backend.worker_processes import WorkerProcesses

_GIVEN_BACK = "这笔钱已经退给您了，没有发票。"
_NOT_YET = "会诊结束、结算好了才有发票。结算好了我会告诉您。"


class InvoicingService:
    """Gives receipts of settled charges. What is printed runs in a process of its own."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditLog,
        consultations: ConsultationService,
        signing: SigningService,
        charging: ChargingService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._consultations = consultations
        self._signing = signing
        self._charging = charging
        self._printer = WorkerProcesses(1, niceness=5)

    def close(self) -> None:
        """End the process that prints."""
        self._printer.close()

    async def pdf(self, actor: Actor, charge_id: str) -> bytes:
        """Give the receipt of a charge to its patient or who speaks for them; the read is audited.

        Where the money was given back it is printed as void.

        Raises:
            NotFound: no such charge. Forbidden: the policy refuses. IllegalMove: it is not settled yet.
        """
        charge = await self._charging.view(actor, charge_id)
        require(actor, Action.INVOICE_READ, patient_id=charge.patient_id)
        async with self._database.transaction() as session:
            await self._audit.record(
                session, actor, Action.INVOICE_READ, patient_id=charge.patient_id, subject=f"charge:{charge_id}"
            )
        row = await self._issued(charge)
        if charge.state in GIVEN_BACK:
            return await self._print(row.document, void=True)
        return row.pdf

    async def genuine(self, pdf: bytes) -> bool:
        """Tell whether a file is a paper of ours, with every byte as it was sealed."""
        return await self._printer.run(seal_holds, pdf, await self._signing.roots_der())

    async def _issued(self, charge: ChargeView) -> InvoiceRow:
        """Give the receipt that was issued, issuing it where none was."""
        async with self._database.reading() as session:
            row = await session.get(InvoiceRow, charge.id)
        if row is not None:
            return row
        if charge.state is not ChargeState.SETTLED:  # what the insurer settled may still wait for a person
            raise IllegalMove(_GIVEN_BACK if charge.state in GIVEN_BACK else _NOT_YET)
        case = await self._consultations.get(SYSTEM, charge.consultation_id)
        now = self._clock.now()
        document = document_of(charge, case, now)
        row = InvoiceRow(
            charge_id=charge.id,
            number=number_of(charge),
            issued_at=now,
            document=document,
            pdf=await self._print(document, void=False),
        )
        try:
            async with self._database.transaction() as session, session.begin_nested():
                session.add(row)
        except IntegrityError:  # somebody else was first: theirs is the one that was given out
            async with self._database.reading() as session:
                return await session.get_one(InvoiceRow, charge.id)
        return row

    async def _print(self, document: dict[str, Any], *, void: bool) -> bytes:
        sealing = await self._signing.sealing()
        seal = Seal(sealing.certificate, sealing.key, sealing.root)
        at = self._clock.now().replace(microsecond=0)
        return await self._printer.run(print_sealed_invoice, page_of(document, void=void), seal, at)
