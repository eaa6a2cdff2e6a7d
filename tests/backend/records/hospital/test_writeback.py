"""What happened here lands in the hospital's record: once, also after an outage, and nobody else's."""

from argparse import Namespace
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from backend.clock import Clock
from backend.db import Database
from backend.dispensing import DispensingService
from backend.errors import Forbidden
from backend.fhir.elements import uuid_identifier
from backend.fhir.systems import IDENTITY_NUMBER
from backend.ids import new_id
from backend.records.hospital.client import HospitalClient
from backend.records.hospital.registry import Hospitals, HospitalSettings
from backend.records.hospital.writeback import WriteBack
from backend.records.hospital.writing_rules import NO_CONSENT, SENTENCES, UNMATCHED, WriteState
from backend.security.policy import SYSTEM, Action
from backend.security.tables import AuditEntry
from qiaoyi.hospitals import resend, written
from sandbox.hospital.access import LOCAL_TOKEN
from sandbox.hospital.store import Store
from tests.backend.reporting.conftest import ReportDesk, build_desk
from tests.support.clinic import Clinic
from tests.support.dying import Forked
from tests.support.fhir_models import read_resource
from tests.support.hospital import RunningHospital
from tests.support.killable_writeback import STEPS
from tests.support.killable_writeback import main as writing
from tests.support.prescribing import Pharmacy, ambroxol, amoxicillin, build_pharmacy
from tests.support.writeback import NUMBER, hospitals_on, write_back_on

TYPES = ("ServiceRequest", "Encounter", "Condition", "DiagnosticReport")


@dataclass
class Office:
    """A case with its expert, and what writes it to hospitals."""

    desk: ReportDesk
    hospitals: Hospitals
    write_back: WriteBack

    async def complete(self) -> None:
        """Let the consultation end with an opinion, and let everybody hear."""
        care, desk = self.desk.clinic.care, self.desk
        await care.start(desk.expert, desk.case_id)
        await care.record_opinion(desk.expert, desk.case_id, icd10="J20.9", diagnosis="急性支气管炎", plan="休息")
        await care.complete(desk.expert, desk.case_id)
        await self.hear()

    async def hear(self) -> None:
        """Hand on what happened."""
        while await self.desk.clinic.events.dispatch():
            pass

    async def standing(self) -> list[tuple[WriteState, str]]:
        """How it stands."""
        return [(one.state, one.fault) for one in await self.write_back.standing(SYSTEM)]

    async def later(self, by: timedelta = timedelta(hours=1)) -> None:
        """Try what waits, a while later."""
        self.desk.clinic.clock.advance(by)
        await self.write_back.write_waiting()

    async def audited(self) -> int:
        """How often something was written to a hospital."""
        async with self.desk.clinic.database.reading() as session:
            query = select(func.count()).select_from(AuditEntry)
            written = query.where(AuditEntry.action == Action.RECORDS_WRITE_BACK)
            return await session.scalar(written.where(AuditEntry.patient_id == self.desk.patient.person_id)) or 0


@pytest_asyncio.fixture
async def office(database: Database, clock: Clock, tmp_path: Path) -> AsyncIterator[Office]:
    """An assigned case with a study."""
    desk = await build_desk(database, clock, tmp_path)
    await desk.clinic.people.update_person(SYSTEM, desk.patient.person_id, id_number=NUMBER)
    hospitals = hospitals_on(desk.clinic)
    yield Office(desk, hospitals, write_back_on(desk.clinic, desk.imaging, hospitals))
    await hospitals.close()
    desk.imaging.close()


