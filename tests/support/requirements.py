"""Programs that some tests need: a missing one is a visible skip, and with ``CI=true`` a failure."""

import os
import shutil

import pytest


def require_program(name: str) -> str:
    """The path of a program.

    Where it is not installed the test is skipped with the reason; with ``CI=true`` in the environment it fails, so that
    a check never goes missing unseen.
    """
    path = shutil.which(name)
    if path is not None:
        return path
    reason = f"the program {name!r} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
