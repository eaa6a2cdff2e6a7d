"""A house on SQLite, its dialogue, and a patient who has just found the account."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from bot.dialogue import Dialogue
from bot.flows import register_patient_flows
from nlu.embedded import EmbeddedProvider
from tests.support.conversation import Conversation
from tests.support.house import House, build_house

NewPatient = Callable[[], Awaitable[Conversation]]


@pytest_asyncio.fixture
async def house(sqlite_template: Path, tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    """The services, with doctors in three township centres and one expert."""
    path = tmp_path / "house.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite+aiosqlite:///{path}")
    yield await build_house(database, clock, tmp_path / "files")
    await database.close()


@pytest.fixture(scope="session")
def provider() -> EmbeddedProvider:
    """The language provider; built once, for it reads dictionaries and remembers nothing."""
    return EmbeddedProvider()


@pytest.fixture
def dialogue(house: House, provider: EmbeddedProvider) -> Dialogue:
    """Everything that patients can say and tap."""
    made = Dialogue(provider, house.services, idle=lambda _actor: "patient")
    register_patient_flows(made)
    return made


@pytest.fixture
def new_patient(house: House, dialogue: Dialogue) -> NewPatient:
    """Makes patients who have just found the account."""

    async def make() -> Conversation:
        return Conversation(house, dialogue, await house.new_person())

    return make


@pytest_asyncio.fixture
async def patient(new_patient: NewPatient) -> Conversation:
    """A patient who follows the account and has not answered anything."""
    made = await new_patient()
    await made.follow()
    return made


@pytest_asyncio.fixture
async def consenting(patient: Conversation) -> Conversation:
    """A patient who has agreed, and is asked what is wrong."""
    await patient.tap("同意")
    return patient
