"""An Orthanc of the tests' own, as the expert's PACS: STOW-RS with a password, and C-STORE.

This version listens on every address and cannot be told otherwise; it lets in what comes from loopback alone.
"""

import asyncio
import base64
import io
import json
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pydicom
from pydicom.dataset import FileDataset

from tests.support.processes import free_port
from tests.support.requirements import require_program
from tests.support.waiting import eventually

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_START_SECONDS = 60.0
AUTHORIZATION = "Basic " + base64.b64encode(b"qiaoyi:secret").decode()
AE_TITLE = "ORTHANC"


@dataclass
class Orthanc:
    """One that can be killed and started again on the same folder."""

    folder: Path
    syntaxes: tuple[str, ...]
    http_port: int = field(default_factory=free_port)
    dicom_port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of its DICOMweb service."""
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        configuration = self.folder / "orthanc.json"
        configuration.write_text(json.dumps(self._configuration()))
        self._launch(configuration)
        await eventually(self._answers, _START_SECONDS)

    def _launch(self, configuration: Path) -> None:
        command = [require_program("Orthanc"), configuration]
        environment = os.environ | {"TCP_NODELAY": "1"}  # of dcmtk in it, else C-STORE stalls 40 ms a message
        with (self.folder / "orthanc.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def uids(self) -> list[str]:
        """The SOP Instance UIDs that it holds, sorted; one that it held twice would be there twice."""
        found = await self._get("/instances?expand")
        return sorted(one["MainDicomTags"]["SOPInstanceUID"] for one in found)

    async def instances(self) -> list[FileDataset]:
        """Every instance that it holds, as it gives them out."""
        ids = await self._get("/instances")
        files = await asyncio.gather(*(self._read(f"/instances/{one}/file") for one in ids))
        return [pydicom.dcmread(io.BytesIO(file)) for file in files]

    async def pixels(self) -> dict[str, bytes]:
        """The decoded pixels of every instance by its SOP Instance UID."""
        return {one.SOPInstanceUID: one.pixel_array.tobytes() for one in await self.instances()}

    async def preview(self) -> bytes:
        """The one instance that it holds as its own pages show it: a PNG file."""
        [one] = await self._get("/instances")
        return await self._read(f"/instances/{one}/preview")

    async def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "orthanc.log").read_text(errors="replace")[-3000:]
        try:
            await self._get("/system")
            _, writer = await asyncio.open_connection("127.0.0.1", self.dicom_port)
            writer.close()
        except (aiohttp.ClientError, OSError):
            return False
        return True

    async def _get(self, path: str) -> Any:
        return json.loads(await self._read(path))

    async def _read(self, path: str) -> bytes:
        headers = {"Authorization": AUTHORIZATION}
        url = f"http://127.0.0.1:{self.http_port}{path}"
        async with aiohttp.ClientSession(headers=headers) as http, http.get(url, raise_for_status=True) as response:
            return await response.read()

    def _configuration(self) -> dict[str, Any]:
        return {
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "Plugins": [str(_PLUGIN)],
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {"qiaoyi": "secret"},
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "DicomAet": AE_TITLE,
            "DicomCheckCalledAet": True,
            "DicomModalities": {"qiaoyi": ["QIAOYI", "127.0.0.1", 104]},
            "DicomAlwaysAllowStore": False,
            "DicomCheckModalityHost": True,
            "AcceptedTransferSyntaxes": list(self.syntaxes),
            "HttpThreadsCount": 8,
            "OverwriteInstances": False,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }


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
