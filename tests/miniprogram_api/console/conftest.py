"""The console's API over loopback, on SQLite and on MariaDB, with people of each role who sign in as people do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from argon2 import PasswordHasher

from backend.analytics import AnalyticsService
from backend.charging import ReconciliationService
from backend.clock import Clock
from backend.console import ConsoleService
from backend.console.rules import time_step, totp
from backend.db import Database
from backend.limits import MemoryRateLimits
from backend.messaging.channel import ChannelService
from backend.messaging.outbox import OutboxService
from backend.messaging.undelivered import UndeliveredService
from backend.operations import Operations
from backend.research import ResearchExports
from backend.security.keyring import KeyRing
from backend.security.policy import SYSTEM, Role
from backend.surveillance.service import SurveillanceService
from bot.transport import Sending
from bot.wechat.account import WechatAccount
from miniprogram_api.application import make_application
from miniprogram_api.console.application import console_routes
from miniprogram_api.console.endpoint import ConsoleContext, Money
from tests.miniprogram_api.conftest import PUBLIC_URL, make_context
from tests.support.cashier import Cashier, let_charge
from tests.support.house import House, build_house
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.transport import TEMPLATES, local_settings

PASSWORD = "小桥流水人家，二〇二六年"


@dataclass
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """The stable code of a refusal."""
        code: str = self.body["code"]
        return code


@dataclass
class Console:
    """The console of a house, and nobody at it yet."""

    url: str
    house: House
    service: ConsoleService
    context: ConsoleContext
    limits: MemoryRateLimits
    cashier: Cashier
    wechat: RunningSandbox
    sending: Sending
    secrets: dict[str, str] = field(default_factory=dict)

    async def enrol(self, name: str, role: Role, institution_id: str | None = None) -> list[str]:
        """Make an account and let its person set password and app; give the recovery codes."""
        link = await self.service.create_account(SYSTEM, name, role, institution_id)
        self.secrets[name] = (await self.service.enrolment(link.code)).totp_secret
        return await self.service.enrol(link.code, PASSWORD, self.code_of(name))

    def forget_limits(self) -> None:
        """A minute later, as far as addresses are concerned."""
        self.limits._counts.clear()

    def code_of(self, name: str) -> str:
        """What the app of this person shows now."""
        return totp(self.secrets[name], time_step(self.house.clock.now()))

    async def as_(self, name: str, role: Role, institution: str | None = None) -> "Clerk":
        """Somebody of this role at a browser of their own, signed in."""
        place = self.house.institutions[institution] if institution else None
        await self.enrol(name, role, place)
        self.house.clock.advance(timedelta(seconds=31))  # the app's code of the enrolment is used up
        clerk = Clerk(self)
        answer = await clerk.sign_in(name)
        assert answer.status == 201, answer.body
        return clerk


@dataclass
class Clerk:
    """A browser at the console: its cookie and what the page holds."""

    console: Console
    cookie: str = ""
    csrf: str = ""

    async def sign_in(self, name: str, password: str = PASSWORD, code: str | None = None) -> Answer:
        """Sign in; keep the cookie and the token of the page."""
        shown = code if code is not None else self.console.code_of(name)
        answer = await self.send("POST", "/session", json={"name": name, "password": password, "code": shown})
        if answer.status == 201:
            self.csrf = answer.body["csrf_token"]
        return answer

    async def get(self, path: str, **query: Any) -> Answer:
        """GET below /console/api."""
        return await self.send("GET", path, params=query)

    async def take(self, path: str) -> tuple[bytes, dict[str, str]]:
        """GET a file: its bytes, and how it comes."""
        cookies, jar = {"qiaoyi-console": self.cookie}, aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(cookie_jar=jar) as http,
            http.get(f"{self.console.url}/console/api{path}", cookies=cookies) as answer,
        ):
            assert answer.status == 200
            return await answer.read(), dict(answer.headers)

    async def post(self, path: str, body: Any) -> Answer:
        """POST a JSON body."""
        return await self.send("POST", path, json=body)

    async def send(self, method: str, path: str, **more: Any) -> Answer:
        """Send anything as the page does."""
        headers = {"X-CSRF-Token": self.csrf, "Sec-Fetch-Site": "same-origin", "User-Agent": "Firefox"}
        headers |= more.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        cookies = {"qiaoyi-console": self.cookie} if self.cookie else {}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.request(
                method, f"{self.console.url}/console/api{path}", headers=headers, cookies=cookies, **more
            ) as answer,
        ):
            if "qiaoyi-console" in answer.cookies:
                self.cookie = answer.cookies["qiaoyi-console"].value
            read = {"application/json": answer.json, "application/pdf": answer.read}.get(
                answer.content_type, answer.text
            )
            return Answer(answer.status, await read(), dict(answer.headers))


@pytest.fixture
async def house(database: Database, clock: Clock, tmp_path: Path) -> House:
    """The services, three doctors and an expert, on each database."""
    return await build_house(database, clock, tmp_path / "files")


async def _picture(scene: str, seconds: int) -> str:
    return f"data:image/png;base64,{scene}"


def _money(house: House, cashier: Cashier) -> Money:
    reconciliation = ReconciliationService(
        house.database,
        house.clock,
        house.audit,
        house.services.people,
        cashier.ledger,
        cashier.insurer,
        cashier.payments,
        cashier.charging,
    )
    assert house.services.remuneration is not None
    return Money(cashier.charging, reconciliation, house.services.remuneration)


@pytest.fixture
async def wechat(house: House) -> AsyncIterator[tuple[RunningSandbox, Sending]]:
    """A local WeChat, and the product's way to it."""
    async with running_sandbox() as sandbox:
        people = house.services.people
        settings = local_settings(sandbox.base_url, templates=dict(TEMPLATES))
        sending = Sending(house.database, house.clock, people, settings)
        try:
            yield sandbox, sending
        finally:
            await sending.client.close()


