"""`qiaoyi run`: the product and a local WeChat in one command, for a newcomer and for demonstrations."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_READY_SECONDS = 30
_END_SECONDS = 10


class StartError(Exception):
    """Something that the product needs did not start; its text is one line for the person at the terminal."""


@asynccontextmanager
async def running_sandbox(port: int, callback_url: str, data: Path, pages: Path) -> AsyncIterator[None]:
    """Run the sandbox as a process of its own while inside; it is ended with the block.

    Raises:
        StartError: it ended, or said nothing, before it was ready.
    """
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--callback-url", callback_url]
    command += ["--state", str(data / "sandbox.json"), "--web", str(pages)]
    # A session of its own: Ctrl-C reaches this process alone, which ends the sandbox after the product.
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, start_new_session=True)
    try:
        await _wait_until_ready(process, port)
        drain = asyncio.create_task(_drain(process))
        try:
            yield
        finally:
            drain.cancel()
    finally:
        await _end(process)


async def _wait_until_ready(process: asyncio.subprocess.Process, port: int) -> None:
    assert process.stdout is not None  # noqa: S101  # it was started with a pipe
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_READY_SECONDS):
            async for line in process.stdout:
                if line.startswith(b"ready"):
                    return
    raise StartError(f"the local WeChat did not start on port {port}; is the port taken?")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None  # noqa: S101  # as above
    async for _line in process.stdout:
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
