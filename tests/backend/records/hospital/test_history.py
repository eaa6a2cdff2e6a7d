"""The history of a case's patient: asked for in the background, shown at once, and only to those whom it concerns."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from backend.clock import Clock
from backend.consultation import ConsultationView
from backend.db import Database
from backend.errors import Forbidden, InvalidInput, NotFound
from backend.records.hospital.history import FRESH, HistoryService, IdentityRefused
from backend.records.hospital.registry import Hospitals, HospitalSettings
from backend.records.hospital.stored import HospitalFacts, hospital_facts
from backend.records.hospital.views import Outcome
from backend.records.service import RecordService
from backend.security.policy import SYSTEM, Actor
from sandbox.hospital.access import LOCAL_TOKEN
from tests.support.clinic import Clinic, build_clinic
from tests.support.hospital import RunningHospital
from tests.support.waiting import eventually

NUMBER = "999901195903120026"


@dataclass
class Ward:
    """A clinic that knows one hospital, and a case in it."""

    clinic: Clinic
    hospitals: Hospitals
    history: HistoryService
    hospital: RunningHospital
    patient: Actor
    doctor: Actor
    case: ConsultationView
    hospital_id: str

    async def ask(self) -> None:
        """Let what happened reach the service, and the hospitals be asked."""
        while await self.clinic.events.dispatch():
            pass
        await self.history.fetch_due()

    async def facts(self) -> HospitalFacts:
        async with self.clinic.database.reading() as session:
            return await hospital_facts(session, self.patient.person_id)


@pytest_asyncio.fixture
async def ward(database: Database, clock: Clock, tmp_path: Path, hospital: RunningHospital) -> AsyncIterator[Ward]:
    clinic = build_clinic(database, clock, tmp_path / "files")
    hospitals = Hospitals(database, clock, clinic.audit, clinic.people)
    records = RecordService(database, clock, clinic.events, clinic.audit, clinic.people, clinic.care)
    history = HistoryService(
        database, clock, clinic.events, clinic.audit, clinic.people, clinic.care, records, hospitals
    )
    await clinic.furnish()
    settings = HospitalSettings(hospital.url, LOCAL_TOKEN)
    registered = await hospitals.register(SYSTEM, clinic.hospital, "县医院", settings)
    patient, doctor = await clinic.patient("王秀英"), await clinic.doctor()
    await clinic.people.update_person(patient, patient.person_id, sex="female", birth_date=date(1959, 3, 12))
    case = await clinic.draft(patient)
    yield Ward(clinic, hospitals, history, hospital, patient, doctor, case, registered.id)
    await hospitals.close()


@pytest_asyncio.fixture
async def known(ward: Ward) -> Ward:
    """The same, after the doctor wrote down the patient's identity number and the hospital was asked."""
    await ward.history.register_identity(ward.doctor, ward.case.id, NUMBER)
    await ward.ask()
    return ward


async def test_without_an_identity_number_no_hospital_is_asked(ward: Ward) -> None:
    await ward.ask()
    summary = await ward.history.summary(ward.doctor, ward.case.id)
    assert ward.hospital.hospital.asked == []
    assert not summary.identified
    assert [one.sentence for one in summary.hospitals] == ["还没有登记身份证号，查不到。"]
    assert (await ward.facts()).unreachable == ("县医院",)


async def test_opening_a_case_asks_the_hospitals(ward: Ward) -> None:
    await ward.clinic.people.update_person(ward.patient, ward.patient.person_id, id_number=NUMBER)
    await ward.ask()
    summary = await ward.history.summary(ward.doctor, ward.case.id)
    assert [one.outcome for one in summary.hospitals] == [Outcome.FETCHED]
    assert [(line.text, line.severe) for line in summary.allergies] == [("青霉素", True)]


async def test_a_case_shows_at_once_that_a_hospital_is_being_asked(ward: Ward) -> None:
    await ward.history.register_identity(ward.doctor, ward.case.id, NUMBER)
    summary = await ward.history.summary(ward.doctor, ward.case.id)
    assert summary.asking
    assert [one.sentence for one in summary.hospitals] == ["正在查。"]


