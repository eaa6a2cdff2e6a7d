"""A MariaDB of the tests' own: fresh data folder, loopback alone, gone when the session ends."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.requirements import require_program

_USER = "qiaoyi_tests"
_START_SECONDS = 90.0
_STOP_SECONDS = 30.0


@contextmanager
def mariadb_server(folder: Path) -> Iterator[str]:
    """Run a server in `folder` (a short path) and give its address, `mysql+asyncmy://…` without a database."""
    daemon = require_program("mariadbd", "mysqld")
    install = require_program("mariadb-install-db", "mysql_install_db")
    data = folder / "data"
    subprocess.run(
        [install, "--no-defaults", f"--datadir={data}", "--skip-test-db", *_as_root()],
        check=True,
        capture_output=True,
        timeout=_START_SECONDS,
    )
    port = _free_port()
    first = folder / "first.sql"
    # One statement a line.
    first.write_text(
        f"CREATE USER '{_USER}'@'127.0.0.1' IDENTIFIED BY '{_USER}';\nGRANT ALL ON *.* TO '{_USER}'@'127.0.0.1';\n"
    )
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [daemon, *_options(data, folder / "server.sock", port, first), *_as_root()], stdout=output, stderr=output
        )
    try:
        _wait_until_ready(server, port, log)
        yield f"mysql+asyncmy://{_USER}:{_USER}@127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _options(data: Path, unix_socket: Path, port: int, first: Path) -> list[str]:
    return [
        "--no-defaults",
        f"--datadir={data}",
        f"--socket={unix_socket}",
        f"--port={port}",
        f"--init-file={first}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--skip-log-bin",
        # Durability is not what these tests look at; speed is.
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-flush-method=nosync",
        "--innodb-doublewrite=0",
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=32M",
        "--performance-schema=0",
        "--max-connections=200",
    ]


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    # The server tells nobody when it is ready; it greets whoever connects after its init file has run.
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            if probe.recv(1):
                return
        time.sleep(0.05)
    raise RuntimeError(f"MariaDB did not start: {log.read_text(errors='replace')[-2000:]}")
