"""Signing, approving and printing in a process that kills itself at a named step: for the tests of crashes."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.prescription import PrescriptionPapers, PrescriptionService
from backend.print_queue import PrintQueue
from backend.security.policy import SYSTEM
from backend.signing import SigningService
from tests.support.clinic import build_clinic
from tests.support.dying import die_at
from tests.support.killable_imaging import RING
from tests.support.prescribing import build_pharmacy, papers_on

# Step → what is called then, and whether it dies before or after it.
SIGN_STEPS: dict[str, tuple[Any, str, bool]] = {
    "document made, not signed": (SigningService, "sign", True),
    "signed, not kept": (SigningService, "sign", False),
    "kept, not told": (PrescriptionService, "_publish", True),
    "told, not committed": (PrescriptionService, "_publish", False),
    "signature committed": (PrescriptionService, "sign", False),
}
APPROVE_STEPS: dict[str, tuple[Any, str, bool]] = {
    "taken, not countersigned": (PrescriptionService, "_countersign", True),
    "countersigned, not kept": (SigningService, "sign", False),
    "approval audited, not told": (PrescriptionService, "_publish", True),
    "approval told, not committed": (PrescriptionService, "_publish", False),
    "approval committed": (PrescriptionService, "approve", False),
}
PRINT_STEPS: dict[str, tuple[Any, str, bool]] = {
    "claimed": (PrintQueue, "_claim", False),
    "printed, not kept": (PrescriptionPapers, "_print", False),
    "kept": (PrescriptionPapers, "_keep", False),
}
STEPS = SIGN_STEPS | APPROVE_STEPS | PRINT_STEPS


async def main(_say: Callable[[object], None], url: str, folder: Path, step: str, prescription_id: str) -> None:
    """Do what the step belongs to, until killed at it."""
    owner, name, before = STEPS[step]
    die_at(owner, name, before=before)
    install_key_ring(RING)
    clinic = build_clinic(Database(url), Clock(), folder / "files")
    clinic.clock.advance(timedelta(hours=1))  # it began anew, and what was done before is to lie behind it
    pharmacy = build_pharmacy(clinic)
    view = await pharmacy.prescriptions.prescription(SYSTEM, prescription_id)
    if step in SIGN_STEPS:
        await pharmacy.prescriptions.sign(
            await _actor(clinic.people, view.prescriber_id), prescription_id, revision=view.revision
        )
    elif step in APPROVE_STEPS:
        (pharmacist,) = [one for one in await clinic.people.practitioners(limit=100) if one.title == "主管药师"]
        await pharmacy.prescriptions.approve(await _actor(clinic.people, pharmacist.id), prescription_id)
    else:
        await papers_on(pharmacy).queue.make_next()


async def _actor(people: Any, practitioner_id: str) -> Any:
    return await people.actor((await people.practitioner(practitioner_id)).person_id)
