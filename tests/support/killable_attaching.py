"""A picture that becomes part of a case, in a process that kills itself at a named step: for the tests of crashes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.clock import Clock
from backend.consultation.service import ConsultationService
from backend.db import Database, install_key_ring
from backend.files import FileStore
from backend.security.keyring import open_key_file
from tests.support.dying import die_at
from tests.support.house import wire

# Step → what is called then, and whether it dies before or after it.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "nothing yet": (FileStore, "into_record", True),
    "bytes not written": (FileStore, "_write", True),
    "bytes under the ring, not committed": (FileStore, "into_record", False),
    "everything but the commit": (ConsultationService, "_publish", False),
    "committed": (ConsultationService, "attach", False),
}


async def main(
    _say: Callable[[object], None], url: str, folder: Path, person_id: str, case_id: str, file_id: str, step: str
) -> None:
    """Attach the picture, until killed at `step`."""
    install_key_ring(open_key_file(folder / "keys.json"))
    house = wire(Database(url), Clock(), folder / "files")
    owner, name, before = STEPS[step]
    die_at(owner, name, before=before)
    await house.services.consultations.attach(await house.actor(person_id), case_id, file_id)
