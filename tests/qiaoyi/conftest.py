"""The front door in a folder of its own, with an environment that says nothing."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting comes from outside the test."""
    for name in [name for name in os.environ if name.startswith("QIAOYI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
