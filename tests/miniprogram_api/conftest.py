"""The API over loopback, on real services and a local WeChat; every answer is checked against the document."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from jsonschema import Draft202012Validator, FormatChecker

from backend.clock import Clock
from backend.db import Database
from backend.limits import MemoryRateLimits
from backend.messaging.identities import Identities
from backend.prescription import PrescriptionPapers
from backend.prescription.formulary import Formulary
from backend.records.facade import Facade
from backend.reporting import ReportDocuments
from backend.rights import DataCopies
from backend.security.keyring import KeyRing
from bot.delivery.sender import CHANNEL
from miniprogram_api.application import described_api, make_application
from miniprogram_api.context import Context
from miniprogram_api.login import Code2Session
from miniprogram_api.sessions import Sessions
from miniprogram_api.web_login import WebLogin
from qiaoyi.fhir import make_facade
from qiaoyi.links import copy_tokens, invoice_tokens, prescription_tokens, recording_tokens, report_tokens
from qiaoyi.video import mint, token_mint
from sandbox.settings import LOCAL_APP_ID, LOCAL_APP_SECRET, LOCAL_MINI_APP_ID, LOCAL_MINI_APP_SECRET
from tests.support import cases
from tests.support.house import House, build_house
from tests.support.sandbox import RunningSandbox, running_sandbox

DOCUMENT = described_api()
PUBLIC_URL = "http://127.0.0.1:8080"


@dataclass(frozen=True)
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
class Api:
    """A client that believes nothing: each JSON answer must be one that the document allows for its operation."""

    url: str
    http: aiohttp.ClientSession
    context: Context
    token: str = ""

    def as_(self, person_id: str) -> "Api":
        """The same as somebody who is logged in."""
        return Api(self.url, self.http, self.context, self.context.sessions.mint(person_id)[0])

    async def get(self, path: str, **query: Any) -> Answer:
        """GET below /api/v1."""
        return await self.send("GET", path, params=query)

    async def post(self, path: str, body: Any) -> Answer:
        """POST a JSON body below /api/v1."""
        return await self.send("POST", path, json=body)

    async def put(self, path: str, body: Any) -> Answer:
        """PUT a JSON body below /api/v1."""
        return await self.send("PUT", path, json=body)

    async def send(self, method: str, path: str, **more: Any) -> Answer:
        """Send anything below /api/v1."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= more.pop("headers", {})
        async with self.http.request(method, f"{self.url}/api/v1{path}", headers=headers, **more) as response:
            is_json = response.content_type == "application/json"
            body = await response.json() if is_json else await response.read()
            answer = Answer(response.status, body, dict(response.headers))
        validate(method, f"/api/v1{path}", answer)
        return answer


def validate(method: str, path: str, answer: Answer) -> None:
    """Check an answer against the document."""
    operation = _operation(method, path)
    schema: Any = {"$ref": "#/components/schemas/Problem"}
    if operation is not None:
        assert str(answer.status) in operation["responses"], f"{method} {path} answers {answer.status}: {answer.body}"
        content = operation["responses"][str(answer.status)]["content"]
        if isinstance(answer.body, bytes):
            assert list(content) == [answer.headers["Content-Type"]]
            return
        schema = content["application/json"]["schema"]
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(answer.body)


def _operation(method: str, path: str) -> dict[str, Any] | None:
    parts = path.split("?")[0].split("/")
    for template, operations in DOCUMENT["paths"].items():
        wanted = template.split("/")
        same = len(wanted) == len(parts) and all(
            a == b or a.startswith("{") for a, b in zip(wanted, parts, strict=True)
        )
        if same and method.lower() in operations:
            found: dict[str, Any] = operations[method.lower()]
            return found
    return None


