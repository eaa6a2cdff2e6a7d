"""An Orthanc of one's own, as the expert's PACS or as what ours is compared with: STOW-RS with a password, and C-STORE.

This version listens on every address and cannot be told otherwise; it lets in what comes from loopback alone.
"""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.product import free_port

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_START_SECONDS = 60.0
_STEP_SECONDS = 0.05
AUTHORIZATION = "Basic " + base64.b64encode(b"qiaoyi:secret").decode()
AE_TITLE = "ORTHANC"


@dataclass
class Orthanc:
    """One that can be killed and started again on the same folder."""

    folder: Path
    syntaxes: tuple[str, ...] = ("1.2.840.10008.1.*",)
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
        async with asyncio.timeout(_START_SECONDS):
            while not await self._answers():  # noqa: ASYNC110  # another process has no event
                await asyncio.sleep(_STEP_SECONDS)

    def _launch(self, configuration: Path) -> None:
        # Debian keeps daemons where the path of an ordinary user does not look.
        program = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            raise FileNotFoundError("Orthanc is not installed")
        environment = os.environ | {"TCP_NODELAY": "1"}  # of dcmtk in it, else C-STORE stalls 40 ms a message
        with (self.folder / "orthanc.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - found
                [program, configuration], stdout=log, stderr=log, env=environment
            )

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError((self.folder / "orthanc.log").read_text(errors="replace")[-3000:])
        try:
            await self.read("/system")
            _, writer = await asyncio.open_connection("127.0.0.1", self.dicom_port)
            writer.close()
        except (aiohttp.ClientError, OSError):
            return False
        return True

    async def read(self, path: str) -> bytes:
        """Give what it answers at a path."""
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
async def running_orthanc() -> AsyncIterator[Orthanc]:
    """Run one while inside."""
    with tempfile.TemporaryDirectory(prefix="orthanc-") as folder:
        orthanc = Orthanc(Path(folder))
        try:
            await orthanc.start()
            yield orthanc
        finally:
            orthanc.kill()