@pytest.fixture
async def console(house: House, key_ring: KeyRing, wechat: tuple[RunningSandbox, Sending]) -> AsyncIterator[Console]:
    """The console's API, nobody signed in."""
    sandbox, sending = wechat
    services, limits, cashier = house.services, MemoryRateLimits(), let_charge(house)
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    service = ConsoleService(house.database, house.clock, house.audit, quick, app_clock=house.clock)
    outbox = OutboxService(house.database, house.clock)
    surveillance = SurveillanceService(
        house.database, house.clock, house.events, house.timers, house.audit, services.people, services.consultations
    )
    settings = local_settings(sandbox.base_url, templates=dict(TEMPLATES))
    account = WechatAccount(sending.client, sending.menus, sending.messaging, settings, house.clock)
    context = ConsoleContext(
        console=service,
        people=services.people,
        consultations=services.consultations,
        scheduling=services.scheduling,
        channel=ChannelService(house.database, house.audit, services.people, account),
        analytics=AnalyticsService(
            house.database,
            house.clock,
            house.events,
            house.timers,
            house.audit,
            services.people,
            services.consultations,
            None,
        ),
        surveillance=surveillance,
        undelivered=UndeliveredService(house.database, house.clock, house.audit, services.people, outbox),
        operations=Operations(house.database, house.clock),
        teaching_cases=services.teaching_cases,
        audit=house.audit,
        imaging=services.imaging,
        prescriptions=services.prescriptions,
        dispensing=services.dispensing,
        held_money=_money(house, cashier),
        amendments=services.amendments,
        exports=ResearchExports(
            house.database, house.clock, house.timers, house.audit, services.people, services.consultations
        ),
        invitation_picture=_picture,
        parts=lambda: {"events": True, "timers": False},
        public_url=PUBLIC_URL,
        clock=house.clock,
        limits=limits,
        requests_a_minute=100_000,  # the tests ask faster than people
    )
    async with aiohttp.ClientSession() as http:
        shared = make_context(house, http, key_ring, PUBLIC_URL)
        application = make_application(shared)
        application.add_routes(console_routes(context))
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield Console(url, house, service, context, limits, cashier, sandbox, sending)
        finally:
            await runner.cleanup()
            shared.documents.queue.close()
            shared.papers.queue.close()
            services.imaging.close()
            context.analytics.close()
            surveillance.close()
