"""Programs that a test needs from the machine: missing ones are a visible skip, under CI a failure."""

import os
import shutil
from pathlib import Path

import pytest

# Debian keeps daemons where the path of an ordinary user does not look.
_FOLDERS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])


def require_program(name: str, *candidates: str) -> Path:
    """Give the path of the program `name`, which may also be called as one of `candidates`.

    Without it the test is skipped with the reason; where the environment says CI=true it fails.
    """
    for candidate in (name, *candidates):
        found = shutil.which(candidate, path=_FOLDERS)
        if found:
            return Path(found)
    reason = f"{name} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
