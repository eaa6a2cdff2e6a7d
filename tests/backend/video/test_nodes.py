"""Which media process carries a room: the nearest that lives and takes one more, and one for all who come."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from backend.clock import Clock
from backend.db import Database
from backend.errors import Forbidden, NotFound
from backend.ids import new_id
from backend.security.policy import SYSTEM
from backend.security.tables import AuditEntry
from backend.video.nodes import NodeReport, Nodes, RoomBusy, nearness
from backend.video.tables import NodeState, VideoRoom
from tests.support.clinic import Clinic, build_clinic
from tests.support.media_nodes import fall_silent

TOWNSHIP = "青岚县石桥镇"


class Door(Nodes):
    """Pins rooms as whoever lets people in does: with the room's row locked."""

    async def pin(self, consultation_id: str, region: str = TOWNSHIP) -> str:
        """Give the process of this room."""
        async with self._database.transaction() as session:
            room = await session.get(VideoRoom, consultation_id, with_for_update=True)
            assert room is not None
            return (await self._pin(session, room, region)).id

    async def close(self, consultation_id: str) -> None:
        """The consultation is over."""
        async with self._database.transaction() as session:
            room = await session.get(VideoRoom, consultation_id)
            assert room is not None
            room.closed_at = self._clock.now()


def report(node_id: str, **changes: object) -> NodeReport:
    """A process that serves everywhere and carries nothing yet."""
    plain = NodeReport(
        id=node_id, region="", url=f"ws://{node_id}.test/rooms", state=NodeState.SERVING, capacity=3, rooms=0, people=0,
        cpu=0.1, loop_lag=0.001,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest_asyncio.fixture
async def clinic(database: Database, clock: Clock, tmp_path: Path) -> Clinic:
    built = build_clinic(database, clock, tmp_path / "files")
    await built.furnish()
    await built.doctor()
    return built


@pytest.fixture
def door(clinic: Clinic) -> Door:
    return _door(clinic, clinic.database)


def _door(clinic: Clinic, database: Database) -> Door:
    return Door(
        database, clinic.clock, clinic.events, clinic.timers, clinic.audit, clinic.people, clinic.care, clinic.files
    )


async def a_room(clinic: Clinic) -> str:
    """The room of a new consultation, which nobody has entered."""
    consultation = await clinic.draft(await clinic.patient())
    async with clinic.database.transaction() as session:
        session.add(VideoRoom(consultation_id=consultation.id, opened_at=clinic.clock.now()))
    return consultation.id


async def test_without_any_process_people_are_asked_to_wait(clinic: Clinic, door: Door) -> None:
    with pytest.raises(RoomBusy):
        await door.pin(await a_room(clinic))


async def test_a_room_keeps_its_process_though_another_has_less_to_do(clinic: Clinic, door: Door) -> None:
    room = await a_room(clinic)
    await door.report_node(report("a"), [])
    assert await door.pin(room) == "a"
    await door.report_node(report("b"), [])
    await door.report_node(report("a", rooms=1, people=2), [room])
    assert await door.pin(room) == "a"


async def test_the_process_of_the_county_is_taken_before_the_one_for_all_and_that_before_another_countys(
    clinic: Clinic, door: Door
) -> None:
    for node_id, region, rooms in (("far", "云川市", 0), ("all", "", 0), ("near", "青岚县", 2)):
        await door.report_node(report(node_id, region=region, rooms=rooms), [])
    assert await door.pin(await a_room(clinic)) == "near"
    await door.end_node("near")
    assert await door.pin(await a_room(clinic)) == "all"
    await door.end_node("all")
    assert await door.pin(await a_room(clinic)) == "far"


def test_the_smaller_the_region_around_a_place_the_nearer() -> None:
    assert (
        nearness(TOWNSHIP, TOWNSHIP)
        > nearness("青岚县", TOWNSHIP)
        > nearness("", TOWNSHIP)
        > nearness("青山县", TOWNSHIP)
    )


async def test_rooms_on_their_way_count_before_anybody_has_come(clinic: Clinic, door: Door) -> None:
    for node_id in ("a", "b"):
        await door.report_node(report(node_id, capacity=2), [])
    chosen = [await door.pin(await a_room(clinic)) for _ in range(4)]
    assert sorted(chosen) == ["a", "a", "b", "b"]
    with pytest.raises(RoomBusy):
        await door.pin(await a_room(clinic))


async def test_a_process_that_takes_no_more_is_passed_over_but_not_for_the_rooms_that_it_carries(
    clinic: Clinic, door: Door
) -> None:
    carried, coming = await a_room(clinic), await a_room(clinic)
    await door.report_node(report("a"), [])
    await door.pin(carried)
    await door.pin(coming)
    await door.report_node(report("a", capacity=0, rooms=1), [carried])
    await door.report_node(report("b"), [])
    assert await door.pin(carried) == "a"
    assert await door.pin(coming) == "b"


async def test_the_rooms_of_a_process_that_is_not_heard_any_more_come_back_on_another(
    clinic: Clinic, door: Door
) -> None:
    room = await a_room(clinic)
    await door.report_node(report("a"), [])
    await door.pin(room)
    await door.report_node(report("a", rooms=1), [room])
    await door.report_node(report("b"), [])
    await fall_silent(clinic.database, "a")
    assert await door.pin(room) == "b"


async def test_a_process_that_was_taken_for_dead_learns_which_of_its_rooms_are_elsewhere(
    clinic: Clinic, door: Door
) -> None:
    moved, kept = await a_room(clinic), await a_room(clinic)
    await door.report_node(report("a"), [])
    await door.pin(moved)
    await door.pin(kept)
    await door.report_node(report("a", rooms=2), [moved, kept])
    await fall_silent(clinic.database, "a")
    await door.report_node(report("b"), [])
    assert await door.pin(moved) == "b"
    orders = await door.report_node(report("a", rooms=2), [moved, kept])
    assert (orders.elsewhere, orders.over) == ((moved,), ())
    assert await door.pin(moved) == "b"
    assert await door.pin(kept) == "a"


async def test_a_process_learns_which_of_its_rooms_are_over(clinic: Clinic, door: Door) -> None:
    room, other = await a_room(clinic), await a_room(clinic)
    await door.report_node(report("a"), [])
    await door.pin(room)
    await door.pin(other)
    assert (await door.report_node(report("a", rooms=2), [room, other])).over == ()
    await door.close(room)
    assert (await door.report_node(report("a", rooms=2), [room, other])).over == (room,)
    assert (await door.report_node(report("a", rooms=1), [other])).over == ()


async def test_whoever_drains_keeps_its_rooms_and_gets_no_new_ones(clinic: Clinic, door: Door) -> None:
    carried, coming = await a_room(clinic), await a_room(clinic)
    await door.report_node(report("a"), [])
    await door.pin(carried)
    await door.report_node(report("a", rooms=1), [carried])
    await door.drain(await clinic.administrator(), "a")
    with pytest.raises(RoomBusy):
        await door.pin(coming)
    await door.report_node(report("b"), [])
    assert await door.pin(coming) == "b"
    assert await door.pin(carried) == "a"
    assert (await door.report_node(report("a", rooms=1), [carried])).draining


async def test_an_empty_room_leaves_a_process_that_drains(clinic: Clinic, door: Door) -> None:
    room = await a_room(clinic)
    await door.report_node(report("a"), [])
    await door.pin(room)
    await door.report_node(report("a", rooms=1), [room])
    await door.report_node(report("b"), [])
    await door.drain(SYSTEM, "a")
    await door.report_node(report("a"), [])
    assert await door.pin(room) == "b"


async def test_only_administrators_see_and_drain_processes(clinic: Clinic, door: Door) -> None:
    await door.report_node(report("a"), [])
    expert, administrator = await clinic.expert(), await clinic.administrator()
    for refused in (door.nodes(expert), door.drain(expert, "a")):
        with pytest.raises(Forbidden):
            await refused
    with pytest.raises(NotFound):
        await door.drain(administrator, "nobody")
    await door.drain(administrator, "a")
    (seen,) = await door.nodes(administrator)
    assert (seen.id, seen.state, seen.alive) == ("a", NodeState.DRAINING, True)
    async with clinic.database.reading() as session:
        entries = await session.scalars(select(AuditEntry).where(AuditEntry.subject == "media_node:a"))
        assert [entry.actor_id for entry in entries] == [administrator.person_id]


async def test_the_dead_are_listed_for_a_day_and_forgotten_when_another_process_starts(
    clinic: Clinic, door: Door
) -> None:
    for node_id in ("long dead", "dead"):
        await door.report_node(report(node_id), [])
    await fall_silent(clinic.database, "long dead", timedelta(days=2))
    await fall_silent(clinic.database, "dead")
    await door.report_node(report("new"), [])
    assert {node.id: node.alive for node in await door.nodes(SYSTEM)} == {"dead": False, "new": True}


async def test_a_process_that_ends_knows_whether_its_rooms_have_somewhere_to_go(clinic: Clinic, door: Door) -> None:
    room = await a_room(clinic)
    await door.report_node(report("a"), [])
    await door.report_node(report("b"), [])
    await door.pin(room)
    await door.report_node(report("a", rooms=1), [room])
    assert await door.end_node("a")
    assert await door.pin(room) == "b"
    assert not await door.end_node("b")
    assert {node.state for node in await door.nodes(SYSTEM) if not node.alive} == {NodeState.ENDED}
    with pytest.raises(NotFound):
        await door.drain(SYSTEM, "a")


async def test_a_day_that_passes_in_the_sandbox_makes_nobody_homeless(clinic: Clinic, door: Door) -> None:
    room = await a_room(clinic)
    await door.report_node(report("a"), [])
    await door.report_node(report("b"), [])
    first = await door.pin(room)
    clinic.clock.advance(timedelta(days=1))
    assert await door.pin(room) == first
    clinic.clock.advance(timedelta(days=-3))
    assert await door.pin(room) == first


async def test_all_who_come_at_once_are_led_to_one_process(clinic: Clinic, door: Door, database_url: str) -> None:
    for node_id in ("a", "b", "c"):
        await door.report_node(report(node_id, capacity=12), [])
    processes = [Database(database_url) for _ in range(3)]
    try:
        doors = [_door(clinic, database) for database in processes]
        for _ in range(4):
            room = await a_room(clinic)
            chosen = await asyncio.gather(*(one.pin(room) for one in doors * 2))
            assert len(set(chosen)) == 1
    finally:
        for database in processes:
            await database.close()


async def test_a_drain_is_not_lost_in_a_report_of_the_same_moment(
    clinic: Clinic, door: Door, database_url: str
) -> None:
    other = Database(database_url)
    try:
        for _ in range(5):
            node_id = new_id()
            await door.report_node(report(node_id), [])
            await asyncio.gather(
                *(door.report_node(report(node_id), []) for _ in range(3)), _door(clinic, other).drain(SYSTEM, node_id)
            )
            assert (await door.report_node(report(node_id), [])).draining
    finally:
        await other.close()
