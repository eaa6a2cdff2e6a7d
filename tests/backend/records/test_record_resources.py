"""What is known of a patient as the façade finds it: what stands, in which codes, for whom."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from backend.errors import InvalidInput, NotFound
from backend.fhir.systems import ICD10, LOINC, UCUM
from backend.records import RecordService
from backend.records.facade import Facade, SearchRequest
from backend.records.fhir import NO_ALLERGIES
from backend.records.resources import record_sources
from backend.records.rules import NewObservation, Question
from backend.security.policy import Actor
from tests.backend.records.conftest import Ward
from tests.support.clinic import Clinic
from tests.support.fhir_models import read_resource


class Desk:
    """Records of one patient, and the façade over them."""

    def __init__(self, clinic: Clinic, records: RecordService, patient: Actor, doctor: Actor) -> None:
        self.clinic, self.records, self.patient, self.doctor = clinic, records, patient, doctor
        sources = record_sources(clinic.database)
        self.facade = Facade(clinic.database, clinic.clock, clinic.audit, sources, "https://q.example/fhir/R4", "1")

    async def found(self, type_: str, actor: Actor | None = None, query: Mapping[str, str] | None = None) -> list[Any]:
        """Search what the patient has, and read it by another library's models."""
        asked = {"patient": self.patient.person_id} | dict(query or {})
        request = SearchRequest(type_, tuple(asked.items()), strict=True)
        bundle = await self.facade.search(actor or self.patient, request)
        read_resource(bundle)
        return [one["resource"] for one in bundle.get("entry", [])]


@pytest.fixture
def desk(ward: Ward) -> Desk:
    """A patient who has a doctor."""
    return Desk(ward.clinic, ward.records, ward.patient, ward.doctor)


async def test_a_measurement_has_its_code_and_its_unit(desk: Desk) -> None:
    given = [NewObservation("systolic", 150), NewObservation("diastolic", 95), NewObservation("urine_protein", "1+")]
    await desk.records.record(desk.doctor, desk.patient.person_id, given)
    [pressure] = await desk.found("Observation", query={"code": f"{LOINC}|8480-6"})
    assert pressure["valueQuantity"] == {"value": 150.0, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}
    assert pressure["performer"][0]["reference"] == f"Practitioner/{desk.doctor.practitioner_id}"
    [protein] = await desk.found("Observation", query={"category": "laboratory"})
    assert protein["valueString"] == "1+"
    assert len(await desk.found("Observation", query={"category": "vital-signs,laboratory"})) == 3
    assert await desk.found("Observation", query={"code": "http://snomed.info/sct|8480-6"}) == []


async def test_a_corrected_measurement_is_there_once_and_one_that_was_taken_back_not_at_all(desk: Desk) -> None:
    [first, other] = await desk.records.record(
        desk.patient, desk.patient.person_id, [NewObservation("weight", 72), NewObservation("height", 172)]
    )
    second = await desk.records.correct(desk.patient, first.id, 62)
    await desk.records.withdraw(desk.patient, other.id)
    [shown] = await desk.found("Observation")
    assert (shown["id"], shown["status"], shown["valueQuantity"]["value"]) == (second.id, "corrected", 62.0)
    for gone in (first.id, other.id):
        with pytest.raises(NotFound):
            await desk.facade.read(desk.patient, "Observation", gone)


async def test_what_is_said_stands_until_something_else_is_said(desk: Desk) -> None:
    records, patient = desk.records, desk.patient.person_id
    await records.answer(desk.patient, patient, Question.ALLERGIES, yes=False)
    [none] = await desk.found("AllergyIntolerance")
    assert none["code"]["coding"] == [NO_ALLERGIES]
    await records.add_allergy(desk.doctor, patient, "青霉素", reaction="皮疹", severe=True)
    await records.add_allergy(desk.doctor, patient, "花生")
    await records.refute_allergy(desk.doctor, patient, "花生")
    [known] = await desk.found("AllergyIntolerance")
    assert (known["code"]["text"], known["criticality"]) == ("青霉素", "high")
    assert known["verificationStatus"]["coding"][0]["code"] == "confirmed"
    assert await desk.facade.read(desk.doctor, "AllergyIntolerance", known["id"]) == known


async def test_diseases_and_medicines_are_found_by_their_codes(desk: Desk) -> None:
    patient = desk.patient.person_id
    await desk.records.add_condition(desk.patient, patient, "高血压", icd10="I10")
    await desk.records.add_condition(desk.patient, patient, "腰酸")
    await desk.records.add_medicine(desk.patient, patient, "硝苯地平", dose="每天一片")
    assert len(await desk.found("Condition")) == 2
    [pressure] = await desk.found("Condition", query={"code": f"{ICD10}|I10"})
    assert pressure["code"] == {"coding": [{"system": ICD10, "code": "I10"}], "text": "高血压"}
    [taken] = await desk.found("MedicationStatement")
    assert (taken["medicationCodeableConcept"]["text"], taken["dosage"]) == ("硝苯地平", [{"text": "每天一片"}])


async def test_pages_and_dates_hold_for_what_is_said_too(desk: Desk) -> None:
    for name in ("高血压", "糖尿病", "腰酸"):
        await desk.records.add_condition(desk.patient, desk.patient.person_id, name)
        desk.clinic.clock.advance(timedelta(days=1))
    newest_first = [one["code"]["text"] for one in await desk.found("Condition")]
    assert newest_first == ["腰酸", "糖尿病", "高血压"]
    today = desk.clinic.clock.today()
    since = f"ge{today - timedelta(days=2):%Y-%m-%d}"
    assert [one["code"]["text"] for one in await desk.found("Condition", query={"_lastUpdated": since})] == [
        "腰酸",
        "糖尿病",
    ]
    request = SearchRequest("Condition", (("patient", desk.patient.person_id), ("_count", "2")))
    first = await desk.facade.search(desk.patient, request)
    cursor = first["link"][1]["url"].split("_cursor=")[1]
    rest = await desk.facade.search(desk.patient, SearchRequest("Condition", (("_cursor", cursor),)))
    shown = [one["resource"]["code"]["text"] for page in (first, rest) for one in page["entry"]]
    assert shown == newest_first
    assert (first["total"], [link["relation"] for link in rest["link"]]) == (3, ["self"])


async def test_records_are_for_the_patient_and_those_who_treat(desk: Desk) -> None:
    await desk.records.record(desk.patient, desk.patient.person_id, [NewObservation("weight", 62)])
    await desk.records.add_allergy(desk.patient, desk.patient.person_id, "青霉素")
    stranger, expert = await desk.clinic.patient("赵六"), await desk.clinic.expert()
    for type_ in ("Observation", "AllergyIntolerance"):
        [one] = await desk.found(type_)
        for outsider in (stranger, expert):
            assert await desk.found(type_, outsider) == []
            with pytest.raises(NotFound):
                await desk.facade.read(outsider, type_, one["id"])
        assert await desk.found(type_, desk.doctor) == [one]


async def test_what_is_said_is_asked_for_of_a_patient(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="invalid_input"):
        await desk.facade.search(desk.doctor, SearchRequest("AllergyIntolerance", ()))
