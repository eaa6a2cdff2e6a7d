"""What persons may tell about themselves, and who may read it."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from backend.clock import Clock
from backend.db import Database
from backend.errors import Forbidden, InvalidInput, NotFound
from backend.people.correction_tables import Correction
from backend.people.service import PeopleService
from backend.security.policy import SYSTEM, Actor, Role

DOCTOR = Actor("d" * 32, frozenset({Role.GRASSROOTS_DOCTOR}), "e" * 32, "f" * 32)
ID_NUMBER = "11010519491231002X"


async def test_a_new_person_is_a_patient_with_the_name_they_came_with(people: PeopleService) -> None:
    person_id = await people.register("王秀英")
    actor = await people.actor(person_id)
    assert actor == Actor(person_id, frozenset({Role.PATIENT}))
    assert (await people.person(actor, person_id)).name == "王秀英"


@pytest.mark.parametrize("display_name", ["", "\x00\u202e", "😀" * 200])
async def test_any_display_name_is_taken_when_somebody_comes(people: PeopleService, display_name: str) -> None:
    person_id = await people.register(display_name)
    assert len((await people.person(SYSTEM, person_id)).name) <= 40


async def test_nobody_acts_as_a_person_that_there_is_not(people: PeopleService) -> None:
    with pytest.raises(NotFound):
        await people.actor("0" * 32)


async def test_what_a_person_tells_is_kept(people: PeopleService, clock: Clock) -> None:
    person_id = await people.register()
    actor = await people.actor(person_id)
    born = clock.today().date() - timedelta(days=20 * 366)
    told = await people.update_person(
        actor, person_id, name="李大山", sex="male", birth_date=born, phone="138 1234 5678", region="青岚县石桥镇"
    )
    assert told == await people.person(actor, person_id)
    assert (told.name, told.sex, told.birth_date, told.phone) == ("李大山", "male", born, "13812345678")
    assert (told.age_years, told.region) == (20, "青岚县石桥镇")


async def test_an_identity_number_tells_birth_date_and_sex(people: PeopleService) -> None:
    person_id = await people.register("王秀英")
    view = await people.update_person(await people.actor(person_id), person_id, id_number=ID_NUMBER)
    assert (view.birth_date, view.sex, view.name) == (date(1949, 12, 31), "female", "王秀英")


@pytest.mark.parametrize("typed", [{"birth_date": date(1957, 5, 1)}, {"sex": "male"}])
async def test_what_an_identity_number_tells_is_not_overwritten_by_a_typed_value(
    people: PeopleService, typed: dict[str, Any]
) -> None:
    person_id = await people.register("王秀英")
    actor = await people.actor(person_id)
    before = await people.update_person(actor, person_id, id_number=ID_NUMBER)
    with pytest.raises(InvalidInput):
        await people.update_person(actor, person_id, name="王秀兰", **typed)
    assert await people.person(actor, person_id) == before
    assert before.identified
    await people.update_person(actor, person_id, birth_date=before.birth_date, sex="female", name="王秀兰")


async def test_each_correction_keeps_both_versions_encrypted(people: PeopleService, database: Database) -> None:
    person_id = await people.register("王秀英")
    actor = await people.actor(person_id)
    await people.update_person(actor, person_id, name="王秀兰", address="石桥村3组12号")
    await people.update_person(actor, person_id, name="王秀兰")
    async with database.reading() as session:
        query = select(Correction.field, Correction.before, Correction.after, Correction.changed_by)
        rows = (await session.execute(query.order_by(Correction.id))).all()
        raw = b"".join(await session.scalars(text("SELECT after FROM person_corrections")))
    assert sorted(map(tuple, rows)) == [
        ("address", "", "石桥村3组12号", person_id),
        ("name", "王秀英", "王秀兰", person_id),
    ]
    assert "王秀兰".encode() not in raw


@pytest.mark.parametrize(
    "told",
    [
        {"sex": "male", "id_number": ID_NUMBER},
        {"birth_date": date(1950, 1, 1), "id_number": ID_NUMBER},
        {"name": "新名", "phone": "12345"},
        {"name": "新名", "birth_date": date(2999, 1, 1)},
        {"name": "新名", "sex": "男"},
        {"name": "12345"},
    ],
)
async def test_where_one_value_is_wrong_nothing_is_changed(people: PeopleService, told: dict[str, object]) -> None:
    person_id = await people.register("王秀英")
    before = await people.person(SYSTEM, person_id)
    with pytest.raises(InvalidInput):
        await people.update_person(await people.actor(person_id), person_id, **told)  # type: ignore[arg-type]
    assert await people.person(SYSTEM, person_id) == before


async def test_a_stranger_neither_reads_nor_changes_a_person(people: PeopleService) -> None:
    person_id = await people.register("王秀英")
    stranger = await people.actor(await people.register("别人"))
    for actor in (stranger, DOCTOR):
        with pytest.raises(Forbidden):
            await people.person(actor, person_id)
        with pytest.raises(Forbidden):
            await people.update_person(actor, person_id, name="改名")


async def test_a_doctor_who_takes_part_in_the_care_reads_and_changes(people: PeopleService) -> None:
    person_id = await people.register("王秀英")
    await people.update_person(DOCTOR, person_id, sex="female", participants=[DOCTOR.person_id])
    assert (await people.person(DOCTOR, person_id, participants=["e" * 32])).sex == "female"


async def test_a_person_that_there_is_not_cannot_be_read(people: PeopleService) -> None:
    with pytest.raises(NotFound):
        await people.person(SYSTEM, "0" * 32)


async def test_every_read_and_change_is_in_the_audit_log(people: PeopleService, database: Database) -> None:
    person_id = await people.register("王秀英")
    actor = await people.actor(person_id)
    await people.person(actor, person_id)
    await people.update_person(actor, person_id, name="王秀兰")
    async with database.reading() as session:
        query = text("SELECT action FROM audit_entries WHERE patient_id = :person ORDER BY id")
        actions = list(await session.scalars(query, {"person": person_id}))
    assert actions == ["people.register", "people.read", "people.update"]


async def test_nothing_that_names_a_person_is_readable_in_the_database(
    people: PeopleService, database: Database
) -> None:
    person_id = await people.register("王秀英")
    await people.update_person(SYSTEM, person_id, phone="13812345678", id_number=ID_NUMBER)
    async with database.reading() as session:
        row = (await session.execute(text("SELECT * FROM people"))).one()
    stored = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    for told in ("王秀英", "13812345678", ID_NUMBER, "1949-12-31"):
        assert told.encode() not in stored


async def test_a_person_is_put_under_a_given_id_once(people: PeopleService) -> None:
    given = {"name": "王秀英", "sex": "female", "birth_date": date(1959, 3, 12), "region": "青岚县"}
    assert await people.put_person(SYSTEM, "a" * 32, **given)  # type: ignore[arg-type]
    assert not await people.put_person(SYSTEM, "a" * 32, **given | {"name": "别人"})  # type: ignore[arg-type]
    assert (await people.person(SYSTEM, "a" * 32)).name == "王秀英"
    with pytest.raises(Forbidden):
        await people.put_person(DOCTOR, "b" * 32, **given)  # type: ignore[arg-type]
