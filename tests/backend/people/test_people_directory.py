"""Institutions by distance, doctors and experts by what they know."""

from typing import Any

import pytest

from backend.clock import Clock
from backend.db import Database
from backend.errors import Forbidden, InvalidInput, NotFound
from backend.people.service import PeopleService
from backend.security.policy import SYSTEM, Actor, Role

PATIENT = Actor("a" * 32, frozenset({Role.PATIENT}))
CENTRES = {"north": (28.70, 114.76), "middle": (28.61, 114.82), "south": (28.47, 114.85)}


async def put_centres(people: PeopleService) -> None:
    for code, (latitude, longitude) in CENTRES.items():
        await people.put_institution(
            SYSTEM,
            code.ljust(32, "0"),
            code=code,
            name=f"{code}卫生院",
            kind="tertiary" if code == "south" else "township",
            region="青岚县",
            address="人民路1号",
            latitude=latitude,
            longitude=longitude,
        )


async def put_expert(people: PeopleService, code: str, **values: Any) -> str:
    given: dict[str, Any] = {
        "role": Role.EXPERT,
        "name": "陈怀远",
        "licence_number": f"DEMO-{code}",
        "institution_id": "south".ljust(32, "0"),
        "department_code": "cardiology",
        "title": "主任医师",
        "practising_since": 1992,
        "icd10": ["I10-I15", "I20.0"],
    }
    await people.put_practitioner(SYSTEM, code.ljust(32, "0"), **given | values)
    return code.ljust(32, "0")


@pytest.fixture
async def directory(people: PeopleService) -> PeopleService:
    await put_centres(people)
    return people


async def test_institutions_come_nearest_first_with_their_distance(directory: PeopleService) -> None:
    found = await directory.institutions(near=(28.48, 114.85))
    assert [one.code for one in found] == ["south", "middle", "north"]
    assert found[0].distance_km == pytest.approx(1.1, abs=0.1)
    assert found[1].distance_km == pytest.approx(14.8, abs=0.2)


async def test_east_and_west_count_less_than_north_and_south_at_our_latitude(directory: PeopleService) -> None:
    # A tenth of a degree is 11 km to the north and 10 km to the east here.
    here = (28.61, 114.72)
    found = await directory.institutions(kind="township", near=here)
    assert [one.code for one in found] == ["middle", "north"]


async def test_without_a_place_institutions_have_no_distance(directory: PeopleService) -> None:
    found = await directory.institutions()
    assert [(one.code, one.distance_km) for one in found] == [("middle", None), ("north", None), ("south", None)]


async def test_institutions_are_chosen_by_kind_and_paged(directory: PeopleService) -> None:
    assert [one.code for one in await directory.institutions(kind="tertiary")] == ["south"]
    assert [one.code for one in await directory.institutions(limit=1, offset=1)] == ["north"]
    assert await directory.institutions(offset=3) == []


async def test_an_institution_that_there_is_not_is_not_found(directory: PeopleService) -> None:
    assert (await directory.institution("north".ljust(32, "0"))).name == "north卫生院"
    with pytest.raises(NotFound):
        await directory.institution("0" * 32)


async def test_an_expert_is_shown_with_institution_department_and_years(directory: PeopleService, clock: Clock) -> None:
    expert = await directory.practitioner(await put_expert(directory, "e1"))
    assert (expert.name, expert.title, expert.role) == ("陈怀远", "主任医师", Role.EXPERT)
    assert (expert.institution_name, expert.department_name) == ("south卫生院", "心血管内科")
    assert (expert.years, expert.icd10) == (clock.today().year - 1992, ("I10-I15", "I20.0"))
    assert (expert.person_id, expert.on_call, expert.active) == (None, False, True)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["I10"], True),
        (["I10.x00"], True),
        (["I13-I20"], True),
        (["I20"], True),
        (["I20.0"], True),
        (["I20.9"], False),
        (["I21", "J18"], False),
        (["J18", "I15.9"], True),
        ([], False),
    ],
)
async def test_an_expert_is_found_by_the_diseases_that_they_know(
    directory: PeopleService, wanted: list[str], found: bool
) -> None:
    expert = await put_expert(directory, "e1")
    matches = await directory.practitioners(icd10_prefixes=wanted)
    assert [one.id for one in matches] == ([expert] if found else [])


