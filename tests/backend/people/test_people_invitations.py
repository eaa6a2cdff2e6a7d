"""A scene lets exactly one person join, once, in time."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from backend.clock import Clock
from backend.db import Database
from backend.errors import Conflict, Forbidden, InvalidInput, NotFound
from backend.events import EventRow
from backend.people.service import PeopleService
from backend.security.policy import SYSTEM, Actor, Role

CENTRE = "c" * 32
DOCTOR = "d" * 32
EXPERT = "e" * 32


@pytest.fixture
async def centre(people: PeopleService) -> PeopleService:
    await people.put_institution(
        SYSTEM,
        CENTRE,
        code="QL-T01",
        name="石桥镇卫生院",
        kind="township",
        region="青岚县",
        address="",
        latitude=28.6,
        longitude=114.8,
    )
    for practitioner_id, role in ((DOCTOR, Role.GRASSROOTS_DOCTOR), (EXPERT, Role.EXPERT)):
        await people.put_practitioner(
            SYSTEM,
            practitioner_id,
            role=role,
            name="李春生",
            licence_number=practitioner_id[:8],
            institution_id=CENTRE,
            department_code="general_practice",
            title="主治医师",
            practising_since=2008,
        )
    return people


async def test_a_person_who_scans_becomes_that_doctor(centre: PeopleService, database: Database) -> None:
    invitation = await centre.create_invitation(SYSTEM, DOCTOR)
    person_id = await centre.register("李春生")
    joined = await centre.accept_invitation(person_id, invitation.scene)
    assert (joined.id, joined.person_id, joined.role) == (DOCTOR, person_id, Role.GRASSROOTS_DOCTOR)
    assert await centre.actor(person_id) == Actor(
        person_id, frozenset({Role.PATIENT, Role.GRASSROOTS_DOCTOR}), DOCTOR, CENTRE
    )
    assert [one.id for one in await centre.practitioners(joined_only=True)] == [DOCTOR]
    async with database.reading() as session:
        event = await session.scalar(select(EventRow).where(EventRow.type == "practitioner.joined"))
    assert event is not None
    assert event.payload == {"practitioner_id": DOCTOR, "person_id": person_id}


async def test_a_scene_fits_a_qr_code_and_no_two_are_alike(centre: PeopleService) -> None:
    scenes = {(await centre.create_invitation(SYSTEM, DOCTOR)).scene for _ in range(20)}
    assert len(scenes) == 20
    assert all(scene.startswith("join-") and len(scene) <= 64 for scene in scenes)


async def test_the_database_does_not_know_the_scene(centre: PeopleService, database: Database) -> None:
    invitation = await centre.create_invitation(SYSTEM, DOCTOR)
    async with database.reading() as session:
        row = (await session.execute(text("SELECT * FROM invitations"))).one()
    assert invitation.scene not in str(row)


async def test_a_used_scene_lets_nobody_else_in_and_does_its_owner_no_harm(centre: PeopleService) -> None:
    invitation = await centre.create_invitation(SYSTEM, DOCTOR)
    person_id = await centre.register("李春生")
    await centre.accept_invitation(person_id, invitation.scene)
    assert (await centre.accept_invitation(person_id, invitation.scene)).person_id == person_id
    with pytest.raises(Conflict) as refused:
        await centre.accept_invitation(await centre.register("别人"), invitation.scene)
    assert "用过" in refused.value.sentence


async def test_a_scene_ends_with_its_time(centre: PeopleService, clock: Clock) -> None:
    invitation = await centre.create_invitation(SYSTEM, DOCTOR, timedelta(hours=1))
    person_id = await centre.register("李春生")
    clock.advance(timedelta(hours=1, seconds=1))
    with pytest.raises(Conflict) as refused:
        await centre.accept_invitation(person_id, invitation.scene)
    assert "过期" in refused.value.sentence
    assert (await centre.actor(person_id)).roles == {Role.PATIENT}


@pytest.mark.parametrize("scene", ["", "join-", "join-unknown", "' OR ''='"])
async def test_an_unknown_scene_is_not_found(centre: PeopleService, scene: str) -> None:
    with pytest.raises(NotFound):
        await centre.accept_invitation(await centre.register(), scene)


async def test_two_who_scan_in_the_same_instant_are_not_both_let_in(centre: PeopleService) -> None:
    invitation = await centre.create_invitation(SYSTEM, DOCTOR)
    persons = [await centre.register(f"甲{number}") for number in "一二三四"]
    outcomes = await asyncio.gather(
        *(centre.accept_invitation(person, invitation.scene) for person in persons), return_exceptions=True
    )
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3
    joined = await centre.practitioner(DOCTOR)
    assert joined.person_id in persons
    roles = [(await centre.actor(person)).roles for person in persons]
    assert sum(Role.GRASSROOTS_DOCTOR in held for held in roles) == 1


async def test_of_two_scenes_for_one_doctor_only_one_can_be_used(centre: PeopleService) -> None:
    first = await centre.create_invitation(SYSTEM, DOCTOR)
    second = await centre.create_invitation(SYSTEM, DOCTOR)
    await centre.accept_invitation(await centre.register("甲"), first.scene)
    with pytest.raises(Conflict):
        await centre.accept_invitation(await centre.register("乙"), second.scene)
    with pytest.raises(Conflict):
        await centre.create_invitation(SYSTEM, DOCTOR)


async def test_a_person_joins_as_one_practitioner_alone(centre: PeopleService) -> None:
    person_id = await centre.register("甲")
    await centre.accept_invitation(person_id, (await centre.create_invitation(SYSTEM, DOCTOR)).scene)
    with pytest.raises(Conflict):
        await centre.accept_invitation(person_id, (await centre.create_invitation(SYSTEM, EXPERT)).scene)


async def test_a_practitioner_who_left_acts_as_a_patient_only(centre: PeopleService) -> None:
    person_id = await centre.register("甲")
    await centre.accept_invitation(person_id, (await centre.create_invitation(SYSTEM, EXPERT)).scene)
    await centre.put_practitioner(
        SYSTEM,
        EXPERT,
        role=Role.EXPERT,
        name="李春生",
        licence_number=EXPERT[:8],
        institution_id=CENTRE,
        department_code="general_practice",
        title="主治医师",
        practising_since=2008,
        active=False,
    )
    assert await centre.actor(person_id) == Actor(person_id, frozenset({Role.PATIENT}))


async def test_only_an_administrator_or_the_platform_invites(centre: PeopleService) -> None:
    administrator = Actor("1" * 32, frozenset({Role.ADMINISTRATOR}))
    await centre.create_invitation(administrator, DOCTOR)
    for role in (Role.PATIENT, Role.GRASSROOTS_DOCTOR, Role.EXPERT):
        with pytest.raises(Forbidden):
            await centre.create_invitation(Actor("1" * 32, frozenset({role}), DOCTOR, CENTRE), DOCTOR)


@pytest.mark.parametrize("valid_for", [timedelta(), timedelta(days=-1), timedelta(days=31)])
async def test_an_invitation_lasts_at_most_thirty_days(centre: PeopleService, valid_for: timedelta) -> None:
    with pytest.raises(InvalidInput):
        await centre.create_invitation(SYSTEM, DOCTOR, valid_for)


async def test_nobody_is_invited_as_a_doctor_that_there_is_not(centre: PeopleService) -> None:
    with pytest.raises(NotFound):
        await centre.create_invitation(SYSTEM, "0" * 32)
