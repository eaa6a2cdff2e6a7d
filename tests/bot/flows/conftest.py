"""A house on SQLite, its dialogue, and a patient who has just found the account."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.security.keyring import KeyRing
from bot.dialogue import Dialogue
from bot.flows import register_patient_flows
from nlu.embedded import EmbeddedProvider
from tests.bot.flows.diagnosis import no_diagnosis
from tests.support.conversation import Conversation
from tests.support.house import House, build_house, wire
from tests.support.language import shared_provider

NewPatient = Callable[[], Awaitable[Conversation]]


@dataclass(frozen=True)
class Furnished:
    """A database file with everybody in it, to be copied: quicker than letting them move in for each test."""

    path: Path
    institutions: dict[str, str]
    practitioners: dict[str, str]


@pytest.fixture(scope="session")
def furnished(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """The house with doctors in three township centres and one expert."""
    folder = tmp_path_factory.mktemp("furnished")
    path = folder / "house.db"
    shutil.copyfile(sqlite_template, path)
    install_key_ring(KeyRing({1: bytes(range(32))}, bytes(range(32, 64))))

    async def furnish() -> Furnished:
        database = Database(f"sqlite+aiosqlite:///{path}")
        house = await build_house(database, Clock(), folder / "files")
        await database.close()
        return Furnished(path, house.institutions, house.practitioners)

    with asyncio.Runner() as runner:
        return runner.run(furnish())


def open_house(furnished: Furnished, folder: Path, clock: Clock) -> House:
    """Copy the furnished house into `folder` and wire it; close its database afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "house.db"
    shutil.copyfile(furnished.path, path)
    house = wire(Database(f"sqlite+aiosqlite:///{path}"), clock, folder / "files")
    house.institutions.update(furnished.institutions)
    house.practitioners.update(furnished.practitioners)
    return house


@pytest_asyncio.fixture
async def house(furnished: Furnished, tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    """The services, with doctors in three township centres and one expert."""
    opened = open_house(furnished, tmp_path, clock)
    yield opened
    await opened.database.close()


@pytest.fixture(scope="session")
def provider() -> EmbeddedProvider:
    """The language provider; built once, for it reads dictionaries and remembers nothing."""
    return shared_provider()


def make_dialogue(house: House, provider: EmbeddedProvider) -> Dialogue:
    """Everything that patients can say and tap."""
    made = Dialogue(provider, house.services, idle=lambda _actor: "patient")
    register_patient_flows(made)
    return made


@pytest.fixture
def dialogue(house: House, provider: EmbeddedProvider) -> Dialogue:
    """Everything that patients can say and tap."""
    return make_dialogue(house, provider)


@pytest.fixture
def new_patient(house: House, dialogue: Dialogue) -> NewPatient:
    """Makes patients who have just found the account."""

    async def make() -> Conversation:
        chat = Conversation(house, dialogue, await house.new_person())
        chat.checks.append(no_diagnosis(chat))
        return chat

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
