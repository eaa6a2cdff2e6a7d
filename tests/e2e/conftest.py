"""A running product for the tests that only play on it; tests that end, break or restart one start their own."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.product import Product
from tests.web.conftest import pages_folder

__all__ = ["pages_folder", "played", "product"]

if not sys.platform.startswith("linux"):
    pytest.skip("processes are looked at through Linux's /proc", allow_module_level=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give these more time than a test of one room.

    They carry no xdist group: pytest-xdist 3.8 writes it to a field that pytest 9.2 no longer reads.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The running product, one a test process; at the end SIGTERM ends it, and it must leave nothing behind."""
    with Product(tmp_path_factory.mktemp("product") / "data").running() as running:
        yield running


@pytest.fixture(scope="session")
def played(product: Product) -> dict[str, Any]:
    """The story as it was played on the running product, once a test process, as one object."""
    told = product.demo("--json")
    assert told.returncode == 0, told.stderr
    story: dict[str, Any] = json.loads(told.stdout)
    return story
