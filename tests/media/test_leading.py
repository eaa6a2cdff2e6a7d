"""Looking together: one leads at a time, the last place reaches everybody inside, and who is gone leads no longer."""

import asyncio
from typing import Any

import pytest

from media.leading import LEASE
from media.messages import Lead, Look
from media.rooms import Member
from media.signalling import _QUEUE, Rooms, _Page
from media.tokens import Role, TokenMint
from tests.media.test_rooms import House as Door
from tests.media.test_signalling import House, Page, house  # noqa: F401 - a fixture
from tests.support.cable import cable
from tests.support.waiting import eventually

NOBODY = {"kind": "look", "leader": "", "state": ""}


def at(leader: str, state: str) -> dict[str, str]:
    return {"kind": "look", "leader": leader, "state": state}


def lead(door: Door, member: Member, on: bool = True) -> None:
    door.room.lead(member, Lead(kind="lead", on=on))


def look(door: Door, member: Member, state: str) -> None:
    door.room.look(member, Look(kind="look", state=state))


def test_the_others_hear_where_the_leader_looks_and_the_leader_does_not() -> None:
    door = Door()
    expert, _patient = door.enter("expert"), door.enter("doctor")
    lead(door, expert)
    assert door.pages["expert"].last("look") == at("expert", "")
    look(door, expert, "slice 7")
    assert door.pages["doctor"].last("look") == at("expert", "slice 7")
    assert door.pages["expert"].last("look") == at("expert", "")


def test_a_place_that_is_said_again_is_not_passed_on_again() -> None:
    door = Door()
    expert, _doctor = door.enter("expert"), door.enter("doctor")
    lead(door, expert)
    for _ in range(5):
        look(door, expert, "slice 7")
    assert door.pages["doctor"].count("look") == 3  # when they came in, when the lead was taken, and the place


def test_a_guest_does_not_lead() -> None:
    door = Door()
    door.enter("expert")
    patient = door.enter("patient", Role.GUEST)
    door.admit(door.room.members["expert"], "patient")
    lead(door, patient)
    look(door, patient, "mine")
    assert door.pages["expert"].last("look") == NOBODY


def test_who_does_not_lead_moves_nobody_and_ends_nothing() -> None:
    door = Door()
    expert, doctor = door.enter("expert"), door.enter("doctor")
    look(door, doctor, "before anybody leads")
    assert door.pages["expert"].last("look") == NOBODY
    lead(door, expert)
    look(door, expert, "slice 7")
    look(door, doctor, "forged")
    lead(door, doctor, on=False)
    assert door.pages["doctor"].last("look") == at("expert", "slice 7")


def test_one_leads_at_a_time_and_anybody_with_the_right_takes_over() -> None:
    door = Door()
    expert, doctor = door.enter("expert"), door.enter("doctor")
    lead(door, expert)
    look(door, expert, "slice 7")
    lead(door, doctor)
    assert door.pages["expert"].last("look") == at("doctor", "")
    look(door, expert, "slice 8")  # was on its way
    look(door, doctor, "slice 9")
    assert door.pages["expert"].last("look") == at("doctor", "slice 9")
    lead(door, doctor, on=False)
    assert door.pages["expert"].last("look") == door.pages["doctor"].last("look") == NOBODY


def test_who_comes_later_is_told_the_present_place_and_who_waits_is_not() -> None:
    door = Door()
    expert = door.enter("expert")
    lead(door, expert)
    look(door, expert, "slice 7")
    door.enter("patient", Role.GUEST)
    look(door, expert, "slice 8")
    assert door.pages["patient"].count("look") == 0
    door.admit(expert, "patient")
    assert door.pages["patient"].last("look") == at("expert", "slice 8")


def test_a_leader_who_leaves_leads_no_longer() -> None:
    door = Door()
    expert, doctor = door.enter("expert"), door.enter("doctor")
    lead(door, expert)
    look(door, expert, "slice 7")
    door.room.leave(doctor)
    assert door.room._leading.person == "expert"
    door.enter("doctor")
    door.room.leave(expert)
    assert door.pages["doctor"].last("look") == NOBODY


