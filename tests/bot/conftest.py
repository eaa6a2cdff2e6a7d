"""A sandbox, and the product's transport behind it."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.clock import Clock
from backend.db import Database
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.transport import RunningTransport, ScriptedDialogue, local_settings, running_transport


@pytest.fixture
async def sqlite(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with every table on SQLite alone, for what does not depend on the kind of database."""
    path = tmp_path / "only.db"
    shutil.copyfile(sqlite_template, path)
    opened = Database(f"sqlite+aiosqlite:///{path}")
    yield opened
    await opened.close()


@pytest.fixture
async def wechat() -> AsyncIterator[RunningSandbox]:
    """A sandbox with a short deadline, so that tests of lateness are quick."""
    async with running_sandbox(reply_deadline_seconds=2.0) as running:
        yield running


@pytest.fixture
def dialogue() -> ScriptedDialogue:
    """A dialogue whose script a test may change."""
    return ScriptedDialogue()


@pytest.fixture
async def transport(
    sqlite: Database, clock: Clock, wechat: RunningSandbox, dialogue: ScriptedDialogue
) -> AsyncIterator[RunningTransport]:
    """The transport, to which the sandbox delivers."""
    async with running_transport(sqlite, clock, local_settings(wechat.base_url), dialogue) as running:
        await wechat.client.set_callback(running.url)
        yield running
