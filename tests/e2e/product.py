"""The whole product as a newcomer starts it: `qiaoyi run` as a process, with a data folder of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sandbox.client import SandboxClient

REPOSITORY = Path(__file__).parents[2]
READY_SECONDS = 120.0
END_SECONDS = 60.0
COMMAND_SECONDS = 100.0


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether somebody answers on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def qiaoyi(*arguments: str, timeout: float = COMMAND_SECONDS) -> subprocess.CompletedProcess[str]:
    """Run one command of `qiaoyi` to its end, with a clean environment; its output is text."""
    return subprocess.run(
        _command(*arguments), cwd=REPOSITORY, env=_environment(), capture_output=True, text=True, timeout=timeout
    )


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "qiaoyi", *arguments]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QIAOYI_", "SANDBOX_"))}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


@dataclass
class Product:
    """`qiaoyi run` with its ports and data folder; may be started again on the same data after its end.

    Attributes:
        data: the data folder.
        port, sandbox_port: where the product and the local WeChat listen.
        said: the lines on standard output of the last start, up to `ready`.
    """

    data: Path
    port: int = field(default_factory=free_port)
    sandbox_port: int = field(default_factory=free_port)
    said: list[str] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None
    _sandbox: int = 0

    @property
    def sandbox_url(self) -> str:
        """Where the phones are."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def log_file(self) -> Path:
        """The standard error of every start, one after the other."""
        return self.data.with_name(self.data.name + ".log")

    def start(self) -> None:
        """Start it and wait for the line that begins with `ready`."""
        arguments = ("run", "--port", str(self.port), "--sandbox-port", str(self.sandbox_port))
        with self.log_file.open("a") as log:
            self._process = subprocess.Popen(
                _command(*arguments, "--data", str(self.data)),
                cwd=REPOSITORY, env=_environment(), stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        self.said = _lines_until_ready(self._process, self._process.stdout)
        assert self.said, "it said nothing"
        assert self.said[-1].startswith("ready"), f"not ready: {self.said}\n{self.log_file.read_text()}"
        self._sandbox = _sandbox_of(self._process.pid)

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal to the one process and give its exit status; nothing of it may be left.

        Raises:
            AssertionError: the sandbox's process outlived it, or a port is still held.
        """
        process, self._process = self._process, None
        assert process is not None, "it does not run"
        process.send_signal(by)
        try:
            process.communicate(timeout=END_SECONDS)
        finally:
            process.kill()
        assert not _is_alive(self._sandbox), "the sandbox is an orphan"
        assert not listens(self.port)
        assert not listens(self.sandbox_port)
        return process.returncode

    @contextlib.contextmanager
    def running(self, by: signal.Signals = signal.SIGTERM) -> Iterator["Product"]:
        """Keep it running while inside; at the end the signal ends it cleanly, or the test fails."""
        self.start()
        try:
            yield self
        finally:
            if self._process is not None:
                status = self.end(by)
        assert status == 0, self.log_file.read_text()

    async def phones(self) -> dict[str, str]:
        """Give the phones of the local WeChat: nickname by openid."""
        async with SandboxClient(self.sandbox_url) as sandbox:
            return {phone["openid"]: phone["nickname"] for phone in await sandbox.phones()}

    def demo(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Play the story of the demonstration on its phones."""
        return qiaoyi("demo", "--sandbox", self.sandbox_url, *arguments)


def _lines_until_ready(process: subprocess.Popen[str], output: IO[str]) -> list[str]:
    hurry = threading.Timer(READY_SECONDS, process.kill)
    hurry.start()
    lines: list[str] = []
    try:
        for line in output:
            lines.append(line.rstrip("\n"))
            if line.startswith("ready"):
                break
    finally:
        hurry.cancel()
    return lines


def _sandbox_of(pid: int) -> int:
    """The sandbox that `pid` started, by the parents that the kernel notes of every process (proc(5)); what else it
    started decodes pictures."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"sandbox" in (status.parent / "cmdline").read_bytes():
                found.append(int(status.parent.name))
    assert len(found) == 1, f"one sandbox was expected: {found}"
    return found[0]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