def patient(name: str = "王小明", number: str = NUMBER) -> dict[str, Any]:
    """The patient as a hospital has them."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": IDENTITY_NUMBER, "value": number}],
        "name": [{"text": name}],
        "birthDate": "1949-12-31",
    }


def dispensing_on(pharmacy: Pharmacy) -> DispensingService:
    """Wire dispensing on a clinic."""
    clinic = pharmacy.clinic
    return DispensingService(
        clinic.database,
        clinic.clock,
        clinic.events,
        clinic.timers,
        clinic.audit,
        clinic.people,
        clinic.care,
        pharmacy.prescriptions,
    )


async def pharmacy_beside(clinic: Clinic) -> str:
    """Open a pharmacy."""
    shop = new_id()
    await clinic.people.put_institution(
        SYSTEM,
        shop,
        code="P1",
        name="近处大药房",
        kind="pharmacy",
        region="桥县",
        address="街上",
        latitude=30.01,
        longitude=114.0,
    )
    return shop


async def local_hospital(office: Office, hospital: RunningHospital, institution_id: str = "") -> tuple[str, Store]:
    """Register the sandbox's hospital for the expert's institution, with the patient in it."""
    settings = HospitalSettings(hospital.url, LOCAL_TOKEN)
    place = institution_id or office.desk.clinic.hospital
    registered = await office.hospitals.register(SYSTEM, place, "县医院", settings)
    hospital.hospital.store.create(patient(), "ours")
    return registered.id, hospital.hospital.store


def ours(store: Store, type_: str) -> list[dict[str, Any]]:
    """What the patient has there of a type."""
    return [one for one in store.all(type_) if one["subject"]["reference"] == "Patient/ours"]


async def test_a_consultation_arrives_with_everything_pointing_to_each_other(
    office: Office, hospital: RunningHospital
) -> None:
    _, store = await local_hospital(office, hospital)
    await office.desk.signed()
    await office.complete()
    await office.write_back.write_waiting()
    assert await office.standing() == [(WriteState.WRITTEN, "")]
    [request], [encounter], [condition], [report] = (ours(store, type_) for type_ in TYPES)
    for one in (request, encounter, condition, report):
        read_resource(one)
        assert one["identifier"][0] == uuid_identifier(one["identifier"][0]["value"][9:].replace("-", ""))
    assert request["identifier"][0] == uuid_identifier(office.desk.case_id)
    assert encounter["status"] == "finished"
    assert encounter["basedOn"][0]["reference"] == f"ServiceRequest/{request['id']}"
    assert encounter["diagnosis"][0]["condition"]["reference"] == f"Condition/{condition['id']}"
    assert condition["encounter"]["reference"] == f"Encounter/{encounter['id']}"
    assert condition["code"]["coding"][0]["code"] == "J20.9"
    assert report["encounter"]["reference"] == f"Encounter/{encounter['id']}"
    assert report["conclusion"].startswith("右肺上叶结节")
    assert "presentedForm" not in report
    author = report["resultsInterpreter"][0]
    assert author["identifier"] == uuid_identifier(str(office.desk.expert.practitioner_id))
    assert "reference" not in author
    assert await office.audited() == 1


async def test_it_grows_with_the_consultation_and_an_amended_report_replaces_the_first(
    office: Office, hospital: RunningHospital
) -> None:
    _, store = await local_hospital(office, hospital)
    signed = await office.desk.signed()
    await office.hear()
    await office.write_back.write_waiting()
    assert [len(ours(store, type_)) for type_ in TYPES] == [1, 1, 0, 1]
    assert ours(store, "Encounter")[0]["status"] == "planned"
    await office.complete()
    await office.write_back.write_waiting()
    draft = await office.desk.reports.amend(office.desk.expert, signed.id, "补充对比旧片")
    await office.desk.reports.sign(office.desk.expert, draft.id, revision=draft.revision)
    await office.hear()
    await office.write_back.write_waiting()
    [encounter], [report], [request] = ours(store, "Encounter"), ours(store, "DiagnosticReport"), ours(store, TYPES[0])
    assert (encounter["status"], encounter["meta"]["versionId"]) == ("finished", "2")
    assert (report["status"], report["meta"]["versionId"]) == ("amended", "2")
    assert request["meta"]["versionId"] == "2"
    asked = len(hospital.hospital.asked)
    await office.later()
    assert len(hospital.hospital.asked) == asked  # nothing is left to tell


async def test_a_prescription_arrives_when_it_is_approved_and_ends_there_when_it_is_handed_out(
    office: Office, hospital: RunningHospital
) -> None:
    _, store = await local_hospital(office, hospital)
    desk, pharmacy = office.desk, build_pharmacy(office.desk.clinic)
    dispensing = dispensing_on(pharmacy)
    pharmacist = await pharmacy.pharmacist()
    await pharmacy.certify(desk.doctor)
    signed = await pharmacy.signed(desk.doctor, desk.case_id, amoxicillin(), ambroxol())
    await office.hear()
    await office.write_back.write_waiting()
    assert ours(store, "MedicationRequest") == []  # nobody has approved it
    approved = await pharmacy.prescriptions.approve(pharmacist, signed.id)
    await office.hear()
    await office.write_back.write_waiting()
    requests = ours(store, "MedicationRequest")
    assert [one["status"] for one in requests] == ["active", "active"]
    [encounter] = ours(store, "Encounter")
    for one in requests:
        read_resource(one)
        assert one["encounter"]["reference"] == f"Encounter/{encounter['id']}"
        assert one["groupIdentifier"]["value"] == approved.number
    assert {one["medicationCodeableConcept"]["text"][:2] for one in requests} == {"阿莫", "氨溴"}
    shop = await pharmacy_beside(desk.clinic)
    await dispensing.redeem(await pharmacy.pharmacist("孙近", shop), approved.code or "")
    await office.hear()
    await office.write_back.write_waiting()
    ended = ours(store, "MedicationRequest")
    assert sorted(one["id"] for one in ended) == sorted(one["id"] for one in requests)
    assert {one["status"] for one in ended} == {"completed"}


async def test_what_the_hospital_added_stays_when_ours_changes(office: Office, hospital: RunningHospital) -> None:
    _, store = await local_hospital(office, hospital)
    signed = await office.desk.signed()
    await office.hear()
    await office.write_back.write_waiting()
    [report] = ours(store, "DiagnosticReport")
    store.update({**report, "specimen": [{"display": "院内标本"}]}, "DiagnosticReport", report["id"], "")
    draft = await office.desk.reports.amend(office.desk.expert, signed.id, "补充对比旧片")
    await office.desk.reports.sign(office.desk.expert, draft.id, revision=draft.revision)
    await office.hear()
    await office.write_back.write_waiting()
    [changed] = ours(store, "DiagnosticReport")
    assert (changed["status"], changed["specimen"]) == ("amended", [{"display": "院内标本"}])


async def test_a_hospital_that_changes_it_meanwhile_is_read_again(
    office: Office, hospital: RunningHospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, store = await local_hospital(office, hospital)
    await office.desk.signed()
    await office.hear()
    await office.write_back.write_waiting()
    [encounter] = ours(store, "Encounter")
    send, tries = HospitalClient.transaction, []

    async def meanwhile(self: HospitalClient, bundle: dict[str, Any], *, repeatable: bool) -> Any:
        tries.append(bundle)
        if len(tries) == 1:
            store.update({**encounter, "account": [{"display": "收费"}]}, "Encounter", encounter["id"], "")
        return await send(self, bundle, repeatable=repeatable)

    monkeypatch.setattr(HospitalClient, "transaction", meanwhile)
    await office.complete()
    await office.write_back.write_waiting()
    assert await office.standing() == [(WriteState.WAITING, "hospital_changed")]
    await office.later()
    [changed] = ours(store, "Encounter")
    assert (changed["status"], changed["account"]) == ("finished", [{"display": "收费"}])
    assert len(tries) == 2


async def test_a_day_without_the_hospital_loses_nothing(office: Office, hospital: RunningHospital) -> None:
    _, store = await local_hospital(office, hospital)
    hospital.hospital.faults.switch_on("error")
    await office.complete()
    await office.write_back.write_waiting()
    for _ in range(24):
        await office.later()
    [(state, _)] = await office.standing()
    assert state is WriteState.WAITING
    hospital.hospital.faults.clear()
    await office.later()
    assert await office.standing() == [(WriteState.WRITTEN, "")]
    assert [len(ours(store, type_)) for type_ in TYPES] == [1, 1, 1, 0]


async def test_a_lost_answer_makes_nothing_twice(office: Office, hospital: RunningHospital) -> None:
    _, store = await local_hospital(office, hospital)
    await office.complete()
    hospital.hospital.faults.switch_on("lost_answer")
    await office.write_back.write_waiting()
    hospital.hospital.faults.clear()
    await office.later()
    assert await office.standing() == [(WriteState.WRITTEN, "")]
    assert [[one["meta"]["versionId"] for one in ours(store, type_)] for type_ in TYPES] == [["1"], ["1"], ["1"], []]


@pytest.mark.parametrize(
    ("fault", "stands"),
    [
        ("duplicate_patient", (WriteState.DEAD, UNMATCHED)),
        ("wrong_name", (WriteState.DEAD, UNMATCHED)),
        ("wrong_birth_date", (WriteState.DEAD, UNMATCHED)),
    ],
)
async def test_nothing_goes_to_somebody_who_may_be_another(
    office: Office, hospital: RunningHospital, fault: str, stands: tuple[WriteState, str]
) -> None:
    hospital_id, store = await local_hospital(office, hospital)
    hospital.hospital.faults.switch_on(fault)
    await office.complete()
    await office.write_back.write_waiting()
    assert await office.standing() == [stands]
    assert ours(store, "Encounter") == []
    hospital.hospital.faults.clear()
    await office.later(timedelta(days=3))
    assert ours(store, "Encounter") == []  # a person has to look
    with pytest.raises(Forbidden):
        await office.write_back.resend(office.desk.doctor, hospital_id)
    assert await office.write_back.resend(SYSTEM, hospital_id) == 1
    await office.write_back.write_waiting()
    assert len(ours(store, "Encounter")) == 1


async def test_a_hospital_that_does_not_know_the_patient_gets_nothing(
    office: Office, hospital: RunningHospital
) -> None:
    settings = HospitalSettings(hospital.url, LOCAL_TOKEN)
    await office.hospitals.register(SYSTEM, office.desk.clinic.township, "卫生院", settings)
    before = len(hospital.hospital.store.all("Encounter"))
    await office.complete()
    await office.write_back.write_waiting()
    assert await office.standing() == [(WriteState.UNKNOWN_PATIENT, "")]
    assert len(hospital.hospital.store.all("Encounter")) == before


async def test_a_hospital_that_took_no_part_hears_nothing(office: Office, hospital: RunningHospital) -> None:
    elsewhere = new_id()
    await office.desk.clinic.people.put_institution(
        SYSTEM,
        elsewhere,
        code="H2",
        name="别的医院",
        kind="tertiary",
        region="桥县",
        address="测试路2号",
        latitude=30.0,
        longitude=114.0,
    )
    await local_hospital(office, hospital, elsewhere)
    await office.complete()
    await office.write_back.write_waiting()
    assert await office.standing() == []
    assert hospital.hospital.asked == []


async def test_without_consent_it_waits_and_goes_once_it_is_given_again(
    office: Office, hospital: RunningHospital
) -> None:
    _, store = await local_hospital(office, hospital)
    people, actor = office.desk.clinic.people, office.desk.patient
    await office.complete()
    await people.withdraw_consent(actor)
    await office.write_back.write_waiting()
    assert await office.standing() == [(WriteState.WAITING, NO_CONSENT)]
    assert hospital.hospital.asked == []
    await people.give_consent(actor, people.consent_document().version)
    await office.later(timedelta(days=1))
    assert len(ours(store, "Encounter")) == 1


async def test_a_refusal_is_final_until_somebody_asks_for_another_try(
    office: Office, hospital: RunningHospital, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hospital_id, store = await local_hospital(office, hospital)
    house: Any = SimpleNamespace(hospitals=office.hospitals, write_back=office.write_back)
    monkeypatch.setattr("sandbox.hospital.store.TYPES", frozenset({"Patient", "Encounter", "Condition"}))
    await office.complete()
    await office.write_back.write_waiting()
    [(state, fault)] = await office.standing()
    assert state is WriteState.DEAD
    assert fault in ("hospital_refused", "hospital_not_found")
    assert ours(store, "Encounter") == []  # all of it or nothing
    await written(house, Namespace())
    assert f"{hospital_id}  县医院  dead  1  {SENTENCES[fault]}" in capsys.readouterr().out
    monkeypatch.undo()
    await resend(house, Namespace(id=hospital_id))
    assert "1 consultations are tried again" in capsys.readouterr().out
    await office.write_back.write_waiting()
    assert await office.standing() == [(WriteState.WRITTEN, "")]


async def test_news_during_a_try_are_told_by_another(
    office: Office, hospital: RunningHospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, store = await local_hospital(office, hospital)
    await office.desk.signed()
    await office.hear()
    send = HospitalClient.transaction

    async def meanwhile(self: HospitalClient, bundle: dict[str, Any], *, repeatable: bool) -> Any:
        monkeypatch.undo()
        await office.complete()
        return await send(self, bundle, repeatable=repeatable)

    monkeypatch.setattr(HospitalClient, "transaction", meanwhile)
    await office.write_back.write_waiting()
    assert await office.standing() == [(WriteState.WRITTEN, "")]
    assert ours(store, "Encounter")[0]["status"] == "finished"
    assert len(ours(store, "Condition")) == 1


# Against a server that is none of ours.


async def on_medplum(office: Office, url: str) -> tuple[HospitalClient, str]:
    """Register Medplum's server for the expert's institution, with the patient in it; give its client and their id."""
    hospitals = office.hospitals
    registered = await hospitals.register(SYSTEM, office.desk.clinic.hospital, "县医院", HospitalSettings(url))
    client = await hospitals.client(registered.id)
    system = f"urn:oid:2.25.{int(new_id(), 16)}"  # one server for all tests: a patient for each
    await hospitals.change(SYSTEM, registered.id, HospitalSettings(url, identity_system=system))
    known = patient() | {"identifier": [{"system": system, "value": NUMBER}]}
    written = await client.create(known, if_none_exist=f"identifier={system}%7C{NUMBER}")
    return client, written.id


async def there(client: HospitalClient, patient_id: str) -> dict[str, list[dict[str, Any]]]:
    """What the server has of the patient."""
    found = {type_: await client.search(type_, [("subject", f"Patient/{patient_id}")]) for type_ in TYPES}
    return {type_: list(one.resources) for type_, one in found.items()}


async def versions(url: str, type_: str, id_: str) -> int:
    """How often something was written there."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/{type_}/{id_}/_history") as answer:
        return len((await answer.json())["entry"])


