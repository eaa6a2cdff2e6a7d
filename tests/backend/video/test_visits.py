"""Who came and went, as media processes tell it: once, again, too late, or never."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.consultation.rules import Status
from backend.errors import DomainError
from backend.ids import new_id
from backend.timers import Timer
from backend.video.rooms import RoomClosed
from backend.video.tables import RoomVisit, VideoRoom
from backend.video.visits import EMPTY_TIMER
from tests.backend.video.conftest import Booked


async def visits(booked: Booked) -> list[RoomVisit]:
    """Give the rows of the visits."""
    async with booked.clinic.database.reading() as session:
        return list(await session.scalars(select(RoomVisit).order_by(RoomVisit.id)))


async def everybody_enters(booked: Booked) -> None:
    """Let doctor and expert enter at the booked time, a minute apart, and the patient be admitted."""
    await booked.move_to(0)
    for actor in (booked.doctor, booked.expert):
        await booked.enter(actor)
        await booked.happens("joined", actor)
        await booked.pass_minutes(1)
    await booked.enter(booked.patient)
    await booked.happens("waiting", booked.patient)
    await booked.pass_minutes(1)
    await booked.happens("admitted", booked.patient)


async def everybody_leaves(booked: Booked) -> None:
    """Let all three go."""
    for actor in (booked.patient, booked.doctor, booked.expert):
        await booked.happens("left", actor)
        await booked.pass_minutes(0.01)


async def test_a_meeting_ends_when_the_room_has_been_empty_for_two_minutes(booked: Booked) -> None:
    await everybody_enters(booked)
    await booked.pass_minutes(27)
    await everybody_leaves(booked)
    await booked.pass_minutes(1.5)
    assert await booked.meetings() == []
    await booked.pass_minutes(1)
    assert await booked.meetings() == ["视频会诊 30分钟（09:00–09:30）：患者27分钟、医生30分钟、专家29分钟"]
    [ended] = await booked.clinic.published("room.ended")
    assert (ended["met"], ended["minutes"], ended["consultation_id"]) == (True, 30, booked.id)


async def test_whoever_comes_back_within_two_minutes_goes_on_with_the_meeting(booked: Booked) -> None:
    await everybody_enters(booked)
    await everybody_leaves(booked)
    await booked.pass_minutes(1)
    await booked.happens("joined", booked.doctor)
    await booked.pass_minutes(10)
    assert await booked.meetings() == []
    await booked.happens("left", booked.doctor)
    await booked.pass_minutes(3)
    [line] = await booked.meetings()
    assert "医生13分钟" in line


async def test_a_second_meeting_gets_a_line_of_its_own(booked: Booked) -> None:
    await everybody_enters(booked)
    await booked.happens("left", booked.doctor)
    await booked.happens("left", booked.expert)
    await booked.happens("left", booked.patient)
    await booked.pass_minutes(3)
    await booked.happens("joined", booked.expert)
    await booked.pass_minutes(5)
    await booked.happens("left", booked.expert)
    await booked.pass_minutes(3)
    lines = await booked.meetings()
    assert [line.partition("（")[0] for line in lines] == ["视频会诊 3分钟", "视频会诊室里只来了一方"]
    assert [payload["met"] for payload in await booked.clinic.published("room.ended")] == [True, False]


async def test_who_waits_and_who_comes_is_published(booked: Booked) -> None:
    await everybody_enters(booked)
    [waiting] = await booked.clinic.published("room.waiting")
    assert waiting["actor_id"] == booked.patient.person_id
    joined = await booked.clinic.published("room.joined")
    assert [payload["role"] for payload in joined] == ["grassroots_doctor", "expert", "patient"]


async def test_with_patient_and_expert_together_the_consultation_has_begun(booked: Booked) -> None:
    async def status() -> Status:
        return (await booked.clinic.care.get(booked.doctor, booked.id)).status

    await booked.move_to(0)
    for actor in (booked.doctor, booked.expert):
        await booked.enter(actor)
        await booked.happens("joined", actor)
    await booked.enter(booked.patient)
    await booked.happens("waiting", booked.patient)
    assert await status() is Status.ASSIGNED  # the patient may still not come
    await booked.happens("admitted", booked.patient)
    assert await status() is Status.IN_PROGRESS
    assert set(await booked.video.people_inside(booked.id)) == {
        actor.person_id for actor in (booked.patient, booked.doctor, booked.expert)
    }


async def test_what_is_told_twice_happened_once(booked: Booked) -> None:
    await booked.move_to(0)
    await booked.enter(booked.patient)
    told = []
    for kind in ("waiting", "admitted", "joined", "left", "waiting", "joined"):
        booked.clinic.clock.advance(timedelta(seconds=1))
        told.append((kind, booked.clinic.clock.now()))
    for number in range(len(told)):
        for kind, at in told[: number + 1]:  # the whole past again, at each step
            await booked.video.happened(kind, booked.id, booked.patient.person_id, at, booked.node_id)
    held = [(visit.came_at, visit.entered_at, visit.left_at) for visit in await visits(booked)]
    moments = [at for _, at in told]
    assert held == [(moments[0], moments[1], moments[3]), (moments[4], moments[5], None)]
    assert len(await booked.clinic.published("room.joined")) == 2


async def test_what_comes_too_late_changes_nothing(booked: Booked) -> None:
    await booked.move_to(0)
    await booked.enter(booked.doctor)
    now, person, second = booked.clinic.clock.now(), booked.doctor.person_id, timedelta(seconds=1)
    happened = booked.video.happened
    await happened("joined", booked.id, person, now + 2 * second, booked.node_id)
    await happened("left", booked.id, person, now + second, booked.node_id)
    await happened("left", booked.id, person, now + 4 * second, booked.node_id)
    await happened("joined", booked.id, person, now + 3 * second, booked.node_id)
    assert [(visit.came_at, visit.left_at) for visit in await visits(booked)] == [(now + 2 * second, now + 4 * second)]


async def test_what_is_told_of_a_room_that_nobody_was_let_into_is_passed_over(booked: Booked) -> None:
    await booked.happens("joined", booked.doctor)
    await booked.happens("recording_started", booked.doctor)
    assert await visits(booked) == []


async def test_a_guest_who_was_admitted_need_not_wait_again(booked: Booked) -> None:
    await booked.move_to(0)
    assert not (await booked.enter(booked.patient)).admitted
    await booked.happens("waiting", booked.patient)
    assert not (await booked.enter(booked.patient)).admitted
    await booked.pass_minutes(0.1)
    await booked.happens("admitted", booked.patient)
    assert (await booked.enter(booked.patient)).admitted
    assert not (await booked.enter(booked.doctor)).admitted  # of no use to hosts


async def test_the_stays_at_a_process_that_died_end_when_it_was_last_heard(booked: Booked) -> None:
    await booked.move_to(0)
    await booked.enter(booked.doctor)
    await booked.happens("joined", booked.doctor)
    await booked.pass_minutes(5)
    await booked.dies(ago=timedelta(minutes=2))
    last_heard = booked.clinic.clock.now() - timedelta(minutes=2)
    other = new_id()
    await booked.live(other)
    assert (await booked.enter(booked.doctor)).node_id == other
    [visit] = await visits(booked)
    assert visit.left_at is not None
    assert abs(visit.left_at - last_heard) < timedelta(minutes=1)  # the two clocks differ by what the test took
    await booked.happens("joined", booked.doctor, other)
    await booked.happens(
        "left", booked.doctor
    )  # the dead one comes back to life: it says nothing of the other's people
    assert [visit.left_at is None for visit in await visits(booked)] == [False, True]


async def finish(booked: Booked) -> None:
    """Let the expert give an opinion and close."""
    care = booked.clinic.care
    if (await care.get(booked.expert, booked.id)).status is Status.ASSIGNED:
        await care.start(booked.expert, booked.id)
    await care.record_opinion(booked.expert, booked.id, icd10="J20.9", diagnosis="急性支气管炎", plan="休息。")
    await care.complete(booked.expert, booked.id)
    await booked.settle()


async def test_a_room_closes_with_its_consultation_and_its_process_hears_of_it(booked: Booked) -> None:
    await everybody_enters(booked)
    assert await booked.live() == ()
    await finish(booked)
    assert await booked.live() == (booked.id,)
    with pytest.raises(RoomClosed):
        await booked.enter(booked.doctor)
    assert await booked.meetings() == []  # they are still being sent home
    await everybody_leaves(booked)
    assert len(await booked.meetings()) == 1
    assert await booked.live(carries_it=False) == ()  # nothing is left to close


async def test_a_room_that_is_empty_when_its_consultation_ends_is_told_at_once(booked: Booked) -> None:
    await everybody_enters(booked)
    await everybody_leaves(booked)
    await finish(booked)
    assert len(await booked.meetings()) == 1
    async with booked.clinic.database.reading() as session:
        assert await session.scalar(select(Timer.id).where(Timer.kind == EMPTY_TIMER)) is None
    await booked.pass_minutes(3)
    assert len(await booked.meetings()) == 1


async def test_a_meeting_whose_process_died_is_told_when_its_consultation_ends(booked: Booked) -> None:
    await everybody_enters(booked)
    await booked.dies()
    await finish(booked)
    assert len(await booked.meetings()) == 1


async def test_a_meeting_whose_process_dies_while_it_sends_people_home_is_told_soon(booked: Booked) -> None:
    await everybody_enters(booked)
    await finish(booked)
    assert await booked.meetings() == []
    await booked.dies()
    await booked.clinic.pass_time(timedelta(minutes=3))
    assert len(await booked.meetings()) == 1


async def test_whoever_still_slips_in_after_the_end_is_sent_home(booked: Booked) -> None:
    await booked.move_to(0)
    await booked.enter(booked.doctor)
    await finish(booked)
    assert await booked.live(carries_it=False) == ()
    await booked.pass_minutes(0.1)
    await booked.happens("joined", booked.doctor)
    assert await booked.live() == (booked.id,)


async def test_a_room_of_a_case_that_is_given_back_opens_again_for_the_next_expert(booked: Booked) -> None:
    await booked.move_to(-10)
    await booked.enter(booked.expert)
    await booked.clinic.care.give_back(booked.expert, booked.id, "临时有手术")
    await booked.settle()
    with pytest.raises(DomainError):
        await booked.enter(booked.patient)
    async with booked.clinic.database.reading() as session:
        assert (await session.get_one(VideoRoom, booked.id)).closed_at is not None
    other = await booked.clinic.expert("刘专家", icd10=["J00-J99"])
    await booked.clinic.care.assign_expert(await booked.clinic.administrator(), booked.id, str(other.practitioner_id))
    await booked.clinic.care.start(other, booked.id)
    await booked.live()
    assert (await booked.enter(other)).node_id == booked.node_id
    assert await booked.live() == ()


async def test_a_room_closes_when_its_time_is_moved(booked: Booked) -> None:
    await booked.move_to(-10)
    await booked.enter(booked.patient)
    slots = await booked.clinic.care.bookable_slots(booked.patient, booked.id, 5)
    await booked.clinic.care.reschedule(booked.patient, booked.id, slots[-1].id)
    await booked.settle()
    async with booked.clinic.database.reading() as session:
        assert (await session.get_one(VideoRoom, booked.id)).closed_at is not None
