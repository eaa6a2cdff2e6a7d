"""The Orthanc of the benchmarks as the expert's PACS of tests: what it holds, and a skip where it is not installed."""

import asyncio
import io
import json
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import FileDataset

from benchmarks import orthanc as program
from benchmarks.orthanc import AE_TITLE, AUTHORIZATION
from tests.support.requirements import require_program

__all__ = ["AE_TITLE", "AUTHORIZATION", "Orthanc", "running_orthanc"]


class Orthanc(program.Orthanc):
    """One that can be asked what it holds."""

    async def uids(self) -> list[str]:
        """The SOP Instance UIDs that it holds, sorted; one that it held twice would be there twice."""
        found = await self._get("/instances?expand")
        return sorted(one["MainDicomTags"]["SOPInstanceUID"] for one in found)

    async def instances(self) -> list[FileDataset]:
        """Every instance that it holds, as it gives them out."""
        ids = await self._get("/instances")
        files = await asyncio.gather(*(self.read(f"/instances/{one}/file") for one in ids))
        return [pydicom.dcmread(io.BytesIO(file)) for file in files]

    async def pixels(self) -> dict[str, bytes]:
        """The decoded pixels of every instance by its SOP Instance UID."""
        return {one.SOPInstanceUID: one.pixel_array.tobytes() for one in await self.instances()}

    async def preview(self) -> bytes:
        """The one instance that it holds as its own pages show it: a PNG file."""
        [one] = await self._get("/instances")
        return await self.read(f"/instances/{one}/preview")

    async def _get(self, path: str) -> Any:
        return json.loads(await self.read(path))


@asynccontextmanager
async def running_orthanc(syntaxes: Iterable[str] = ("1.2.840.10008.1.*",)) -> AsyncIterator[Orthanc]:
    """Run one while inside; `syntaxes` are the transfer syntaxes that it takes by C-STORE."""
    require_program("Orthanc")
    with tempfile.TemporaryDirectory(prefix="orthanc-") as folder:
        orthanc = Orthanc(Path(folder), tuple(syntaxes))
        try:
            await orthanc.start()
            yield orthanc
        finally:
            orthanc.kill()
