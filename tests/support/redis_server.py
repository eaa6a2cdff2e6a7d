"""A Redis for tests, on a socket of its own."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotYet

from tests.support.requirements import require_program

_START_SECONDS = 10.0


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a running Redis; skipped (under CI failed) where none is installed."""
    program = require_program("redis-server", "valkey-server")
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        socket = Path(folder) / "redis.sock"
        command = [str(program), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_for(socket)
            yield f"unix://{socket}"
        finally:
            process.terminate()
            process.wait(_START_SECONDS)


def _wait_for(socket: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    with Redis(unix_socket_path=str(socket)) as client:
        while True:
            try:
                client.ping()
            except NotYet:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
            else:
                return
