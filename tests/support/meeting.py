"""People in the rooms of media processes: each holds on to the room as the page does, over the product's own API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from backend.ids import new_id
from backend.security.policy import SYSTEM, Actor, Role
from miniprogram_api.sessions import Sessions
from qiaoyi.house import House
from tests.support.room_client import Client, without_decoding
from tests.support.waiting import eventually

_AGAIN_SECONDS = 1.0


@dataclass
class Guest:
    """Somebody in a room, with aiortc for a browser: pictures are sent and counted."""

    actor: Actor
    api: str
    session: str
    consultation_id: str
    http: aiohttp.ClientSession
    client: Client | None = None
    node: str = ""
    refusals: list[str] = field(default_factory=list)

    async def stay(self, stop: asyncio.Event) -> None:
        """Fetch a pass and be in the room until told to stop; at once again whenever the room is lost, and after a
        refusal each second."""
        while not stop.is_set():
            passed = await self.fetch_pass()
            if passed is not None:
                self.client = Client(self.actor.person_id, passed["url"], passed["token"])
                self.node = passed["node"]
                try:
                    await self.client.run(self.http, stop)
                except aiohttp.ClientError:
                    passed = None
            if passed is None:
                await asyncio.sleep(_AGAIN_SECONDS)

    async def fetch_pass(self) -> dict[str, str] | None:
        """A pass, or None where the product refuses it now."""
        url = f"{self.api}/api/v1/consultations/{self.consultation_id}/room/pass"
        async with self.http.post(url, headers={"Authorization": f"Bearer {self.session}"}) as answer:
            told = await answer.json()
            if answer.status == 201:
                passed: dict[str, str] = told
                return passed
            assert (answer.status, told["code"]) == (503, "room_busy"), told
            assert int(answer.headers["Retry-After"]) > 0
            self.refusals.append(told["code"])
            return None

    def sees(self, others: list["Guest"]) -> bool:
        """Whether pictures of everybody else come now."""
        people = [other.actor.person_id for other in others if other is not self]
        return self.client is not None and all(self.client.pictures[person] > 0 for person in people)

    def look_away(self) -> None:
        """Forget the pictures that have come."""
        if self.client is not None:
            self.client.look_away()


@dataclass
class Meeting:
    """A consultation that its expert has begun, and its three people."""

    consultation_id: str
    guests: list[Guest]

    @property
    def patient(self) -> Guest:
        """The one who waits until somebody opens the door."""
        return self.guests[0]

    async def see_each_other(self, node: str, timeout: float = 90.0) -> None:
        """Wait until everybody was led to this process and is sent pictures of everybody else, from now on."""
        for guest in self.guests:
            guest.look_away()
        await eventually(lambda: all(guest.node == node and guest.sees(self.guests) for guest in self.guests), timeout)

    @asynccontextmanager
    async def held(self) -> AsyncIterator["Meeting"]:
        """Everybody is in the room while inside; the patient was let in by the doctor."""
        stop = asyncio.Event()
        with without_decoding():
            staying = [asyncio.create_task(guest.stay(stop)) for guest in self.guests[:1]]
            await self._let_in()
            staying += [asyncio.create_task(guest.stay(stop)) for guest in self.guests[1:]]
            try:
                yield self
            finally:
                stop.set()
                await asyncio.gather(*staying)

    async def _let_in(self) -> None:
        doctor = self.guests[1]
        passed = await doctor.fetch_pass()
        assert passed is not None
        async with doctor.http.ws_connect(passed["url"]) as socket:
            await socket.send_json({"kind": "join", "version": 1, "token": passed["token"]})
            async for frame in socket:
                message = frame.json()
                if message["kind"] == "people" and message["waiting"]:
                    person = self.patient.actor.person_id
                    await socket.send_json({"kind": "admit", "person": person, "admitted": True})
                elif message["kind"] == "people" and len(message["people"]) > 1:
                    return


async def begun_meeting(house: House, http: aiohttp.ClientSession, api: str) -> Meeting:
    """An urgent case that its expert has begun, so that its room is open."""
    people, care = house.people, house.consultations
    places = [new_id(), new_id()]
    for place, kind in zip(places, ("township", "tertiary"), strict=True):
        await people.put_institution(
            SYSTEM, place, code=place, name="测试医院", kind=kind, region="青岚县石桥镇", address="测试路1号",
            latitude=30.0, longitude=114.0,
        )  # fmt: skip
    patient = await people.actor(await people.register("王小明"))
    await people.give_consent(patient, people.consent_document().version)
    doctor = await _practitioner(house, Role.GRASSROOTS_DOCTOR, places[0])
    expert = await _practitioner(house, Role.EXPERT, places[1])
    case = await care.open(
        patient, patient_id=patient.person_id, institution_id=places[0], record={"chief_complaint": "咳嗽3天"},
        facts={}, department_code="respiratory", urgency="routine",
    )  # fmt: skip
    await care.submit(doctor, case.id)
    offers = {offer.expert_id: offer.id for offer in await care.offers_of(SYSTEM, case.id)}
    await care.accept_offer(expert, offers[str(expert.practitioner_id)])
    await care.start(expert, case.id)
    sessions = Sessions(house.ring.derive("session"), house.clock)
    guests = [
        Guest(actor, api, sessions.mint(actor.person_id)[0], case.id, http) for actor in (patient, doctor, expert)
    ]
    return Meeting(case.id, guests)


async def _practitioner(house: House, role: Role, institution_id: str) -> Actor:
    people, practitioner_id = house.people, new_id()
    await people.put_practitioner(
        SYSTEM, practitioner_id, role=role, name="张强", licence_number=practitioner_id, institution_id=institution_id,
        department_code="respiratory" if role is Role.EXPERT else "general_practice", title="主任医师",
        practising_since=2005,
    )  # fmt: skip
    person_id = await people.register("张强")
    await people.accept_invitation(person_id, (await people.create_invitation(SYSTEM, practitioner_id)).scene)
    return await people.actor(person_id)
