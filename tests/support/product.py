"""The product in the test's own event loop with a local WeChat, as `qiaoyi run` starts them, and a case in it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from sqlalchemy import select

from backend import migrations
from backend.ids import new_id
from backend.messaging.identities import Identities
from backend.scheduling import WeeklyHours
from backend.security.policy import SYSTEM, Actor, Role
from backend.timers import Timer
from bot.delivery.sender import CHANNEL
from qiaoyi.house import House, open_house
from qiaoyi.local import PAY_KEYS, local_settings, with_payment
from qiaoyi.server import serving
from qiaoyi.settings import load
from sandbox.client import Phone
from tests.e2e.product import free_port
from tests.support.sandbox import RunningSandbox, running_sandbox

_HOURS = [WeeklyHours(weekday, "09:00", "21:00", 30, on_holidays=True) for weekday in range(7)]


@dataclass
class Member:
    """Somebody with a phone on which a web page is opened, and what the page keeps."""

    phone: Phone
    person_id: str
    product: "RunningProduct"
    token: str = ""

    async def actor(self) -> Actor:
        """Who this is to the policy."""
        return await self.product.house.people.actor(self.person_id)

    async def open_card(self, title: str, page: str = "/h5/rooms/") -> str:
        """Wait for the card of a page or its short form, open it and log in; give the consultation."""
        card = await self.phone.wait_for(lambda m: title in m.text and page in m.raw.get("url", ""))
        path = urlsplit(card.raw["url"]).path
        await self.log_in(path)
        return path.rpartition("/")[2]

    async def log_in(self, path: str) -> None:
        """Do what a page does to learn who opens it."""
        status, told = await self.product.call("GET", f"/web-login?path={path}")
        assert status == 200, told
        landed = urlsplit(await self.phone.open(told["url"]))
        query = {name: values[0] for name, values in parse_qs(landed.query).items()}
        assert landed.path == path
        assert query["state"] == told["state"]
        status, session = await self.product.call("POST", "/web-session", {**query, "path": landed.path})
        assert status == 201, session
        self.token = session["token"]

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask the API as this person."""
        return await self.product.call(method, path, body, self.token)

    async def enter(self, consultation_id: str) -> aiohttp.ClientWebSocketResponse:
        """Fetch a pass and join with it."""
        status, passed = await self.ask("POST", f"/consultations/{consultation_id}/room/pass")
        assert status == 201, passed
        socket = await self.product.http.ws_connect(passed["url"])
        await socket.send_json({"kind": "join", "version": 1, "token": passed["token"]})
        return socket