async def test_practitioners_are_chosen_by_every_property(directory: PeopleService) -> None:
    first = await put_expert(directory, "e1")
    second = await put_expert(directory, "e2", department_code="neurology", on_call=True)
    doctor = await put_expert(
        directory, "d1", role=Role.GRASSROOTS_DOCTOR, institution_id="north".ljust(32, "0"), icd10=[], title="执业医师"
    )
    gone = await put_expert(directory, "e3", active=False)

    async def ids(**chosen: Any) -> list[str]:
        return [one.id for one in await directory.practitioners(**chosen)]

    assert await ids() == [doctor, first, second]
    assert await ids(role=Role.EXPERT) == [first, second]
    assert await ids(institution_id="north".ljust(32, "0")) == [doctor]
    assert await ids(department_code="neurology") == [second]
    assert await ids(on_call=True) == [second]
    assert await ids(on_call=False) == [doctor, first]
    assert await ids(joined_only=True) == []
    assert gone in await ids(active_only=False)
    assert await ids(limit=1, offset=1) == [first]


async def test_putting_a_practitioner_again_changes_them_and_their_expertise(directory: PeopleService) -> None:
    expert = await put_expert(directory, "e1")
    await put_expert(directory, "e1", name="林晓岚", icd10=["J40-J47"])
    changed = await directory.practitioner(expert)
    assert (changed.name, changed.icd10) == ("林晓岚", ("J40-J47",))


@pytest.mark.parametrize(
    "wrong",
    [
        {"department_code": "astrology"},
        {"title": "院士"},
        {"practising_since": 2999},
        {"role": Role.PATIENT},
        {"icd10": ["高血压"]},
        {"name": "123"},
    ],
)
async def test_a_practitioner_that_cannot_be_is_refused(directory: PeopleService, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        await put_expert(directory, "e1", **wrong)
    assert await directory.practitioners() == []


async def test_an_institution_has_a_level_and_perhaps_a_code_at_insurers(directory: PeopleService) -> None:
    given: dict[str, Any] = {
        "code": "x",
        "name": "县医院",
        "kind": "tertiary",
        "region": "",
        "address": "",
        "latitude": 28.0,
    }
    code = "H99990100077"
    await directory.put_institution(SYSTEM, "0" * 32, longitude=114.0, level="secondary", insurance_code=code, **given)
    north, south = [await directory.institution(name.ljust(32, "0")) for name in ("north", "south")]
    county = await directory.institution("0" * 32)
    assert [one.level for one in (north, south, county)] == ["primary", "tertiary", "secondary"]
    assert [one.insurance_code for one in (north, south, county)] == ["", "", code]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "clinic"},
        {"latitude": 91.0},
        {"longitude": float("nan")},
        {"insurance_code": "H1"},
        {"insurance_code": "H9999010000１"},
    ],
)
async def test_an_institution_that_cannot_be_is_refused(people: PeopleService, wrong: dict[str, Any]) -> None:
    given = {"code": "x", "name": "卫生院", "kind": "township", "region": "", "address": "", "latitude": 28.0}
    with pytest.raises(InvalidInput):
        await people.put_institution(SYSTEM, "0" * 32, **{"longitude": 114.0, **given, **wrong})


async def test_only_who_manages_the_directory_changes_it(directory: PeopleService) -> None:
    with pytest.raises(Forbidden):
        await directory.put_institution(
            PATIENT,
            "0" * 32,
            code="x",
            name="x",
            kind="township",
            region="",
            address="",
            latitude=28.0,
            longitude=114.0,
        )


async def test_an_expert_goes_on_call_themselves_and_nobody_else_sends_them(directory: PeopleService) -> None:
    expert_id = await put_expert(directory, "e1")
    expert = Actor("b" * 32, frozenset({Role.EXPERT}), expert_id)
    await directory.set_on_call(expert, expert_id, True)
    assert [one.id for one in await directory.practitioners(on_call=True)] == [expert_id]
    for other in (PATIENT, Actor("c" * 32, frozenset({Role.EXPERT}), "f" * 32)):
        with pytest.raises(Forbidden):
            await directory.set_on_call(other, expert_id, False)


async def test_a_practitioner_that_there_is_not_is_not_found(directory: PeopleService, database: Database) -> None:
    with pytest.raises(NotFound):
        await directory.practitioner("0" * 32)
    with pytest.raises(NotFound):
        await directory.set_on_call(SYSTEM, "0" * 32, True)