async def test_what_was_fetched_is_there_without_asking_again(known: Ward) -> None:
    known.hospital.hospital.asked.clear()
    summary = await known.history.summary(known.doctor, known.case.id)
    await known.history.fetch_due()
    assert {line.text for line in summary.conditions} == {"原发性高血压", "2型糖尿病"}
    assert not summary.asking
    assert known.hospital.hospital.asked == []


async def test_what_is_old_is_shown_and_asked_for_again_behind_it(known: Ward) -> None:
    known.hospital.hospital.asked.clear()
    known.clinic.clock.advance(FRESH)
    assert (await known.history.summary(known.doctor, known.case.id)).allergies
    await known.history.fetch_due()
    assert known.hospital.hospital.asked


async def test_while_the_hospital_is_away_what_it_told_before_is_shown_with_its_day(known: Ward) -> None:
    known.hospital.hospital.faults.switch_on("html")
    known.clinic.clock.advance(timedelta(days=3))
    await known.history.summary(known.doctor, known.case.id)
    await known.history.fetch_due()
    summary = await known.history.summary(known.doctor, known.case.id)
    assert [one.outcome for one in summary.silent] == [Outcome.UNREACHABLE]
    assert summary.hospitals[0].sentence.startswith("医院系统的回答不是病历数据")
    assert "查到的" in summary.hospitals[0].sentence
    assert summary.allergies
    assert (await known.facts()).unreachable == ("县医院",)


async def test_a_hospital_that_never_answered_is_named(ward: Ward) -> None:
    ward.hospital.hospital.faults.switch_on("error")
    await ward.history.register_identity(ward.doctor, ward.case.id, NUMBER)
    await ward.ask()
    summary = await ward.history.summary(ward.doctor, ward.case.id)
    assert [(one.name, one.sentence) for one in summary.silent] == [
        ("县医院", "医院系统现在连不上。它的病历没有查到。")
    ]
    assert summary.allergies == ()
    assert summary.none_known == ""


async def test_a_hospital_that_was_away_is_asked_again_by_itself(ward: Ward) -> None:
    ward.hospital.hospital.faults.switch_on("html")
    await ward.history.register_identity(ward.doctor, ward.case.id, NUMBER)
    await ward.ask()
    ward.hospital.hospital.faults.clear()
    ward.clinic.clock.advance(timedelta(minutes=2))
    assert await ward.history.fetch_due() == 1
    assert (await ward.facts()).unreachable == ()


@pytest.mark.parametrize("fault", ["duplicate_patient", "wrong_name", "wrong_birth_date"])
async def test_of_a_patient_who_may_be_another_nothing_is_shown(known: Ward, fault: str) -> None:
    known.hospital.hospital.faults.switch_on(fault)
    known.clinic.clock.advance(FRESH)
    await known.history.refresh(known.doctor, known.case.id)
    await known.history.fetch_due()
    summary = await known.history.summary(known.doctor, known.case.id)
    assert [one.outcome for one in summary.silent] == [Outcome.UNMATCHED]
    assert "没有显示" in summary.hospitals[0].sentence
    assert (summary.allergies, summary.conditions, summary.laboratory) == ((), (), ())
    facts = await known.facts()
    assert facts.allergies == ()
    assert facts.unreachable == ("县医院",)


async def test_a_hospital_that_knows_nobody_of_this_number_says_so(ward: Ward) -> None:
    ward.hospital.hospital.store._of_type["Patient"].pop("p1")
    await ward.history.register_identity(ward.doctor, ward.case.id, NUMBER)
    await ward.ask()
    summary = await ward.history.summary(ward.doctor, ward.case.id)
    assert [one.sentence for one in summary.hospitals] == ["没有这个人的病历。"]
    assert (await ward.facts()).unreachable == ()


async def test_prescribers_get_what_the_hospitals_tell(known: Ward) -> None:
    facts = await known.facts()
    assert [(one.substance, one.severe, one.source.label) for one in facts.allergies] == [("青霉素", True, "医院病历")]
    assert {one.name for one in facts.medicines} == {"苯磺酸氨氯地平片", "盐酸二甲双胍片"}
    assert {one.icd10 for one in facts.conditions} == {"I10", "E11.9"}
    assert {one.code: one.value for one in facts.measurements}["14682-9"] == "74"
    assert facts.unreachable == ()


