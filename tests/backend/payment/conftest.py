"""A shop on an empty database; the keys are made once."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.clock import Clock
from backend.db import Database
from sandbox.wechat_pay.keys import Keys
from tests.support.shop import Shop, opened_shop


@pytest.fixture(scope="session")
def pay_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys of WeChat Pay and of the merchant."""
    folder = tmp_path_factory.mktemp("pay-keys")
    Keys(folder)
    return folder


@pytest.fixture
async def sqlite(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with every table and no rows."""
    shutil.copyfile(sqlite_template, tmp_path / "qiaoyi.db")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'qiaoyi.db'}")
    yield database
    await database.close()


@pytest.fixture
async def shop(pay_keys: Path, sqlite: Database, clock: Clock) -> AsyncIterator[Shop]:
    """A shop, a payer, and WeChat Pay."""
    async with opened_shop(pay_keys, sqlite, clock) as opened:
        yield opened