def test_a_leader_who_comes_back_before_the_line_is_known_to_be_lost_goes_on() -> None:
    door = Door()
    expert, _doctor = door.enter("expert"), door.enter("doctor")
    lead(door, expert)
    look(door, expert, "slice 7")
    again = door.enter("expert")
    assert door.room.leave(expert) is False
    assert door.pages["expert"].last("look") == at("expert", "slice 7")
    look(door, again, "slice 8")
    assert door.pages["doctor"].last("look") == at("expert", "slice 8")


def test_a_leader_who_says_nothing_for_long_leads_no_longer() -> None:
    door = Door()
    expert, _doctor = door.enter("expert"), door.enter("doctor")
    lead(door, expert)
    for _ in range(3 * LEASE):
        look(door, expert, "slice 7")
        door.room.observe()
    look(door, expert, "slice 7")
    for _ in range(LEASE):
        door.room.observe()
    assert door.pages["doctor"].last("look") == at("expert", "slice 7")
    door.room.observe()
    assert door.pages["doctor"].last("look") == door.pages["expert"].last("look") == NOBODY
    look(door, expert, "slice 8")  # woke up
    assert door.pages["doctor"].last("look") == NOBODY


class Slow:
    """A page's WebSocket that takes nothing until it is told to."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.sent: list[dict[str, Any]] = []

    async def send_json(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        self.sent.append(message)


async def test_a_page_that_reads_slowly_gets_the_last_place_and_is_not_dropped() -> None:
    socket = Slow()
    page = _Page(Rooms(TokenMint(b"k" * 32, lambda: 0.0)), socket)  # type: ignore[arg-type]
    sending = asyncio.create_task(page._send_queued())
    page.send({"kind": "chat"})
    for number in range(4 * _QUEUE):
        page.send_look(at("expert", str(number)))
    page.send({"kind": "people"})
    assert not page._closing.is_set()
    socket.reads.set()
    await eventually(lambda: len(socket.sent) == 3)
    assert socket.sent == [{"kind": "chat"}, at("expert", str(4 * _QUEUE - 1)), {"kind": "people"}]
    page.send_look(at("expert", "later"))
    await eventually(lambda: socket.sent[-1] == at("expert", "later"))
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def led(house: House) -> tuple[Page, Page]:  # noqa: F811
    """A leader and a follower who has seen the first place."""
    expert, doctor = await house.join("expert"), await house.join("doctor")
    await expert.say(kind="lead", on=True)
    await expert.say(kind="look", state="slice 1")
    while (await doctor.hear("look"))["state"] != "slice 1":
        pass
    return expert, doctor


@pytest.mark.parametrize(
    "forged",
    [
        {"kind": "look", "state": "x" * 2001},
        {"kind": "look", "state": ""},
        {"kind": "look", "state": {"slice": 7}},
        {"kind": "look", "state": "x", "leader": "expert"},
        {"kind": "lead"},
        {"kind": "lead", "on": True, "person": "expert"},
    ],
)
async def test_what_is_no_place_is_refused_and_changes_nothing(house: House, forged: dict[str, Any]) -> None:  # noqa: F811
    expert, doctor = await led(house)
    for page in (expert, doctor):
        await page.say(**forged)
        assert (await page.hear("error"))["code"] == "malformed"
    await expert.say(kind="look", state="x" * 2000)
    assert await doctor.hear("look") == at("expert", "x" * 2000)


async def test_a_leader_who_floods_is_closed_and_the_others_are_told(house: House) -> None:  # noqa: F811
    expert, doctor = await led(house)
    for number in range(400):
        await expert.say(kind="look", state=str(number))
    assert await expert.closed() == "flood"
    while (await doctor.hear("look"))["leader"]:
        pass
    await doctor.say(kind="lead", on=True)
    assert (await doctor.hear("look"))["leader"] == "doctor"


async def test_a_leader_whose_line_is_cut_leads_no_longer(house: House) -> None:  # noqa: F811
    doctor = await house.join("doctor")
    async with cable(int(house.url.split(":")[2].split("/")[0])) as line:
        direct, house.url = house.url, f"http://127.0.0.1:{line.port}/rooms"
        expert = await house.join("expert")
        house.url = direct
        await expert.say(kind="lead", on=True)
        while not (await doctor.hear("look"))["leader"]:
            pass
        line.cut()
        while (await doctor.hear("look"))["leader"]:
            pass