async def test_an_independent_server_has_everything_once(office: Office, medplum_url: str) -> None:
    client, patient_id = await on_medplum(office, medplum_url)
    signed = await office.desk.signed()
    await office.complete()
    await office.write_back.write_waiting()
    assert await office.standing() == [(WriteState.WRITTEN, "")]
    held = await there(client, patient_id)
    assert [len(held[type_]) for type_ in TYPES] == [1, 1, 1, 1]
    [encounter], [condition], [report] = held["Encounter"], held["Condition"], held["DiagnosticReport"]
    assert encounter["diagnosis"][0]["condition"]["reference"] == f"Condition/{condition['id']}"
    assert report["encounter"]["reference"] == f"Encounter/{encounter['id']}"
    draft = await office.desk.reports.amend(office.desk.expert, signed.id, "补充对比旧片")
    await office.desk.reports.sign(office.desk.expert, draft.id, revision=draft.revision)
    await office.hear()
    await office.write_back.write_waiting()
    assert await office.standing() == [(WriteState.WRITTEN, "")]
    held = await there(client, patient_id)
    assert [len(held[type_]) for type_ in TYPES] == [1, 1, 1, 1]
    assert (held["DiagnosticReport"][0]["status"], held["DiagnosticReport"][0]["id"]) == ("amended", report["id"])
    assert [await versions(medplum_url, type_, held[type_][0]["id"]) for type_ in TYPES] == [1, 1, 1, 2]


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_killed_while_it_writes_leaves_everything_there_once(
    office: Office,
    medplum_url: str,
    database_url: str,
    tmp_path: Path,
    step: str,
) -> None:
    client, patient_id = await on_medplum(office, medplum_url)
    desk = office.desk
    await desk.signed()
    await desk.clinic.care.start(desk.expert, desk.case_id)
    await desk.clinic.care.record_opinion(desk.expert, desk.case_id, diagnosis="急性支气管炎", plan="休息")
    await desk.clinic.care.complete(desk.expert, desk.case_id)
    assert await Forked(writing, database_url, tmp_path, step).ended() == -9
    await office.hear()
    await office.later(timedelta(minutes=6))
    assert await office.standing() == [(WriteState.WRITTEN, "")]
    held = await there(client, patient_id)
    for type_ in TYPES:
        [one] = held[type_]
        assert await versions(medplum_url, type_, one["id"]) == 1