async def heard(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """Give the next message of a kind from a room; what comes before it is passed over."""
    while True:
        message: dict[str, Any] = await socket.receive_json(timeout=20)
        if message["kind"] == kind:
            return message


@dataclass
class RunningProduct:
    """A product that runs."""

    house: House
    wechat: RunningSandbox
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """Call the API below /api/v1."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.house.settings.public}/api/v1{path}"
        async with self.http.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def patient(self, name: str) -> Member:
        """A patient who follows the account and has agreed to the consent."""
        phone = await self.wechat.client.phone(name)
        await phone.follow(wait_reply=True)
        person_id = await self._person_of(phone)
        actor = await self.house.people.actor(person_id)
        await self.house.people.update_person(actor, person_id, name=name)
        await self.house.people.give_consent(actor, self.house.people.consent_document().version)
        return Member(phone, person_id, self)

    async def practitioner(self, name: str, role: Role, institution_id: str) -> Member:
        """A doctor or an expert who follows the account and has joined."""
        people, practitioner_id = self.house.people, new_id()
        await people.put_practitioner(
            SYSTEM,
            practitioner_id,
            role=role,
            name=name,
            licence_number=practitioner_id,
            institution_id=institution_id,
            department_code="respiratory" if role is Role.EXPERT else "general_practice",
            title="主任药师" if role is Role.PHARMACIST else "主任医师",
            practising_since=2005,
        )
        phone = await self.wechat.client.phone(name)
        await phone.follow(wait_reply=True)
        person_id = await self._person_of(phone)
        await people.accept_invitation(person_id, (await people.create_invitation(SYSTEM, practitioner_id)).scene)
        if role is Role.EXPERT:
            await self.house.scheduling.set_week(SYSTEM, practitioner_id, _HOURS)
        return Member(phone, person_id, self)

    async def has_timer(self, kind: str) -> bool:
        """Whether a timer of this kind is set."""
        async with self.house.database.reading() as session:
            return await session.scalar(select(Timer.id).where(Timer.kind == kind)) is not None

    async def _person_of(self, phone: Phone) -> str:
        identities = Identities(self.house.database, self.house.clock, self.house.people, home_channel=CHANNEL)
        return await identities.person_at(CHANNEL, phone.openid, "")


@dataclass
class BookedCase:
    """A case with its three people and a booked time."""

    id: str
    product: RunningProduct
    patient: Member
    doctor: Member
    expert: Member

    async def move_to_reminder(self, minutes: int) -> None:
        """Let the time come that lies so many minutes before the booked one."""
        booking = await self.product.house.scheduling.booking(self.id)
        assert booking is not None
        left = booking.starts_at - timedelta(minutes=minutes) - self.product.house.clock.now()
        await self.product.wechat.client.advance(left.total_seconds() + 0.5)


async def booked_case(product: RunningProduct) -> BookedCase:
    """Let a patient open a case, its doctor submit it, an expert take it, and a time be booked."""
    house, (township, hospital) = product.house, (new_id(), new_id())
    for institution_id, code, kind in ((township, "T9", "township"), (hospital, "H9", "tertiary")):
        await house.people.put_institution(
            SYSTEM, institution_id, code=code, name=f"测试{code}医院", kind=kind, region="桥县", address="测试路1号",
            latitude=30.0, longitude=114.0,
        )  # fmt: skip
    doctor = await product.practitioner("李梅", Role.GRASSROOTS_DOCTOR, township)
    return await _case(product, doctor, await product.practitioner("张强", Role.EXPERT, hospital))


async def next_case(first: BookedCase) -> BookedCase:
    """Give a further patient's case of the same doctor and expert, with a time of its own: a test that changes its case
    need not have a product of its own."""
    return await _case(first.product, first.doctor, first.expert)


async def _case(product: RunningProduct, doctor: Member, expert: Member) -> BookedCase:
    care, patient = product.house.consultations, await product.patient("王小明")
    case = await care.open(
        await patient.actor(), patient_id=patient.person_id,
        institution_id=(await doctor.actor()).institution_id or "",
        record={"chief_complaint": "咳嗽3天"}, facts={}, department_code="respiratory", urgency="routine",
    )  # fmt: skip
    await care.submit(await doctor.actor(), case.id)
    [offer] = await care.offers_for(await expert.actor())
    await care.accept_offer(await expert.actor(), offer.id)
    later = product.house.clock.now() + timedelta(hours=1)  # a time that is at hand has no reminders left
    slots = await care.bookable_slots(await patient.actor(), case.id, 100)
    slot = next(one for one in slots if one.starts_at > later)
    await care.book(await patient.actor(), case.id, slot.id)
    return BookedCase(case.id, product, patient, doctor, expert)


@asynccontextmanager
async def running_product(
    folder: Path, pages: Path | None = None, prepare: Callable[[House], House] | None = None, **changes: Any
) -> AsyncIterator[RunningProduct]:
    """Run both for the length of the block, on a fresh database in `folder`; with `pages`, phones can be looked at.
    `prepare` makes of the house the one that serves, and lets it take money. `changes` are settings that differ."""
    port = free_port()
    callback, pay_keys = f"http://127.0.0.1:{port}/wechat/callback", folder / "data" / PAY_KEYS
    async with running_sandbox(callback_url=callback, web=pages, pay_keys=pay_keys) as wechat:
        sandbox_port = urlsplit(wechat.base_url).port
        assert sandbox_port is not None
        settings = local_settings(load(data=folder / "data", port=port, **changes), sandbox_port)
        if prepare is not None:
            settings = with_payment(settings, sandbox_port)
        async with open_house(settings) as opened, aiohttp.ClientSession() as http:
            await migrations.upgrade(settings.database)
            house = opened if prepare is None else prepare(opened)
            async with serving(house):
                yield RunningProduct(house, wechat, http)
