"""A room records from the last yes to the first no, over the real protocol with real publishers."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from media.rooms import RoomEvent
from media.signalling import Rooms
from media.tokens import Pass, Role, TokenMint
from tests.media.segment_store import MemoryStore
from tests.support.visit import Visit
from tests.support.waiting import eventually


class House:
    """Rooms that record into memory, behind a server."""

    def __init__(self, store: MemoryStore | None) -> None:
        self.events: list[str] = []
        self.mint = TokenMint(b"k" * 32, time.time)
        self.rooms = Rooms(self.mint, on_event=self.heard, segments=store)
        self.store = store or MemoryStore()
        self.url = ""

    def heard(self, event: RoomEvent) -> None:
        self.events.append(event.kind)

    def token(self, person: str) -> str:
        return self.mint.mint(Pass("r", person, Role.HOST, person, "", time.time() + 3600))

    def visit(self, *people: str) -> Visit:
        return Visit(self.url, {person: self.token(person) for person in people})

    @property
    def octets(self) -> int:
        return sum(len(segment.data) for segment in self.store.segments)


@pytest.fixture(params=[True])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    house = House(MemoryStore() if request.param else None)
    application = web.Application()
    application.router.add_get("/rooms", house.rooms.handler)
    server = TestServer(application)
    await server.start_server()
    house.url = str(server.make_url("/rooms"))
    running = asyncio.create_task(house.rooms.run())
    yield house
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await server.close()


async def test_nothing_is_recorded_before_everybody_has_agreed(house: House) -> None:
    async with house.visit("expert", "doctor") as visit:
        expert, doctor = visit.people["expert"], visit.people["doctor"]
        await expert.agree()
        await eventually(lambda: house.rooms.forwarding.statistics("r", "expert") is not None)
        assert not visit.is_recorded
        assert house.store.begun == {}
        await doctor.agree()
        await eventually(lambda: visit.is_recorded)
        await eventually(lambda: len(house.store.of("expert")) > 0, timeout=30)


async def test_the_first_no_ends_it_and_nothing_that_follows_is_kept(house: House) -> None:
    async with house.visit("expert", "doctor") as visit:
        for person in visit.people.values():
            await person.agree()
        await eventually(lambda: all(house.store.of(person) for person in visit.people), timeout=30)
        await visit.people["doctor"].say(kind="recording", agree=False)
        await eventually(lambda: not visit.is_recorded)
        await eventually(lambda: len(house.store.ended) == 1)
        kept = house.octets
        sent = house.rooms.forwarding.statistics("r", "doctor")
        assert sent is not None, "the call goes on"
        heard = visit.people["expert"].sounds["doctor"]
        await eventually(lambda: visit.people["expert"].sounds["doctor"] > heard + 100, timeout=30)
        assert house.octets == kept
        assert house.events.count("recording_started") == house.events.count("recording_stopped") == 1


async def test_whoever_comes_in_without_having_agreed_ends_it(house: House) -> None:
    async with house.visit("expert", "doctor") as visit:
        for person in visit.people.values():
            await person.agree()
        assert house.events[-1] == "recording_started"
        async with house.visit("relative"):
            await eventually(lambda: len(house.store.ended) == 1)
            assert not visit.is_recorded


@pytest.mark.parametrize("house", [False], indirect=True)
async def test_where_nothing_is_stored_asking_is_in_vain(house: House) -> None:
    async with house.visit("expert", "doctor") as visit:
        expert = visit.people["expert"]
        await expert.say(kind="recording", agree=True)
        await eventually(lambda: bool(expert.heard("error")))
        assert expert.heard("error")[-1]["code"] == "recording_unavailable"
        assert not visit.is_recorded


async def test_a_recording_that_fails_is_told_to_everybody(house: House) -> None:
    async with house.visit("expert", "doctor") as visit:
        for person in visit.people.values():
            await person.agree()
        await eventually(lambda: visit.is_recorded)
        house.rooms._recorder._fail("r")  # type: ignore[union-attr]
        await eventually(lambda: not visit.is_recorded)
        for person in visit.people.values():
            assert person.heard("error")[-1]["code"] == "recording_failed"
        assert house.events[-2:] == ["recording_failed", "recording_stopped"]
