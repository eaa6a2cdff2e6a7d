"""The WebSocket of a room: who may join, what is refused and told, and that the others go on."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from media.messages import MAX_FRAME
from media.rooms import RoomEvent
from media.signalling import Rooms
from media.tokens import Pass, Role, TokenMint
from tests.support.room_client import Client
from tests.support.waiting import eventually


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class House:
    """Rooms behind a server, and the pages that a test opens."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session, self.clock = session, Clock()
        self.events: list[tuple[str, str]] = []
        self.mint = TokenMint(b"k" * 32, self.clock)
        self.most_rooms, self.relays = 100, list[dict[str, Any]]()
        self.rooms = Rooms(
            self.mint,
            on_event=self.heard,
            takes_another=lambda rooms: rooms < self.most_rooms,
            relays=lambda: self.relays,
        )
        self.url = ""

    def heard(self, event: RoomEvent) -> None:
        self.events.append((event.kind, event.person))

    def token(self, person: str, role: Role = Role.HOST, room: str = "r") -> str:
        return self.mint.mint(Pass(room, person, role, person, "", self.clock() + 3600))

    async def open(self) -> "Page":
        return Page(await self.session.ws_connect(self.url))

    async def join(self, person: str, role: Role = Role.HOST) -> "Page":
        page = await self.open()
        await page.say(kind="join", version=1, token=self.token(person, role))
        await page.hear("joined" if role is Role.HOST else "waiting")
        return page

    @property
    def inside(self) -> list[str]:
        room = self.rooms.rooms.get("r")
        return [] if room is None else [member.person for member in room.inside]


