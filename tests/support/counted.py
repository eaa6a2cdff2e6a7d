"""What tests have counted is printed at the end of the run, also where they ran in other processes."""

from collections.abc import Callable
from typing import Any

import pytest

_SAID = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SAID] = []


@pytest.fixture(scope="session")
def counted(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Say something for the end of the run."""
    return pytestconfig.stash[_SAID].append


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:  # a process of pytest-xdist
        output["counted"] = session.config.stash[_SAID]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[_SAID].extend(getattr(node, "workeroutput", {}).get("counted", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[_SAID]:
        terminalreporter.section("counted")
        for text in config.stash[_SAID]:
            terminalreporter.write_line(text)
