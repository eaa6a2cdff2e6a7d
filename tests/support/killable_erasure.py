"""An erasure as a process of its own that kills itself at a named step: for the tests of crashes."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.rights.destroying import Destroying
from backend.rights.erasures import Erasures
from backend.security import personkeys
from backend.security.keyring import open_key_file
from tests.support.dying import die_at
from tests.support.house import wire

# Step → what is called then, and whether it dies before or after it.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "own rows gone, contact details not": (Destroying, "rows", False),
    "everything gone, not committed": (Erasures, "_erase", False),
    "committed, the key is there": (Erasures, "_on_key", True),
    "the key is gone, nobody noted it": (personkeys, "_sync_folder", True),
    "noted, not committed": (Erasures, "_wait", False),
}


async def main(_say: Callable[[object], None], url: str, folder: Path, ahead: timedelta, step: str) -> None:
    """Fire what is due, until killed at `step`."""
    owner, name, before = STEPS[step]
    die_at(owner, name, before=before)
    install_key_ring(open_key_file(folder / "keys.json"))
    house = wire(Database(url), Clock(ahead), folder / "files")
    while True:
        await house.settle()
