"""Two web processes and two workers on one MariaDB and one Redis, with one WeChat in front: together they are one."""

import asyncio
import functools
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from yarl import URL

from backend.db import install_key_ring
from backend.events import PendingDelivery
from backend.messaging.service import MessagingService
from backend.messaging.tables import Contact, Conversation, OutboxMessage
from backend.security.keyring import open_key_file
from backend.timers import Timer
from nlu.facts import CaseFacts
from nlu.summary import summarise
from qiaoyi.house import House, open_house
from qiaoyi.settings import load
from sandbox import settings as account
from sandbox.client import Phone
from tests.support.clinic import Clinic
from tests.support.processes import free_port, qiaoyi, serving
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.transport import TEMPLATES
from tests.support.waiting import eventually

pytestmark = [pytest.mark.mariadb, pytest.mark.timeout(240)]

_DATABASE = "qiaoyi_many"
# What can be sent: the doctor and the expert of the last part have no phones.
_WAITING = select(func.count()).where(OutboxMessage.person_id.in_(select(Contact.person_id)))


@dataclass
class Front:
    """The address that WeChat calls: hands each callback to the next process, or to all of them at once."""

    addresses: list[str]
    at_once: bool = False
    handed: list[int] = field(default_factory=lambda: [0, 0])
    answers: list[set[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._turn = itertools.cycle(range(len(self.addresses)))

    async def hand_on(self, request: web.Request) -> web.Response:
        """Hand on one callback."""
        body = await request.read()
        chosen = range(len(self.addresses)) if self.at_once else [next(self._turn)]
        results = await asyncio.gather(*(self._send(number, request, body) for number in chosen))
        if self.at_once:
            self.answers.append({payload if payload == b"success" else b"reply" for _, payload in results})
        status, payload = max(results, key=lambda result: len(result[1]))
        return web.Response(status=status, body=payload)

    async def _send(self, number: int, request: web.Request, body: bytes) -> tuple[int, bytes]:
        self.handed[number] += 1
        url = URL(f"{self.addresses[number]}/wechat/callback?{request.rel_url.raw_query_string}", encoded=True)
        async with aiohttp.ClientSession() as http, http.request(request.method, url, data=body) as response:
            return response.status, await response.read()


@dataclass
class Installation:
    """Everything that runs."""

    front: Front
    wechat: RunningSandbox
    house: House

    async def follower(self, name: str) -> Phone:
        """A patient who has followed and agreed."""
        phone = await self.wechat.client.phone(name)
        await phone.follow(wait_reply=True)
        await phone.wait_for("您同意吗")
        await phone.tap("同意", wait_reply=True)
        await phone.wait_for("哪里不舒服")
        return phone

    async def person_of(self, phone: Phone) -> str:
        """The person behind a phone."""
        messaging = MessagingService(self.house.database, self.house.clock, self.house.people)
        contact = await messaging.contact("wechat", phone.openid)
        assert contact is not None
        return contact.person_id

    async def version(self, person_id: str) -> int:
        """How many turns the conversation with a person has had."""
        async with self.house.database.reading() as session:
            found = await session.scalar(select(Conversation.version).where(Conversation.person_id == person_id))
        return found or 0

    async def token_calls(self) -> int:
        """How often WeChat was asked for a token."""
        return len(await self.wechat.client.journal(path="/cgi-bin/stable_token"))

    async def is_idle(self) -> bool:
        """Whether nothing is due any more: no timer, no event, no message."""
        now = self.house.clock.now()
        async with self.house.database.reading() as session:
            due = [
                await session.scalar(select(func.count()).select_from(Timer).where(Timer.due_at <= now)),
                await session.scalar(select(func.count()).select_from(PendingDelivery)),
                await session.scalar(_WAITING),
            ]
        return not any(due)


@pytest.fixture
async def database_address(mariadb_address: str) -> AsyncIterator[str]:
    """An empty database of the test's own."""
    engine = create_async_engine(mariadb_address, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {_DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
        yield f"{mariadb_address}/{_DATABASE}"
        await connection.execute(text(f"DROP DATABASE {_DATABASE}"))
    await engine.dispose()


@pytest.fixture
async def installation(database_address: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """Two web processes, two workers, MariaDB, Redis, a WeChat, and the round-robin in front."""
    ports = [free_port(), free_port()]
    front = Front([f"http://127.0.0.1:{port}" for port in ports])
    async with AsyncExitStack() as stack:
        wechat = await stack.enter_async_context(running_sandbox())
        settings = {
            "DATA": str(tmp_path / "var"),
            "DATABASE_URL": database_address,
            "REDIS_URL": redis_url,
            "CLOCK_URL": f"{wechat.base_url}/api/clock",
            "WECHAT__APP_ID": account.LOCAL_APP_ID,
            "WECHAT__APP_SECRET": account.LOCAL_APP_SECRET,
            "WECHAT__TOKEN": account.LOCAL_TOKEN,
            "WECHAT__AES_KEY": account.LOCAL_AES_KEY,
            "WECHAT__API_URL": wechat.base_url,
        } | {f"WECHAT__TEMPLATES__{kind.upper()}": value for kind, value in TEMPLATES.items()}
        status, _, errors = await qiaoyi(tmp_path, settings, "migrate")
        assert status == 0, errors
        house = await stack.enter_async_context(open_house(load(data=tmp_path / "var", database_url=database_address)))
        await asyncio.gather(
            *(
                stack.enter_async_context(serving(tmp_path, settings | {"PORT": str(port)}, "--role", "web"))
                for port in ports
            ),
            *(
                stack.enter_async_context(serving(tmp_path, settings | {"PORT": str(number)}, "--role", "worker"))
                for number in (1, 2)
            ),
        )
        await wechat.client.set_callback(await stack.enter_async_context(_listening(front)))
        yield Installation(front, wechat, house)


@asynccontextmanager
async def _listening(front: Front) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/wechat/callback", front.hand_on)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/wechat/callback"
    finally:
        await runner.cleanup()


async def test_several_processes_are_one_product(installation: Installation) -> None:
    """One test, for starting everything takes longer than what is looked at."""
    patient = await installation.follower("王秀英")
    await _a_conversation_wanders_between_the_processes(installation, patient)
    await _a_message_that_comes_to_both_at_once_has_one_effect(installation, patient)
    await _a_token_is_fetched_once_for_all(installation, patient)
    await _a_timer_fires_once(installation, patient)


async def _a_conversation_wanders_between_the_processes(installation: Installation, patient: Phone) -> None:
    await patient.say("咳嗽三天了，体温38.5度", wait_reply=True)
    await patient.wait_for("38.5")
    await patient.say("不是38.5度，是39度", wait_reply=True)
    await patient.wait_for("39")
    await patient.say("多少钱？", wait_reply=True)
    await patient.wait_for("钱")
    assert min(installation.front.handed) >= 2


async def _a_message_that_comes_to_both_at_once_has_one_effect(installation: Installation, patient: Phone) -> None:
    person_id = await installation.person_of(patient)
    installation.front.at_once = True
    for said in ("没有过敏", "多少钱？", "没有"):
        before, counted = await installation.version(person_id), len(await _heard(patient))
        await patient.say(said, wait_reply=True)
        await eventually(functools.partial(_more_than, patient, counted))
        await eventually(installation.is_idle)
        assert await installation.version(person_id) == before + 1
    installation.front.at_once = False
    assert all(len(answers) == 1 for answers in installation.front.answers), "both processes give the same answer"


async def _a_token_is_fetched_once_for_all(installation: Installation, patient: Phone) -> None:
    others = [await installation.wechat.client.phone(f"病人{number}") for number in range(6)]
    await asyncio.gather(*(phone.follow() for phone in others))
    await asyncio.gather(*(phone.wait_for("您同意吗") for phone in others))
    await asyncio.gather(*(phone.tap("同意") for phone in others))
    await asyncio.gather(*(phone.wait_for("哪里不舒服") for phone in others))
    assert await installation.token_calls() == 1
    await installation.wechat.client.expire_tokens()
    await asyncio.gather(*(phone.say("我咳嗽") for phone in others))
    await asyncio.gather(*(phone.wait_for(lambda message: message.kind == "menu") for phone in others))
    await eventually(installation.is_idle)
    assert await installation.token_calls() == 2


async def _a_timer_fires_once(installation: Installation, patient: Phone) -> None:
    house = installation.house
    install_key_ring(open_key_file(house.settings.key_file))
    clinic = Clinic(
        house.database, house.clock, house.events, house.timers, house.audit, house.people, house.scheduling,
        house.files, house.consultations,
    )  # fmt: skip
    await clinic.furnish()
    doctor, expert = await clinic.doctor(), await clinic.expert()
    actor = await house.people.actor(await installation.person_of(patient))
    facts = CaseFacts(age_months=45 * 12)
    case = await clinic.draft(actor, facts=facts.to_json(), record=summarise(facts).to_json())
    await clinic.care.submit(doctor, case.id)
    await eventually(lambda: _is_offered(clinic, case.id))
    await clinic.accept(expert, case.id)
    now = house.clock.now()
    slots = await clinic.care.bookable_slots(actor, case.id, limit=50)
    slot = next(slot for slot in slots if slot.starts_at > now + timedelta(hours=26))
    await clinic.care.book(actor, case.id, slot.id)
    await eventually(installation.is_idle)
    await patient.mark_here()
    counted = len(await _heard(patient))
    ahead = slot.starts_at - timedelta(hours=24) - now + timedelta(seconds=30)
    await installation.wechat.client.advance(ahead.total_seconds())
    house.clock.advance(ahead)
    await patient.wait_for("会诊")
    await eventually(installation.is_idle)
    assert len(await _heard(patient)) == counted + 1


async def _heard(phone: Phone) -> list[str]:
    return [message.text for message in await phone.messages() if message.sender == "account"]


async def _more_than(phone: Phone, count: int) -> bool:
    return len(await _heard(phone)) > count


async def _is_offered(clinic: Clinic, case_id: str) -> bool:
    return bool(await clinic.offers(case_id))
