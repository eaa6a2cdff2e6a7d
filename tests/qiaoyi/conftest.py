"""The front door in a folder of its own, with an environment that says nothing."""

import os
import shutil
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path

import pytest

from backend.db import install_key_ring
from backend.security.keyring import KeyRing
from qiaoyi.cli import main


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting comes from outside the test."""
    _say_nothing(monkeypatch)
    # Python 3.11's server of forks finds what it is to import in the folder in which it is started, or not at all.
    forkserver.ensure_running()
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def made_ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A data folder after `qiaoyi migrate` and one after `qiaoyi seed`, to be copied: quicker than each test's own."""
    migrated, seeded = (tmp_path_factory.mktemp(name) / "var" for name in ("migrated", "seeded"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        _say_nothing(monkeypatch)
        assert main(["--data", str(migrated), "migrate"]) == 0
        shutil.copytree(migrated, seeded)
        assert main(["--data", str(seeded), "seed"]) == 0
    return migrated, seeded


@pytest.fixture
def migrated(made_ready: tuple[Path, Path], tmp_path: Path, key_ring: KeyRing) -> Iterator[Path]:
    """The data folder `var`, with tables and nothing in them; the ring of the tests comes back afterwards."""
    yield Path(shutil.copytree(made_ready[0], tmp_path / "var"))
    install_key_ring(key_ring)


@pytest.fixture
def seeded(made_ready: tuple[Path, Path], tmp_path: Path, key_ring: KeyRing) -> Iterator[Path]:
    """The data folder `var`, with the people of the demonstration; the ring of the tests comes back afterwards."""
    yield Path(shutil.copytree(made_ready[1], tmp_path / "var"))
    install_key_ring(key_ring)


def _say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("QIAOYI_")]:
        monkeypatch.delenv(name)
