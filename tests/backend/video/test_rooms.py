"""Who may enter a room, when, and what they get."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from backend.errors import ConsentRequired, Forbidden, InvalidInput, NotFound
from backend.ids import new_id
from backend.photographs import clean
from backend.security.policy import SYSTEM, Action, Actor
from backend.security.tables import AuditEntry
from backend.video.nodes import RoomBusy
from backend.video.rooms import LARGEST_SNAPSHOT, RoomClosed, RoomEarly
from backend.video.rules import RoomRole, RoomState
from tests.backend.video.conftest import Booked
from tests.support.pictures import jpeg

JPEG = jpeg()


async def test_the_three_of_a_case_enter_as_what_they_are(booked: Booked) -> None:
    await booked.move_to(-15)
    passed = [await booked.enter(actor) for actor in (booked.patient, booked.doctor, booked.expert)]
    assert [(one.person.role, one.person.label) for one in passed] == [
        (RoomRole.GUEST, "患者"),
        (RoomRole.HOST, "医生"),
        (RoomRole.HOST, "专家"),
    ]
    assert [one.person.name for one in passed] == ["王小明", "李梅", "张强"]
    assert {(one.node_id, one.url, one.admitted) for one in passed} == {(booked.node_id, "ws://media.test/", False)}


async def test_a_colleague_of_the_doctor_may_stand_in(booked: Booked) -> None:
    await booked.move_to(0)
    colleague = await booked.clinic.doctor("周同事")
    passed = await booked.enter(colleague)
    assert (passed.person.role, passed.person.label, passed.person.name) == (RoomRole.HOST, "医生", "周同事")


Outsider = Callable[[Booked], Awaitable[Actor]]


async def another_patient(booked: Booked) -> Actor:
    """A patient who takes no part."""
    return await booked.clinic.patient("别的病人")


async def another_expert(booked: Booked) -> Actor:
    """An expert of the same hospital who takes no part."""
    return await booked.clinic.expert("别的专家")


async def an_administrator(booked: Booked) -> Actor:
    """Somebody who keeps the platform running."""
    return await booked.clinic.administrator()


async def the_system(_booked: Booked) -> Actor:
    """The platform itself."""
    return SYSTEM


@pytest.mark.parametrize("outsider", [another_patient, another_expert, an_administrator, the_system])
async def test_nobody_else_gets_past_the_door(booked: Booked, outsider: Outsider) -> None:
    await booked.move_to(0)
    stranger = await outsider(booked)
    video = booked.video
    for refused in (
        video.room(stranger, booked.id),
        video.door(stranger, booked.id),
        video.enter(stranger, booked.id),
        video.desk_code(stranger, booked.id),
        video.keep_snapshot(stranger, booked.id, JPEG),
    ):
        with pytest.raises(Forbidden):
            await refused
    assert await video.open_rooms(stranger) == []


async def test_a_room_of_no_consultation_is_not_found(booked: Booked) -> None:
    with pytest.raises(NotFound):
        await booked.video.enter(booked.patient, new_id())


async def test_whoever_is_early_hears_when_the_room_opens(booked: Booked) -> None:
    await booked.move_to(-16)
    with pytest.raises(RoomEarly) as refusal:
        await booked.enter(booked.patient)
    view = await booked.video.room(booked.patient, booked.id)
    assert view.opening.state is RoomState.EARLY
    assert refusal.value.details["opens_at"] == view.opening.opens_at
    assert "今天上午8:45开门" in refusal.value.sentence
    assert await booked.video.open_rooms(booked.patient) == []
    await booked.move_to(-14)
    assert [one.consultation_id for one in await booked.video.open_rooms(booked.patient)] == [booked.id]


async def test_the_page_reads_whom_one_will_meet(booked: Booked) -> None:
    view = await booked.video.room(booked.patient, booked.id)
    assert view.you.label == "患者"
    assert view.expected == (("李梅", "医生"), ("张强", "专家"))


async def test_two_hours_after_its_time_the_room_is_closed(booked: Booked) -> None:
    await booked.move_to(30 + 120)
    with pytest.raises(RoomClosed):
        await booked.enter(booked.expert)


async def test_an_urgent_case_meets_as_soon_as_its_expert_has_begun(booked: Booked) -> None:
    clinic = booked.clinic
    patient = await clinic.patient("急诊病人")
    case = await clinic.draft(patient, urgency="urgent")
    await clinic.care.submit(booked.doctor, case.id)
    await clinic.accept(booked.expert, case.id)
    with pytest.raises(RoomEarly, match="room_early") as refusal:
        await booked.video.enter(patient, case.id)
    assert refusal.value.details == {}
    await clinic.care.start(booked.expert, case.id)
    await booked.live()
    assert (await booked.video.enter(patient, case.id)).person.role is RoomRole.GUEST


async def test_without_the_patients_consent_nobody_meets(booked: Booked) -> None:
    await booked.move_to(0)
    await booked.clinic.people.withdraw_consent(booked.patient)
    for actor, said in ((booked.patient, "需要您先同意"), (booked.expert, "患者还没有同意")):
        with pytest.raises(ConsentRequired) as refusal:
            await booked.enter(actor)
        assert said in refusal.value.sentence


async def test_who_comes_while_no_process_lives_is_asked_to_wait(booked: Booked) -> None:
    await booked.move_to(0)
    await booked.dies()
    with pytest.raises(RoomBusy):
        await booked.enter(booked.patient)
    await booked.live()
    assert (await booked.enter(booked.patient)).node_id == booked.node_id


async def test_those_who_come_at_once_are_led_to_one_process(booked: Booked) -> None:
    await booked.move_to(0)
    for _ in range(4):
        await booked.live(new_id())
    people = (booked.patient, booked.doctor, booked.expert)
    passed = await asyncio.gather(*(booked.enter(actor) for actor in people))
    assert len({one.node_id for one in passed}) == 1


async def test_every_look_at_a_room_and_every_way_in_is_audited(booked: Booked) -> None:
    await booked.move_to(0)
    await booked.video.room(booked.patient, booked.id)
    await booked.enter(booked.expert)
    async with booked.clinic.database.reading() as session:
        query = select(AuditEntry.actor_id).where(AuditEntry.action == Action.VIDEO_ENTER.value)
        assert list(await session.scalars(query)) == [booked.patient.person_id, booked.expert.person_id]


async def test_doctors_and_experts_keep_pictures_from_the_room(booked: Booked) -> None:
    await booked.move_to(0)
    for actor in (booked.doctor, booked.expert):
        await booked.video.keep_snapshot(actor, booked.id, JPEG)
    with pytest.raises(Forbidden, match="forbidden") as refusal:
        await booked.video.keep_snapshot(booked.patient, booked.id, JPEG)
    assert "医生或专家" in refusal.value.sentence
    kept = await booked.clinic.care.attachments(booked.expert, booked.id)
    assert [one.note for one in kept] == ["视频截图", "视频截图"]
    data, media_type = await booked.clinic.care.open_file(booked.patient, booked.id, kept[0].file_id)
    assert (media_type, data) == ("image/jpeg", clean(JPEG, "image/jpeg").data)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", JPEG + bytes(LARGEST_SNAPSHOT)])
async def test_what_is_no_small_jpeg_is_not_kept(booked: Booked, data: bytes) -> None:
    await booked.move_to(0)
    with pytest.raises(InvalidInput):
        await booked.video.keep_snapshot(booked.doctor, booked.id, data)
    assert await booked.clinic.care.attachments(booked.doctor, booked.id) == []


async def test_nothing_is_kept_from_a_room_that_is_not_open(booked: Booked) -> None:
    with pytest.raises(RoomEarly):
        await booked.video.keep_snapshot(booked.doctor, booked.id, JPEG)