@pytest.fixture
async def sqlite(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with every table and no rows."""
    shutil.copyfile(sqlite_template, tmp_path / "qiaoyi.db")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'qiaoyi.db'}")
    yield database
    await database.close()


@pytest.fixture
async def house(sqlite: Database, clock: Clock, tmp_path: Path) -> House:
    """The services, three doctors and an expert."""
    return await build_house(sqlite, clock, tmp_path / "files")


@pytest.fixture
async def wechat() -> AsyncIterator[RunningSandbox]:
    """A local WeChat."""
    async with running_sandbox() as running:
        yield running


@dataclass
class Patient:
    """A patient who has consented, logged in."""

    id: str
    api: Api
    house: House = field(repr=False)

    async def case(self) -> str:
        """A case of theirs that an expert has taken."""
        case_id = await cases.open_case(self.house, self.id)
        await cases.assign(self.house, case_id)
        return case_id


def facade_of(house: House) -> Facade:
    """Wire the FHIR façade as the product does."""
    services = house.services
    return make_facade(
        house.database, house.clock, house.audit, services.people, services.imaging, Formulary(), PUBLIC_URL
    )


def make_context(house: House, http: aiohttp.ClientSession, ring: KeyRing, wechat_url: str) -> Context:
    """Wire the API as the product does."""
    people = house.services.people
    return Context(
        people=people,
        consultations=house.services.consultations,
        scheduling=house.services.scheduling,
        video=house.services.video,
        imaging=house.services.imaging,
        reports=house.services.reports,
        monitoring=house.services.monitoring,
        critical_values=house.services.critical_values,
        teaching_cases=house.services.teaching_cases,
        history=house.services.history,
        documents=ReportDocuments(
            house.database,
            house.clock,
            house.events,
            house.audit,
            people,
            house.services.consultations,
            house.services.imaging,
            house.services.reports,
            PUBLIC_URL,
        ),
        prescriptions=house.services.prescriptions,
        papers=PrescriptionPapers(
            house.database, house.clock, house.events, house.services.prescriptions, house.signing, PUBLIC_URL
        ),
        facade=facade_of(house),
        copies=DataCopies(
            house.database,
            house.clock,
            house.audit,
            people,
            house.services.consultations,
            house.services.amendments,
            facade_of(house),
        ),
        copy_links=copy_tokens(ring, house.clock),
        mint=partial(mint, token_mint(house.clock, ring)),
        web_login=WebLogin(
            http,
            house.clock,
            api_url=wechat_url,
            authorize_url=wechat_url,
            app_id=LOCAL_APP_ID,
            app_secret=LOCAL_APP_SECRET,
            public_url=PUBLIC_URL,
            key=ring.derive("web-login"),
        ),
        account_channel=CHANNEL,
        public_url=PUBLIC_URL,
        code2session=Code2Session(http, wechat_url, LOCAL_MINI_APP_ID, LOCAL_MINI_APP_SECRET),
        identities=Identities(house.database, house.clock, people, home_channel=CHANNEL),
        sessions=Sessions(ring.derive("session"), house.clock),
        recording_links=recording_tokens(ring, house.clock),
        report_links=report_tokens(ring, house.clock),
        prescription_links=prescription_tokens(ring, house.clock),
        calendar_links=Sessions(ring.derive("calendar"), house.clock, "calendar", timedelta(days=60)),
        invoice_links=invoice_tokens(ring, house.clock),
        invoicing=None,
        clock=house.clock,
        limits=MemoryRateLimits(),
        requests_a_minute=100_000,  # the tests ask faster than people; the limit has a test of its own
    )


@pytest.fixture
async def api(house: House, key_ring: KeyRing, wechat: RunningSandbox) -> AsyncIterator[Api]:
    """The API, nobody logged in."""
    async with aiohttp.ClientSession() as http:
        context = make_context(house, http, key_ring, wechat.base_url)
        runner = web.AppRunner(make_application(context), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            yield Api(f"http://127.0.0.1:{port}", http, context)
        finally:
            await runner.cleanup()
            context.documents.queue.close()
            context.papers.queue.close()
            house.services.imaging.close()


async def new_patient(house: House, api: Api, name: str = "王小明") -> Patient:
    """A patient with a name who has agreed to the consent."""
    person_id = await house.services.people.register(name)
    actor = await house.actor(person_id)
    await house.services.people.give_consent(actor, house.services.people.consent_document().version)
    return Patient(person_id, api.as_(person_id), house)


@pytest.fixture
async def patient(house: House, api: Api) -> Patient:
    """A patient with a session."""
    return await new_patient(house, api)
