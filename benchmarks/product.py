"""The product under measurement: its own process on a database of its own, spoken to by a WeChat in this one."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from backend import migrations
from qiaoyi.local import local_settings
from qiaoyi.settings import load
from sandbox.app import serving
from sandbox.settings import Settings
from sandbox.world import World

_START_SECONDS = 60


@dataclass(frozen=True)
class Product:
    """A running product.

    Attributes:
        world: the WeChat that it talks with, in this process.
        url: where it serves, without a slash at the end.
        process_id: of the product.
        started_in: seconds from the start of the process to its `ready`.
    """

    world: World
    data: Path
    url: str
    process_id: int
    started_in: float

    def cpu_seconds(self) -> float:
        """Give the processor time that the product has used so far (user and system)."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_megabytes(self) -> float:
        """Give the memory that the product holds."""
        pages = int(Path(f"/proc/{self.process_id}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def peak_megabytes(self) -> float:
        """Give the most memory that the product has held (its main process)."""
        status = Path(f"/proc/{self.process_id}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


@asynccontextmanager
async def running_product(data: Path) -> AsyncIterator[Product]:
    """Run `qiaoyi serve` on the folder `data`, migrated, with the local account."""
    port = free_port()
    callback = f"http://127.0.0.1:{port}/wechat/callback"
    async with serving(Settings(port=0, callback_url=callback)) as world:
        sandbox_port = int(world.account.public_url.rpartition(":")[2])
        settings = local_settings(load(data=data, port=port), sandbox_port)
        await migrations.upgrade(settings.database)
        assert settings.wechat is not None  # noqa: S101  # the local account was just put there
        wechat = settings.wechat
        environment = os.environ | {
            "QIAOYI_DATA": str(data),
            "QIAOYI_PORT": str(port),
            "QIAOYI_LOG_LEVEL": "ERROR",
            "QIAOYI_WECHAT__APP_ID": wechat.app_id,
            "QIAOYI_WECHAT__APP_SECRET": wechat.app_secret,
            "QIAOYI_WECHAT__TOKEN": wechat.token,
            "QIAOYI_WECHAT__AES_KEY": wechat.aes_key,
            "QIAOYI_WECHAT__API_URL": wechat.api_url,
        }
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "qiaoyi", "serve", env=environment, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None  # noqa: S101  # it was started with a pipe
            async with asyncio.timeout(_START_SECONDS):
                line = await process.stdout.readline()
            if not line.startswith(b"ready"):
                raise RuntimeError("the product did not start")
            yield Product(world, data, settings.public, process.pid, time.perf_counter() - began)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()


def free_port() -> int:
    """Give a port of loopback that nothing listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
