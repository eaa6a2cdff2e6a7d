"""The papers of approved prescriptions: made once each, sealed by the platform, kept encrypted, and checked.

A row waits for every approval (`PrescriptionPaper`) from its own transaction on. Whoever claims it prints in a process
of its own; killed anywhere, it is done again. What is made first stays: a seal differs each time it is put.
"""

from backend.clock import Clock
from backend.db import Database
from backend.errors import NotFound
from backend.events import Event, EventBus
from backend.pdf_seal import Seal, seal_holds
from backend.prescription.context import NO_SUCH_PRESCRIPTION
from backend.prescription.paper import page_of
from backend.prescription.service import PrescriptionService
from backend.prescription.tables import PrescriptionPaper
from backend.prescription_page import print_sealed
from backend.print_queue import PrintQueue
from backend.security.policy import SYSTEM, Actor
from backend.signing import SigningService

CONSUMER = "prescription_papers"


class PrescriptionPapers:
    """Makes, keeps and gives the papers of approved prescriptions.

    Args:
        public_url: how browsers reach the product; the QR code on paper leads there.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        prescriptions: PrescriptionService,
        signing: SigningService,
        public_url: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._prescriptions = prescriptions
        self._signing = signing
        self._public_url = public_url
        self.queue = PrintQueue(database, clock, PrescriptionPaper.prescription_id, self._make)
        events.subscribe(CONSUMER, ["prescription.approved"], self._on_approved)

    async def pdf(self, actor: Actor, prescription_id: str) -> bytes:
        """Give an approved prescription as it is printed, to those who may read it; the read is audited.

        In the moment before it was printed it is printed for the reader, and kept.

        Raises:
            NotFound: there is no such prescription, or it is not approved. Forbidden: the policy refuses.
        """
        view = await self._prescriptions.prescription(actor, prescription_id)
        if view.approved_at is None:
            raise NotFound(NO_SUCH_PRESCRIPTION)
        async with self._database.reading() as session:
            row = await session.get_one(PrescriptionPaper, prescription_id)
        if row.pdf is not None:
            return row.pdf
        return await self._make(prescription_id)

    async def genuine(self, pdf: bytes) -> bool:
        """Tell whether a file is a paper of ours, with every byte as it was sealed."""
        roots = await self._signing.roots_der()
        return await self.queue.printer.run(seal_holds, pdf, roots)

    async def _on_approved(self, event: Event) -> None:
        self.queue.wake()

    async def _make(self, prescription_id: str) -> bytes:
        return await self._keep(prescription_id, await self._print(prescription_id))

    async def _print(self, prescription_id: str) -> bytes:
        view = await self._prescriptions.prescription(SYSTEM, prescription_id)
        approval = await self._prescriptions.approval(prescription_id)
        address = f"{self._public_url}/verify/{view.code}"
        page = page_of(view.document, approval, address, view.pickup_number or "")
        sealing = await self._signing.sealing()
        seal = Seal(sealing.certificate, sealing.key, sealing.root)
        return await self.queue.printer.run(print_sealed, page, seal, self._clock.now().replace(microsecond=0))

    async def _keep(self, prescription_id: str, pdf: bytes) -> bytes:
        """Keep a paper, unless another one was first; give the one that is kept."""
        async with self._database.transaction() as session:
            row = await session.get_one(
                PrescriptionPaper, prescription_id, with_for_update=True, populate_existing=True
            )
            if row.pdf is None:
                row.pdf, row.due_at = pdf, None
            return row.pdf
