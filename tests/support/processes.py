"""The product as processes of its own, started by its command, for tests of what only processes show."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a product with these settings and no others."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("QIAOYI_")}
    return outer | {"PYTHONPATH": str(_ROOT)} | {f"QIAOYI_{name}": value for name, value in settings.items()}


async def qiaoyi(folder: Path, settings: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """Run a command to its end in `folder`; give its exit status, its output and its errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "qiaoyi", *arguments, cwd=folder, env=environment(settings),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        output, errors = await asyncio.wait_for(process.communicate(), _START_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@asynccontextmanager
async def serving(folder: Path, settings: Mapping[str, str], *arguments: str) -> AsyncIterator[Process]:
    """Run `qiaoyi serve` while inside; it must say that it is ready, and must end cleanly at SIGTERM.

    Gives the process, which the test may kill (SIGKILL) itself.
    """
    log = folder / f"serve-{settings.get('PORT', '')}-{'-'.join(arguments)}.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "qiaoyi", "serve", *arguments, cwd=folder, env=environment(settings),
            stdout=asyncio.subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
        assert line.startswith(b"ready"), log.read_text()[-3000:]  # the end of a failed test
        yield process
    finally:
        killed = process.returncode == -signal.SIGKILL
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.communicate(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
    assert killed or process.returncode == 0, log.read_text()[-3000:]
