"""Imaging as a process of its own that kills itself at a named step: for the tests of crashes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from backend.db import install_key_ring
from backend.imaging import ImagingService, SealedObjects, objects
from backend.imaging.scp import ScpSettings, StoreScp
from backend.lossless import FrameCodec, Method
from backend.security.keyring import KeyRing
from tests.support.clinic import build_clinic_again
from tests.support.dying import Forked, die_at
from tests.support.imaging import folder_store, imaging_on

RING = KeyRing({1: bytes(range(32))}, bytes(range(32, 64)))

# Step → what is called then, and whether it dies before or after it.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "object half written": (objects, "_finish", True),
    "object stored": (SealedObjects, "put_whole", False),
    "rows written, not committed": (ImagingService, "_add", False),
    "committed, not answered": (ImagingService, "_transact", False),
    "compressed object stored": (ImagingService, "_is_same", False),
    "compressed object in its place": (ImagingService, "_replace", False),
}
UPLOAD_STEPS: dict[str, tuple[Any, str, bool]] = {
    "upload claimed, not read": (ImagingService, "_claim_upload", False),
    "files stored, not written down": (ImagingService, "_write_down_stretch", True),
    "files written down": (ImagingService, "_write_down_stretch", False),
    "pieces removed, not committed": (ImagingService, "_remove_pieces", False),
}
FORWARDING_STEPS: dict[str, tuple[Any, str, bool]] = {
    "batch claimed, not sent": (ImagingService, "_claim_batch", False),
    "batch sent, not written down": (ImagingService, "_settle", True),
    "batch written down": (ImagingService, "_settle", False),
}


@asynccontextmanager
async def serving(url: str, folder: Path, step: str = "", times: int = 1) -> AsyncIterator[tuple[int, Forked]]:
    """Let a process serve C-STORE, compress and forward, until killed at `step`; give its port and it."""
    process = Forked(main, url, folder, step, times)
    try:
        yield await process.said(), process
    finally:
        process.kill()
        await process.end()


async def main(say: Callable[[int], None], url: str, folder: Path, step: str, times: int) -> None:
    """Serve C-STORE, compress, forward and read uploads, until killed; say the port."""
    if step:
        owner, name, before = (STEPS | FORWARDING_STEPS | UPLOAD_STEPS)[step]
        die_at(owner, name, before=before, times=times)
    install_key_ring(RING)
    clinic = build_clinic_again(url, folder)
    imaging = imaging_on(clinic, folder_store(folder))
    scp = StoreScp(imaging, ScpSettings(port=0))
    scp.start()
    say(scp.port)
    await asyncio.gather(
        imaging.keep_compressing(FrameCodec(Method.JPEG_LS)), imaging.keep_forwarding(), imaging.keep_unpacking()
    )
