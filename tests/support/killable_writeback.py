"""Writing back as a process of its own that kills itself at a named step: for the tests of crashes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.db import install_key_ring
from backend.records.hospital.client import HospitalClient
from backend.records.hospital.writeback import WriteBack
from backend.records.hospital.writing_queue import WriteQueue
from tests.support.clinic import build_clinic_again
from tests.support.dying import die_at
from tests.support.imaging import folder_store, imaging_on
from tests.support.killable_imaging import RING
from tests.support.writeback import hospitals_on, write_back_on

# Step → what is called then, and whether it dies before or after it.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "news heard of, not committed": (WriteBack, "_on_news", False),
    "claimed, not sent": (WriteQueue, "claim", False),
    "ready, not sent": (HospitalClient, "transaction", True),
    "sent, not written down": (HospitalClient, "transaction", False),
    "written down, not settled": (WriteQueue, "note", False),
    "settled": (WriteQueue, "settle", False),
}


async def main(_say: Callable[[object], None], url: str, folder: Path, step: str) -> None:
    """Hand on events and write back, until killed at `step`."""
    owner, name, before = STEPS[step]
    die_at(owner, name, before=before)
    install_key_ring(RING)
    clinic = build_clinic_again(url, folder)
    imaging = imaging_on(clinic, folder_store(folder))
    write_back = write_back_on(clinic, imaging, hospitals_on(clinic))
    await asyncio.gather(clinic.events.run(), write_back.keep_writing())