async def test_one_hospital_away_does_not_hide_another(known: Ward) -> None:
    clinic = known.clinic
    await known.hospitals.register(SYSTEM, clinic.hospital, "市医院", HospitalSettings("http://127.0.0.1:9"))
    await known.history.summary(known.doctor, known.case.id)
    await known.history.fetch_due()
    summary = await known.history.summary(known.doctor, known.case.id)
    assert [(one.name, one.outcome) for one in summary.hospitals] == [
        ("县医院", Outcome.FETCHED),
        ("市医院", Outcome.UNREACHABLE),
    ]
    assert summary.allergies
    assert (await known.facts()).unreachable == ("市医院",)


async def test_only_those_whom_the_case_concerns_read_it_and_every_read_is_audited(known: Ward) -> None:
    stranger = await known.clinic.patient("张三")
    expert = await known.clinic.expert()
    for nobody in (stranger, expert, await known.clinic.administrator()):
        with pytest.raises(Forbidden):
            await known.history.summary(nobody, known.case.id)
        with pytest.raises(Forbidden):
            await known.history.refresh(nobody, known.case.id)
    with pytest.raises(NotFound):
        await known.history.summary(known.doctor, "0" * 32)
    await known.history.summary(known.doctor, known.case.id)
    records = await known.clinic.audit.entries(SYSTEM, patient_id=known.patient.person_id)
    read = [(one.actor_id, one.subject) for one in records if one.action == "records.read"]
    assert (known.doctor.person_id, f"consultation:{known.case.id}") in read
    assert ("", f"hospital:{known.hospital_id}") in read


async def test_what_a_hospital_told_lies_encrypted(known: Ward) -> None:
    async with known.clinic.database.reading() as session:
        rows = (await session.execute(text("SELECT content FROM hospital_histories"))).all()
        logins = (await session.execute(text("SELECT credentials FROM hospitals"))).all()
    stored = b"".join(bytes(value) for (value,) in [*rows, *logins])
    assert len(stored) > 1000
    assert LOCAL_TOKEN.encode() not in stored
    assert not any(word in stored for word in ("青霉素".encode(), json.dumps("青霉素").encode()))


@pytest.mark.parametrize("number", ["999901195903120027", "123", "999901195211050012"])
async def test_a_number_that_cannot_be_the_patients_is_refused(ward: Ward, number: str) -> None:
    with pytest.raises(IdentityRefused):
        await ward.history.register_identity(ward.doctor, ward.case.id, number)
    assert await ward.clinic.people.identity_index_of(ward.patient.person_id) is None


async def test_a_hospital_that_is_removed_is_forgotten(known: Ward) -> None:
    await known.hospitals.deactivate(SYSTEM, known.hospital_id)
    summary = await known.history.summary(known.doctor, known.case.id)
    assert summary.hospitals == ()
    assert summary.allergies == ()


async def test_a_slow_hospital_keeps_nobody_else_waiting(ward: Ward) -> None:
    slow = ward.hospital.hospital.faults
    slow.switch_on("slow", 60)
    await ward.history.register_identity(ward.doctor, ward.case.id, NUMBER)
    loop = asyncio.create_task(ward.history.keep_fetching())
    try:
        await eventually(lambda: bool(ward.hospital.hospital.asked))
        settings = HospitalSettings("http://127.0.0.1:9")
        await ward.hospitals.register(SYSTEM, ward.clinic.hospital, "市医院", settings)
        await ward.history.summary(ward.doctor, ward.case.id)

        async def second_was_asked() -> bool:
            summary = await ward.history.summary(ward.doctor, ward.case.id)
            return summary.hospitals[1].outcome is Outcome.UNREACHABLE

        await eventually(second_was_asked, 20)
        assert (await ward.history.summary(ward.doctor, ward.case.id)).hospitals[0].asking
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def test_settings_that_cannot_be_are_refused(ward: Ward) -> None:
    good = HospitalSettings("https://his.example.cn/fhir", "token")
    for wrong in (
        replace(good, url="http://his.example.cn/fhir"),
        replace(good, login="two words"),
        replace(good, identity_system="身份证"),
    ):
        with pytest.raises(InvalidInput):
            await ward.hospitals.register(SYSTEM, ward.clinic.hospital, "县医院", wrong)
    with pytest.raises(Forbidden):
        await ward.hospitals.register(ward.doctor, ward.clinic.hospital, "县医院", good)
