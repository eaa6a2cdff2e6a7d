"""Surveillance on real cases: what is kept of them, on which days the platform ran, alarms made once."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, select

from backend.clock import LOCAL_ZONE, Clock
from backend.db import Database
from backend.errors import Conflict, Forbidden, InvalidInput, NotFound
from backend.people import AreaView
from backend.security.policy import SYSTEM, Actor, Role
from backend.surveillance.facts import EVERY_CASE
from backend.surveillance.rules import UNKNOWN_AREA, WHOLE
from backend.surveillance.service import SurveillanceService
from backend.surveillance.tables import SurveillanceDay, SyndromeAlarm, SyndromeFact
from tests.support import cases
from tests.support.house import House, build_house
from tests.support.surveillance import SYNDROME, add_cases, platform_ran

ADMINISTRATOR = Actor("a" * 32, frozenset({Role.ADMINISTRATOR}))
FEVER = {
    "symptoms": [{"name": "咳嗽", "status": "positive"}, {"name": "皮疹", "status": "negative"}],
    "temperature": 38.6,
}


@pytest.fixture
async def house(database: Database, clock: Clock, tmp_path: Path) -> House:
    """The services, and it is ten in the morning."""
    now = clock.now().astimezone(LOCAL_ZONE)
    clock.advance(datetime.combine(now.date() + timedelta(days=1), now.time().replace(hour=10), LOCAL_ZONE) - now)
    return await build_house(database, clock, tmp_path / "files")


@pytest.fixture
async def surveillance(house: House) -> AsyncIterator[SurveillanceService]:
    services = house.services
    service = SurveillanceService(
        house.database, house.clock, house.events, house.timers, house.audit, services.people, services.consultations
    )
    house.workers.append(service.work)
    yield service
    service.close()


async def patient(house: House, region: str = "") -> Actor:
    people = house.services.people
    person_id = await people.register()
    actor = await house.actor(person_id)
    await people.update_person(actor, person_id, name="王小明", region=region)
    await people.give_consent(actor, people.consent_document().version)
    return actor


async def opened(house: House, actor: Actor, facts: dict[str, object]) -> str:
    case = await house.services.consultations.open(
        actor,
        patient_id=actor.person_id,
        institution_id=house.institutions["青山镇卫生院"],
        record={"chief_complaint": "发热咳嗽3天"},
        facts=facts,
        department_code="respiratory",
        urgency="routine",
    )
    await house.settle()
    return case.id


async def facts_of(house: House) -> list[tuple[str, str]]:
    async with house.database.reading() as session:
        rows = (await session.scalars(select(SyndromeFact).order_by(SyndromeFact.syndrome))).all()
    assert len({row.case_key for row in rows}) <= 1
    return [(row.syndrome, row.area) for row in rows]


async def test_a_case_counts_from_its_first_words_and_anew_when_a_code_comes(
    house: House, surveillance: SurveillanceService
) -> None:
    person = await patient(house)
    case_id = await opened(house, person, FEVER)
    assert await facts_of(house) == [(EVERY_CASE, "青山县"), ("fever_respiratory", "青山县")]
    await house.services.consultations.submit(await cases.staff(house, "村医甲"), case_id, icd10="B05.9")
    await house.settle()
    assert [code for code, _ in await facts_of(house)] == [EVERY_CASE, "fever_rash", "fever_respiratory"]
    await house.services.consultations.cancel(person, case_id, "好了")
    await house.settle()
    assert len(await facts_of(house)) == 3


async def test_nothing_in_the_tables_tells_whose_a_case_is(house: House, surveillance: SurveillanceService) -> None:
    person = await patient(house)
    case_id = await opened(house, person, FEVER)
    async with house.database.reading() as session:
        rows = (await session.scalars(select(SyndromeFact))).all()
    names = {column.key for column in inspect(SyndromeFact).columns}
    assert names == {"case_key", "syndrome", "day", "area"}
    kept = str([[getattr(row, name) for name in sorted(names)] for row in rows])
    for secret in (case_id, person.person_id, "王小明", "发热", "咳嗽"):
        assert secret not in kept


async def test_a_case_counts_where_the_patient_lives_if_that_is_an_area(
    house: House, surveillance: SurveillanceService
) -> None:
    people = house.services.people
    await people.put_institution(
        SYSTEM, "b" * 32, code="T9", name="柳溪镇卫生院", kind="township", region="柳溪镇", address="一号",
        insurance_code="H99999999999", latitude=30.0, longitude=114.0,
    )  # fmt: skip
    assert (
        await people.area_of((await patient(house, "柳溪镇")).person_id, house.institutions["青山镇卫生院"]) == "柳溪镇"
    )
    assert (
        await people.area_of((await patient(house, "外省")).person_id, house.institutions["青山镇卫生院"]) == "青山县"
    )
    assert (await people.areas())[0] == AreaView("柳溪镇", (30.0, 114.0))


async def test_without_a_region_a_case_counts_apart_and_an_institution_sees_nothing(
    house: House, surveillance: SurveillanceService
) -> None:
    """The empty name is that of the whole: neither may a case be counted there, nor an institution look."""
    centre, people = await house.services.people.institution(house.institutions["青山镇卫生院"]), house.services.people
    await people.put_institution(
        SYSTEM, centre.id, code=centre.code, name=centre.name, kind=centre.kind, region="", address=centre.address,
        latitude=30.1, longitude=114.1,
    )  # fmt: skip
    await opened(house, await patient(house), FEVER)
    assert {area for _, area in await facts_of(house)} == {UNKNOWN_AREA}
    manager = Actor("e" * 32, frozenset({Role.INSTITUTION_ADMINISTRATOR}), institution_id=centre.id)
    today = house.clock.today().date()
    await add_cases(house.database, today - timedelta(days=1), "柳溪镇", 9)
    assert await surveillance.counts(manager, SYNDROME, today - timedelta(days=1), today) == []


async def test_hours_are_counted_once_each_and_a_day_needs_twelve(
    house: House, surveillance: SurveillanceService
) -> None:
    began = house.clock.today().date()
    for _ in range(2):  # a second process begins in the same hour
        await surveillance.begin()
        await house.timers.fire()
    for _ in range(16):
        house.clock.advance(timedelta(hours=1))
        await house.timers.fire()
    async with house.database.reading() as session:
        rows = {row.day: row for row in await session.scalars(select(SurveillanceDay))}
    assert [rows[began].hours, rows[began + timedelta(days=1)].hours] == [14, 3]
    house.clock.advance(timedelta(days=3))  # the platform was away
    await house.timers.fire()
    known = await surveillance._days.known(began, began + timedelta(days=9))
    assert known == {began}


async def test_the_timer_of_a_day_finds_an_outbreak_once_and_tells_of_it(
    house: House, surveillance: SurveillanceService
) -> None:
    today = house.clock.today().date()
    outbreak = today - timedelta(days=1)
    await platform_ran(house.database, today - timedelta(days=25), outbreak)
    for ago in range(1, 25):
        await add_cases(house.database, today - timedelta(days=ago), "甲镇", 30 if ago == 1 else 8)
        await add_cases(house.database, today - timedelta(days=ago), "乙镇", 6)
    told: list[list[dict[str, str]]] = []

    async def listen(event: object) -> None:
        told.append(event.payload["alarms"])  # type: ignore[attr-defined]

    house.events.subscribe("listener", ["surveillance.alarmed"], listen)
    await surveillance.begin()
    await house.settle()
    found = await surveillance.alarms(ADMINISTRATOR)
    assert {(one.day, one.area, str(one.shown)) for one in found} == {(outbreak, WHOLE, "36"), (outbreak, "甲镇", "30")}
    assert [one["area"] for one in told[0]] == [WHOLE, "甲镇"]
    assert (len(told), await surveillance.assess(ADMINISTRATOR), await surveillance.work()) == (1, 0, 0)
    async with house.database.reading() as session:
        rows = (await session.scalars(select(SurveillanceDay).where(SurveillanceDay.day == outbreak))).all()
    assert all(row.assessed_at is not None and row.due_at is None for row in rows)


async def test_an_alarm_is_acknowledged_once_with_a_note_and_an_audit_entry(
    house: House, surveillance: SurveillanceService
) -> None:
    async with house.database.transaction() as session:
        session.add(
            SyndromeAlarm(
                id="c" * 32,
                day=date(2026, 11, 1),
                syndrome=SYNDROME,
                area="甲镇",
                methods="C1,C2",
                low=12,
                high=12,
                bound=6.5,
                raised_at=house.clock.now(),
            )
        )
    [alarm] = await surveillance.alarms(ADMINISTRATOR, unacknowledged=True)
    with pytest.raises(InvalidInput):
        await surveillance.acknowledge(ADMINISTRATOR, alarm.id, " ")
    with pytest.raises(NotFound):
        await surveillance.acknowledge(ADMINISTRATOR, "d" * 32, "已核实")
    done = await surveillance.acknowledge(ADMINISTRATOR, alarm.id, " 学校聚集，已派人流调 ")
    assert (done.note, done.acknowledged_by, list(done.methods)) == ("学校聚集，已派人流调", "a" * 32, ["C1", "C2"])
    with pytest.raises(Conflict):
        await surveillance.acknowledge(ADMINISTRATOR, alarm.id, "又一次")
    assert await surveillance.alarms(ADMINISTRATOR, unacknowledged=True) == []
    [entry] = await house.audit.entries(SYSTEM, limit=1)
    assert (entry.action, entry.subject) == ("surveillance.acknowledge", f"alarm:{alarm.id}")


async def test_counts_are_of_days_that_are_over_and_their_reading_is_no_entry_in_the_audit_log(
    house: House, surveillance: SurveillanceService
) -> None:
    await opened(house, await patient(house), FEVER)
    today = house.clock.today().date()
    await add_cases(house.database, today - timedelta(days=2), "青山县", 7)
    entries = await house.audit.entries(SYSTEM)
    found = await surveillance.counts(ADMINISTRATOR, SYNDROME, today - timedelta(days=3), today)
    assert {one.day for one in found} == {today - timedelta(days=ago) for ago in (3, 2, 1)}
    assert [str(one.shown) for one in found if one.area == "青山县"] == ["None", "7", "None"]
    assert len(await house.audit.entries(SYSTEM)) == len(entries) + 1  # of the reading of the log itself
    assert await surveillance.counts(ADMINISTRATOR, SYNDROME, today, today) == []


async def test_who_may_see_no_counts_is_refused_and_so_is_what_cannot_be(
    house: House, surveillance: SurveillanceService
) -> None:
    today = house.clock.today().date()
    doctor = await cases.staff(house, "村医甲")
    for forbidden in (
        surveillance.counts(doctor, SYNDROME, today, today),
        surveillance.alarms(doctor),
        surveillance.assess(doctor),
        surveillance.acknowledge(doctor, "c" * 32, "好"),
    ):
        with pytest.raises(Forbidden):
            await forbidden
    for wrong in (
        ("没有", today, today),
        (SYNDROME, today, today - timedelta(days=1)),
        (SYNDROME, date(2020, 1, 1), today),
    ):
        with pytest.raises(InvalidInput):
            await surveillance.counts(ADMINISTRATOR, *wrong)
