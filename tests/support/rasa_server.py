"""The real Rasa server for tests: `deploy/check.sh` has started one, or `deploy/rasa.sh` does so here."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import free_port

_ROOT = Path(__file__).parents[2]
_SCRIPT = [str(_ROOT / "deploy" / "rasa.sh"), str(Path(sys.executable).parent)]
_START_SECONDS = 800.0
"""From nothing: downloading, training, starting. A machine that has all of it needs one minute."""
_RUNNING_SECONDS = 400.0
"""For one that has been told to start already."""


@pytest.fixture(scope="session")
def rasa_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running Rasa server with our model.

    Where none runs and none is installed the test is skipped with the reason; where the environment says CI=true one is
    installed, trained and started.
    """
    running = os.environ.get("RASA_TEST_URL")
    if running:
        try:
            _wait_for(running, None, _RUNNING_SECONDS)
        except _NotStartedError:
            told = Path(os.environ.get("RASA_TEST_LOG", os.devnull)).read_text(errors="replace")
            pytest.fail(f"no Rasa server answers at {running}\n{told[-3000:]}", pytrace=False)
        yield running
        return
    if os.environ.get("CI") != "true" and subprocess.run([*_SCRIPT, "made"], capture_output=True).returncode:
        pytest.skip("Rasa is not installed and trained for these examples: `make rasa` does it")
    port = free_port()
    log = tmp_path_factory.mktemp("rasa") / "rasa.log"
    with log.open("wb") as output:
        command = [*_SCRIPT, "serve", str(port)]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        _wait_for(f"http://127.0.0.1:{port}", process, _START_SECONDS)
        yield f"http://127.0.0.1:{port}"
    except _NotStartedError:
        pytest.fail(f"Rasa did not start:\n{log.read_text(errors='replace')[-3000:]}", pytrace=False)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


class _NotStartedError(Exception):
    pass


def _wait_for(url: str, process: subprocess.Popen[bytes] | None, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{url}/status", timeout=5):  # noqa: S310  # loopback
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > end or (process is not None and process.poll() is not None):
                raise _NotStartedError(url) from None
            time.sleep(0.2)  # another process: nothing tells when it is there
