"""What every test may use; the fixtures themselves live in tests/support."""

import multiprocessing

import hypothesis
import pytest

# No example fails because the machine is busy.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# Processes of the tests are forked from one that has imported what they need, where each would take seconds to begin.
multiprocessing.set_forkserver_preload(
    [
        "backend.rendering",
        "backend.research.table",
        "tests.support.killable",
        "tests.support.killable_erasure",
        "tests.support.killable_imaging",
        "tests.support.killable_prescriptions",
        "tests.support.killable_reports",
        "tests.support.killable_writeback",
    ]
)

pytest_plugins = [
    "tests.support.counted",
    "tests.support.databases",
    "tests.support.engines",
    "tests.support.redis_server",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sqlite-only", action="store_true", help="leave out the tests that need MariaDB")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mariadb: runs on a MariaDB that the tests start themselves")
    config.addinivalue_line("markers", "rasa: runs against the real Rasa server")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--sqlite-only"):
        skip = pytest.mark.skip(reason="--sqlite-only")
        for item in items:
            if item.get_closest_marker("mariadb"):
                item.add_marker(skip)