class Page:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send_json(message)

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of this kind; others are passed over."""
        async with asyncio.timeout(10):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.receive_str())
                if message["kind"] == kind:
                    return message

    async def closed(self) -> str:
        """The code with which the room closes this page."""
        code = str((await self.hear("closed"))["code"])
        async with asyncio.timeout(10):
            assert (await self.socket.receive()).type is aiohttp.WSMsgType.CLOSE
        return code


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with aiohttp.ClientSession() as session:
        house = House(session)
        application = web.Application()
        application.router.add_get("/rooms", house.rooms.handler)
        server = TestServer(application)
        await server.start_server()
        house.url = str(server.make_url("/rooms"))
        running = asyncio.create_task(house.rooms.run())
        yield house
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await eventually(lambda: not house.rooms.rooms)
        await session.close()
        await server.close()


async def test_who_joins_is_seen_and_who_leaves_is_gone(house: House) -> None:
    expert = await house.join("expert")
    doctor = await house.join("doctor")
    people = (await expert.hear("people"))["people"]
    while len(people) < 2:
        people = (await expert.hear("people"))["people"]
    assert [person["person"] for person in people] == ["expert", "doctor"]
    await doctor.say(kind="leave")
    await eventually(lambda: house.inside == ["expert"])
    assert ("left", "doctor") in house.events


async def test_a_room_is_forgotten_with_its_last_person(house: House) -> None:
    expert = await house.join("expert")
    await expert.socket.close()
    await eventually(lambda: house.rooms.rooms == {})


async def test_the_patient_waits_until_a_host_opens_the_door(house: House) -> None:
    expert = await house.join("expert")
    patient = await house.join("patient", Role.GUEST)
    await patient.say(kind="offer", purpose="subscribe")
    assert (await patient.hear("error"))["code"] == "waiting"
    await patient.say(kind="ping")
    await patient.hear("pong")
    await expert.say(kind="admit", person="patient", admitted=True)
    assert (await patient.hear("joined"))["you"] == "patient"


async def test_who_is_turned_away_hears_it(house: House) -> None:
    expert = await house.join("expert")
    patient = await house.join("patient", Role.GUEST)
    await expert.say(kind="admit", person="patient", admitted=False)
    assert await patient.closed() == "refused"


async def test_offers_are_made_for_both_ways(house: House) -> None:
    expert = await house.join("expert")
    for purpose, direction in (("publish", "a=recvonly"), ("subscribe", "a=sendonly")):
        await expert.say(kind="offer", purpose=purpose)
        offer = await expert.hear("offer")
        assert (offer["purpose"], offer["version"], offer["ice_servers"]) == (purpose, 1, [])
        assert direction in offer["sdp"]
    assert (await expert.hear("places"))["places"] == {}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"kind": "answer", "connection": "none", "sdp": "v=0"}, "connection"),
        ({"kind": "candidate", "connection": "none", "candidate": ""}, "connection"),
        ({"kind": "join", "version": 1, "token": "again"}, "unexpected"),
        ({"kind": "dance"}, "malformed"),
        ({"kind": "chat", "text": ""}, "malformed"),
        ([], "malformed"),
    ],
)
async def test_a_fault_is_told_and_the_page_goes_on(house: House, message: Any, code: str) -> None:
    expert = await house.join("expert")
    await expert.socket.send_json(message)
    assert (await expert.hear("error"))["code"] == code
    await expert.say(kind="ping")
    await expert.hear("pong")


async def test_a_bad_description_is_told_and_the_page_goes_on(house: House) -> None:
    expert = await house.join("expert")
    await expert.say(kind="offer", purpose="publish")
    connection = (await expert.hear("offer"))["connection"]
    await expert.say(kind="answer", connection=connection, sdp="v=0\r\nm=nonsense")
    assert (await expert.hear("error"))["code"] == "description"
    await expert.say(kind="candidate", connection=connection, candidate="candidate:nonsense")
    assert (await expert.hear("error"))["code"] == "description"


async def test_nobody_answers_for_somebody_else(house: House) -> None:
    expert, doctor = await house.join("expert"), await house.join("doctor")
    await expert.say(kind="offer", purpose="publish")
    offer = await expert.hear("offer")
    await doctor.say(kind="answer", connection=offer["connection"], sdp=offer["sdp"])
    assert (await doctor.hear("error"))["code"] == "connection"


async def test_bytes_are_no_message(house: House) -> None:
    expert = await house.join("expert")
    await expert.socket.send_bytes(b"\x00\x01")
    assert (await expert.hear("error"))["code"] == "not_text"


async def test_a_page_of_faults_is_closed(house: House) -> None:
    expert, doctor = await house.join("expert"), await house.join("doctor")
    for _ in range(21):
        await doctor.socket.send_str("{")
    assert await doctor.closed() == "faults"
    await expert.say(kind="chat", text="还在")
    assert (await expert.hear("chat"))["text"] == "还在"


async def test_a_page_that_floods_is_closed_and_the_others_go_on(house: House) -> None:
    expert, doctor = await house.join("expert"), await house.join("doctor")
    for _ in range(200):
        await doctor.say(kind="ping")
    assert await doctor.closed() == "flood"
    await expert.say(kind="ping")
    await expert.hear("pong")
    await eventually(lambda: house.inside == ["expert"])


async def test_an_oversized_frame_ends_its_page_alone(house: House) -> None:
    expert, doctor = await house.join("expert"), await house.join("doctor")
    await doctor.say(kind="chat", text="好" * MAX_FRAME)
    await eventually(lambda: house.inside == ["expert"])
    async with asyncio.timeout(10):
        while (frame := await doctor.socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, 1009)
    await expert.say(kind="ping")
    await expert.hear("pong")


@pytest.mark.parametrize("first", ['{"kind": "ping"}', "hello", '{"kind": "join", "version": 2, "token": ""}'])
async def test_a_page_begins_with_joining(house: House, first: str) -> None:
    page = await house.open()
    await page.socket.send_str(first)
    assert await page.closed() == "malformed"
    assert house.inside == []


async def test_a_page_that_goes_before_joining_is_forgotten(house: House) -> None:
    page = await house.open()
    await page.socket.close()
    await house.join("expert")


async def test_a_token_opens_the_room_once(house: House) -> None:
    token = house.token("expert")
    first, second = await house.open(), await house.open()
    await first.say(kind="join", version=1, token=token)
    await first.hear("joined")
    await second.say(kind="join", version=1, token=token)
    assert await second.closed() == "token_used"
    assert house.inside == ["expert"]


async def test_a_token_of_yesterday_or_of_another_house_opens_nothing(house: House) -> None:
    old = house.token("expert")
    house.clock.ahead = 86_400
    forged = TokenMint(b"x" * 32, house.clock).mint(Pass("r", "expert", Role.HOST, "", "", house.clock() + 60))
    for token, code in ((old, "token_expired"), (forged, "token_forged"), ("", "token_forged")):
        page = await house.open()
        await page.say(kind="join", version=1, token=token)
        assert await page.closed() == code
    assert house.inside == []


async def test_a_second_device_takes_over(house: House) -> None:
    first = await house.join("expert")
    second = await house.join("expert")
    assert await first.closed() == "other_device"
    await second.say(kind="ping")
    await second.hear("pong")
    assert house.inside == ["expert"]
    assert ("left", "expert") not in house.events


async def test_a_room_closes_with_its_consultation(house: House) -> None:
    expert, patient = await house.join("expert"), await house.join("patient", Role.GUEST)
    await house.rooms.close_room("r")
    assert [await expert.closed(), await patient.closed()] == ["over", "over"]
    await eventually(lambda: house.rooms.rooms == {})


async def test_a_process_that_takes_no_more_lets_in_whoever_belongs_to_its_rooms(house: House) -> None:
    expert = await house.join("expert")
    house.most_rooms = 1
    late = await house.open()
    await late.say(kind="join", version=1, token=house.token("other", room="another"))
    assert await late.closed() == "busy"
    await house.join("doctor")
    again = await house.join("expert")
    assert await expert.closed() == "other_device"
    assert list(house.rooms.rooms) == ["r"]
    house.most_rooms = 2
    other = await house.open()
    await other.say(kind="join", version=1, token=house.token("other", room="another"))
    await other.hear("joined")
    await again.say(kind="ping")
    await again.hear("pong")


async def test_the_rooms_of_a_process_that_ends_are_sent_to_another(house: House) -> None:
    expert, patient = await house.join("expert"), await house.join("patient", Role.GUEST)
    house.rooms.end("moving")
    assert [await expert.closed(), await patient.closed()] == ["moving", "moving"]
    late = await house.open()
    await late.say(kind="join", version=1, token=house.token("doctor"))
    assert await late.closed() == "moving"


async def test_a_page_is_told_of_the_relays_that_it_may_use(house: House) -> None:
    house.relays = [{"urls": ["turn:turn.test:3478"], "username": "1:2", "credential": "3"}]
    expert = await house.join("expert")
    await expert.say(kind="offer", purpose="publish")
    offer = await expert.hear("offer")
    assert offer["ice_servers"] == house.relays
    assert "turn.test" not in offer["sdp"]


async def test_a_room_sends_home_whose_time_is_over(house: House) -> None:
    expert = await house.join("expert")
    house.clock.ahead = 4000
    assert await expert.closed() == "over"


async def test_who_joins_and_never_connects_does_not_stop_the_rooms(house: House) -> None:
    """The round of observation goes over people who have asked for no connection yet."""
    rounds = 0
    expert = await house.join("expert")
    room = house.rooms.rooms["r"]
    observe = room.observe

    def counted() -> None:
        nonlocal rounds
        observe()
        rounds += 1

    room.observe = counted  # type: ignore[method-assign]
    await eventually(lambda: rounds == 2)
    await expert.say(kind="ping")
    await expert.hear("pong")


async def test_trouble_in_one_room_is_not_the_others(house: House, caplog: pytest.LogCaptureFixture) -> None:
    rounds = 0
    expert = await house.join("expert")

    def broken() -> None:
        nonlocal rounds
        rounds += 1
        raise RuntimeError("broken")

    house.rooms.rooms["r"].observe = broken  # type: ignore[method-assign]
    await eventually(lambda: rounds == 2)
    assert "observing a room failed" in caplog.text
    await expert.say(kind="ping")
    await expert.hear("pong")


async def test_a_page_that_does_not_read_is_dropped_and_the_others_go_on(house: House) -> None:
    expert, doctor = await house.join("expert"), await house.join("doctor")
    transport = doctor.socket._conn.transport  # type: ignore[union-attr]
    assert isinstance(transport, asyncio.ReadTransport)
    transport.pause_reading()
    member = house.rooms.rooms["r"].members["doctor"]
    line = {"kind": "chat", "person": "expert", "text": "长" * 20_000}
    async with asyncio.timeout(20):
        while "doctor" in house.inside:
            member.channel.send(line)
            await asyncio.sleep(0)
    await expert.say(kind="chat", text="还在")
    assert (await expert.hear("chat"))["text"] == "还在"
    transport.resume_reading()


async def test_when_the_rooms_end_everybody_is_told_and_nobody_enters(house: House) -> None:
    ending = Rooms(house.mint)
    application = web.Application()
    application.router.add_get("/rooms", ending.handler)
    async with TestServer(application) as server:
        house.url = str(server.make_url("/rooms"))
        running = asyncio.create_task(ending.run())
        expert = await house.join("expert")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert await expert.closed() == "closing"
        late = await house.open()
        await late.say(kind="join", version=1, token=house.token("doctor"))
        assert await late.closed() == "closing"


async def test_three_pages_meet_over_the_protocol(house: House) -> None:
    stop = asyncio.Event()
    people = ("patient", "doctor", "expert")
    clients = [Client(person, house.url, house.token(person)) for person in people]
    meeting = [asyncio.create_task(client.run(house.session, stop)) for client in clients]
    try:
        for client in clients:
            for other in set(people) - {client.person}:
                await eventually(lambda client=client, other=other: client.sees_and_hears(other), timeout=30)  # type: ignore[misc]
    finally:
        stop.set()
        await asyncio.gather(*meeting)
    await eventually(lambda: house.rooms.rooms == {})
    kinds = {message["kind"] for message in clients[0].messages}
    assert "error" not in kinds
    assert {"joined", "people", "offer", "places"} <= kinds
