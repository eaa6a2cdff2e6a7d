"""The issuing of reports as a process of its own that kills itself at a named step: for the tests of crashes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.db import install_key_ring
from backend.imaging import ImagingService, SealedObjects
from backend.print_queue import PrintQueue
from backend.reporting import ReportDocuments
from tests.support.clinic import build_clinic_again
from tests.support.dying import die_at
from tests.support.imaging import documents_on, folder_store, imaging_on, reports_on
from tests.support.killable_imaging import RING

# Step → what is called then, whether it dies before or after it, and at which call.
STEPS: dict[str, tuple[Any, str, bool, int]] = {
    "signing heard of, not committed": (ReportDocuments, "_on_signed", False, 1),
    "claimed": (PrintQueue, "_claim", False, 1),
    "structured report stored, not committed": (SealedObjects, "put_whole", False, 1),
    "structured report filed": (ImagingService, "file_document", False, 1),
    "printed, not filed": (ReportDocuments, "_print", False, 1),
    "pdf stored, not committed": (SealedObjects, "put_whole", False, 2),
    "pdf filed": (ImagingService, "file_document", False, 2),
    "key images filed": (ImagingService, "file_document", False, 3),
    "everything written down": (ReportDocuments, "_write_down", False, 1),
}


async def main(_say: Callable[[object], None], url: str, folder: Path, step: str) -> None:
    """Hand on events and issue, until killed at `step`."""
    owner, name, before, times = STEPS[step]
    die_at(owner, name, before=before, times=times)
    install_key_ring(RING)
    clinic = build_clinic_again(url, folder)
    imaging = imaging_on(clinic, folder_store(folder))
    documents = documents_on(clinic, imaging, reports_on(clinic, imaging))
    await asyncio.gather(clinic.events.run(), documents.queue.keep_making())
