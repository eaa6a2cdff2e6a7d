"""The FHIR façade over HTTP: every resource read by another library's models, every refusal an OperationOutcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.fhir.systems import CONSULTATION_NUMBER, ICD10, IDENTITY_NUMBER, URI
from backend.security.policy import SYSTEM, Action, Role
from backend.security.tables import AuditEntry
from miniprogram_api.fhir import MEDIA_TYPE
from tests.miniprogram_api.conftest import Api, Patient, new_patient
from tests.support import cases
from tests.support.fhir_models import read_resource
from tests.support.house import House

NUMBER = "11010519491231002X"


@dataclass(frozen=True)
class Told:
    """What the façade answered."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def ids(self) -> list[str]:
        """The resources of a bundle that match."""
        return [one["resource"]["id"] for one in self.body.get("entry", []) if one["search"]["mode"] == "match"]

    def link(self, relation: str) -> str | None:
        """An address of a bundle."""
        return next((one["url"] for one in self.body["link"] if one["relation"] == relation), None)

    @property
    def problem(self) -> tuple[int, str]:
        """A refusal: its status, and the code of its issue."""
        assert self.body["resourceType"] == "OperationOutcome"
        return self.status, self.body["issue"][0]["code"]


@dataclass
class Fhir:
    """A client of FHIR that belongs to somebody; everything that comes back is read by the models."""

    api: Api

    async def get(self, path: str, headers: Any = None, **query: str) -> Told:
        """GET below /fhir/R4."""
        return await self.send("GET", path, headers=headers, params=query)

    async def send(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Told:
        """Send anything below /fhir/R4."""
        own = {"Authorization": f"Bearer {self.api.token}"} if self.api.token else {}
        url = f"{self.api.url}/fhir/R4{path}"
        async with self.api.http.request(method, url, headers=own | (headers or {}), **more) as response:
            body = await response.json(content_type=None) if response.status != 304 and method != "HEAD" else None
            if body is not None:
                assert response.content_type == MEDIA_TYPE
                read_resource(body)
            return Told(response.status, body, response.headers)

    async def ids(self, type_: str, **query: str) -> list[str]:
        """Search."""
        found = await self.get(f"/{type_}", **query)
        assert found.status == 200, found.body
        return found.ids


async def practising(house: House, api: Api, name: str) -> Fhir:
    """Somebody who practises, with a session."""
    return Fhir(api.as_((await cases.staff(house, name)).person_id))


@pytest.fixture
async def ended(house: House, patient: Patient) -> str:
    """A consultation that has ended with an opinion."""
    case_id = await patient.case()
    await cases.begin(house, case_id)
    await cases.complete(house, case_id)
    return case_id


async def test_a_patient_reads_their_consultation_with_its_diagnosis(patient: Patient, ended: str) -> None:
    fhir = Fhir(patient.api)
    encounter = (await fhir.get(f"/Encounter/{ended}")).body
    assert (encounter["status"], encounter["class"]["code"]) == ("finished", "VR")
    assert encounter["reasonCode"] == [{"text": "咳嗽3天"}]
    condition = (await fhir.get(f"/Condition/{ended}")).body
    assert condition["code"]["coding"] == [{"system": ICD10, "code": "J20.9", "display": "急性支气管炎"}]
    assert condition["note"] == [{"text": "治疗方案：多喝水，休息一周。"}]
    request = (await fhir.get(f"/ServiceRequest/{ended}")).body
    assert (request["status"], request["intent"]) == ("completed", "order")
    assert condition["subject"]["reference"] == f"Patient/{patient.id}"


async def test_a_diagnosis_appears_when_the_consultation_has_ended(house: House, patient: Patient) -> None:
    case_id = await patient.case()
    await cases.begin(house, case_id)
    expert = await cases.staff(house, "钟专家")
    await house.services.consultations.record_opinion(expert, case_id, icd10="J20.9", diagnosis="支气管炎", plan="休息")
    fhir = Fhir(patient.api)
    assert await fhir.ids("Condition", patient=patient.id) == []
    await house.services.consultations.complete(expert, case_id)
    assert await fhir.ids("Condition", patient=patient.id, code=f"{ICD10}|J20.9") == [case_id]
    assert await fhir.ids("Condition", patient=patient.id, code="I10") == []


async def test_a_suspected_disease_is_for_those_who_treat_alone(house: House, api: Api, patient: Patient) -> None:
    case_id = await cases.open_case(house, patient.id)
    await house.services.consultations.submit(await cases.staff(house, "村医甲"), case_id, icd10="J18.9")
    doctor = await practising(house, api, "村医甲")
    path = f"/ServiceRequest/{case_id}"
    shown = [code for reason in (await doctor.get(path)).body["reasonCode"] for code in reason.get("coding", ())]
    assert [code["code"] for code in shown] == ["J18.9"]
    assert (await Fhir(patient.api).get(path)).body["reasonCode"] == [{"text": "咳嗽3天"}]


@pytest.mark.parametrize("type_", ["Encounter", "ServiceRequest", "Condition", "Appointment", "DiagnosticReport"])
async def test_nobody_else_finds_or_reads_it(house: House, api: Api, patient: Patient, ended: str, type_: str) -> None:
    stranger = Fhir((await new_patient(house, api, "赵六")).api)
    elsewhere = await practising(house, api, "村医乙")
    for somebody in (stranger, elsewhere):
        assert await somebody.ids(type_, patient=patient.id) == []
        assert (await somebody.get(f"/{type_}/{ended}")).problem == (404, "not-found")
        unknown = await somebody.get(f"/{type_}/{'0' * 32}")
        assert unknown.problem == (404, "not-found")
    assert await stranger.ids("Patient", _id=patient.id) == []


async def test_an_administrator_sees_where_a_case_stands_and_nothing_clinical(
    house: House, api: Api, patient: Patient, ended: str
) -> None:
    await house.hire("管理员", Role.ADMINISTRATOR, "省人民医院", "general_practice")
    steering = await practising(house, api, "管理员")
    encounter = (await steering.get(f"/Encounter/{ended}")).body
    assert encounter["status"] == "finished"
    assert "reasonCode" not in encounter
    assert "diagnosis" not in encounter
    assert (await steering.get(f"/Condition/{ended}")).status == 404
    assert await steering.ids("Patient", _id=patient.id) == []


async def test_the_identity_number_is_for_the_patient_and_the_township_doctors(
    house: House, api: Api, patient: Patient, ended: str
) -> None:
    await house.services.people.update_person(SYSTEM, patient.id, id_number=NUMBER, phone="13800138000")
    doctor, expert = await practising(house, api, "村医甲"), await practising(house, api, "钟专家")
    for reader, knows in ((Fhir(patient.api), True), (doctor, True), (expert, False)):
        told = (await reader.get(f"/Patient/{patient.id}")).body
        assert told["birthDate"] == "1949-12-31"
        systems = [one["system"] for one in told["identifier"]]
        assert (IDENTITY_NUMBER in systems) is knows
        found = [patient.id] if knows else []
        assert await reader.ids("Patient", identifier=f"{IDENTITY_NUMBER}|{NUMBER}") == found
        assert await reader.ids("Patient", identifier=NUMBER) == found
        assert await reader.ids("Patient", phone="13800138000") == [patient.id]
    form = await doctor.send("POST", "/Patient/_search", data={"identifier": f"{IDENTITY_NUMBER}|{NUMBER}"})
    assert form.ids == [patient.id]


async def test_every_read_is_in_the_audit_log_with_its_patient(house: House, patient: Patient, ended: str) -> None:
    fhir = Fhir(patient.api)

    async def written(subject: str) -> int:
        async with house.database.reading() as session:
            query = select(func.count()).select_from(AuditEntry)
            found = query.where(AuditEntry.subject == subject, AuditEntry.patient_id == patient.id)
            return await session.scalar(found) or 0

    await fhir.get(f"/Condition/{ended}")
    assert await written(f"fhir:Condition/{ended}") == 1
    await fhir.ids("Condition", patient=patient.id)
    await fhir.ids("Condition", patient=patient.id, code="I10")
    assert await written("fhir:Condition") == 2


async def test_pages_follow_one_another_and_nothing_comes_twice(house: House, api: Api) -> None:
    people = [await new_patient(house, api, f"人{number}") for number in range(7)]
    opened = [await cases.open_case(house, one.id) for one in people]
    doctor = await practising(house, api, "村医甲")
    pages, found = 0, []
    page = await doctor.get("/Encounter", _count="3", status="planned")
    assert "total" not in page.body
    while True:
        pages += 1
        found += page.ids
        following = page.link("next")
        if following is None:
            break
        assert "status" not in following  # what was asked is sealed in it
        page = await doctor.get(following.split("/fhir/R4")[1].partition("?")[0], _cursor=following.split("=", 1)[1])
    assert (pages, found) == (3, list(reversed(opened)))
    oldest_first = await doctor.ids("Encounter", _sort="date", _count="2")
    assert oldest_first == opened[:2]


async def test_a_cursor_is_good_for_an_hour_and_for_whom_it_was_made(house: House, api: Api, patient: Patient) -> None:
    for _ in range(3):
        await cases.open_case(house, patient.id)
    fhir = Fhir(patient.api)
    page = await fhir.get("/Encounter", _count="1")
    cursor = str(page.link("next")).split("_cursor=")[1]
    stranger = Fhir((await new_patient(house, api, "赵六")).api)
    assert (await stranger.get("/Encounter", _cursor=cursor)).problem == (400, "invalid")
    assert (await fhir.get("/ServiceRequest", _cursor=cursor)).problem == (400, "invalid")
    assert (await fhir.get("/Encounter", _cursor=cursor[:-4] + "AAAA")).problem == (400, "invalid")
    assert len((await fhir.get("/Encounter", _cursor=cursor)).ids) == 1
    house.clock.advance(timedelta(hours=1, seconds=1))
    assert (await fhir.get("/Encounter", _cursor=cursor)).problem == (410, "not-found")


async def test_searches_narrow(house: House, patient: Patient, ended: str) -> None:
    fhir = Fhir(patient.api)
    other = await cases.open_case(house, patient.id)
    [row] = await house.services.consultations.list_for(await house.actor(patient.id), limit=1)
    today = house.clock.today().date()
    tomorrow, yesterday = today + timedelta(days=1), today - timedelta(days=1)

    async def ids(**query: str) -> list[str]:
        return await fhir.ids("Encounter", **query)

    assert await ids() == [other, ended]
    assert await ids(status="finished") == [ended]
    assert await ids(status="finished,planned") == [other, ended]
    assert await ids(identifier=f"{CONSULTATION_NUMBER}|{row.number}") == [other]
    assert await ids(
        identifier=f"{URI}|urn:uuid:{ended[:8]}-{ended[8:12]}-{ended[12:16]}-{ended[16:20]}-{ended[20:]}"
    ) == [ended]
    assert await ids(identifier="elsewhere|1") == []
    assert await ids(_id=f"{other},{ended}") == [other, ended]
    assert await ids(subject=f"Patient/{patient.id}") == [other, ended]
    assert await ids(date=f"ge{today}") == [other, ended]
    assert await ids(date=f"{today}") == [ended]  # the other one is still open
    assert await ids(date=f"lt{today}") == []
    assert await ids(date=f"gt{tomorrow}") == [other]
    assert await ids(date=f"eb{tomorrow}") == [ended]
    assert await ids(date=f"sa{yesterday}") == [other, ended]
    assert await ids(patient=patient.id, _lastUpdated=f"gt{yesterday}T23:59:59+08:00") == [other, ended]
    assert await ids(patient=patient.id, _lastUpdated=f"lt{yesterday}") == []
    whole = await fhir.get("/Encounter", patient=patient.id, _count="0")
    assert (whole.body["total"], whole.ids) == (2, [])


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"status:not": "finished"}, (400, "not-supported")),
        ({"patient.name": "王"}, (400, "not-supported")),
        ({"date": "yesterday"}, (400, "invalid")),
        ({"date": "2026-13"}, (400, "invalid")),
        ({"date": "ap2026-11"}, (400, "invalid")),
        ({"patient": "Practitioner/1"}, (400, "invalid")),
        ({"patient": ""}, (400, "invalid")),
        ({"_count": "-1"}, (400, "invalid")),
        ({"_cursor": "made-up"}, (400, "invalid")),
        ({"_lastUpdated": "gt2026-01-01"}, (400, "invalid")),
        ({"identifier": "a|b|c"}, (400, "invalid")),
        ({"_id": ",".join(["1"] * 51)}, (403, "too-costly")),
    ],
)
async def test_what_is_not_understood_is_refused(
    patient: Patient, query: dict[str, str], problem: tuple[int, str]
) -> None:
    refused = await Fhir(patient.api).get("/Encounter", **query)
    assert refused.problem == problem
    assert refused.body["issue"][0]["details"]["text"].endswith("。")


async def test_a_parameter_that_is_not_known_is_left_out_or_refused(patient: Patient) -> None:
    fhir = Fhir(patient.api)
    lenient = await fhir.get("/Encounter", colour="green", _sort="colour")
    assert lenient.status == 200
    assert lenient.body["entry"][-1]["search"] == {"mode": "outcome"}
    assert "colour" not in str(lenient.link("self"))
    strict = await fhir.get("/Encounter", headers={"Prefer": "handling=strict"}, colour="green")
    assert strict.problem == (400, "not-supported")
    assert strict.body["issue"][0]["diagnostics"] == "colour"


async def test_an_unchanged_resource_is_not_sent_again(house: House, patient: Patient) -> None:
    case_id = await cases.open_case(house, patient.id)
    fhir, path = Fhir(patient.api), f"/Encounter/{case_id}"
    first = await fhir.get(path)
    tag = first.headers["ETag"]
    assert tag == f'W/"{first.body["meta"]["versionId"]}"'
    assert (await fhir.get(path, headers={"If-None-Match": tag})).status == 304
    await cases.assign(house, case_id)
    changed = await fhir.get(path, headers={"If-None-Match": tag})
    assert changed.status == 200
    assert changed.headers["ETag"] != tag
    head = await fhir.send("HEAD", path)
    assert (head.status, head.headers["ETag"]) == (200, changed.headers["ETag"])


async def test_only_json_of_fhir_4_is_given(patient: Patient) -> None:
    fhir = Fhir(patient.api)
    for accept in ("application/fhir+xml", "text/html", "application/fhir+json; fhirVersion=5.0", "*/*;q=0"):
        assert (await fhir.get("/Patient", headers={"Accept": accept})).problem == (406, "not-supported")
    for accept in ("application/fhir+json; fhirVersion=4.0", "application/json", "text/html, */*;q=0.1"):
        assert (await fhir.get("/Patient", headers={"Accept": accept})).status == 200
    assert (await fhir.get("/Patient", _format="xml")).problem == (406, "not-supported")
    asked = await fhir.get("/Patient", headers={"Accept": "text/html"}, _format="application/fhir+json")
    assert asked.status == 200
    assert (await fhir.send("POST", "/Patient/_search", json={})).problem == (415, "not-supported")


async def test_nothing_can_be_changed_and_nobody_unknown_reads(api: Api, patient: Patient) -> None:
    fhir = Fhir(patient.api)
    for method, path in (("POST", "/Patient"), ("PUT", f"/Patient/{patient.id}"), ("DELETE", "/Encounter/1")):
        refused = await fhir.send(method, path)
        assert refused.problem == (405, "not-supported")
        assert refused.headers["Allow"] == "GET, HEAD"
    assert (await fhir.get("/Medication")).problem == (404, "not-supported")
    assert (await fhir.get("/Patient/1/_history/2")).problem == (404, "not-supported")
    assert (await fhir.get("/Patient/a b")).problem == (404, "not-found")
    assert (await Fhir(api).get("/Patient")).problem == (401, "login")
    assert (await Fhir(api).get("/metadata")).status == 200


async def test_the_capability_statement_says_what_there_is(patient: Patient) -> None:
    fhir = Fhir(patient.api)
    said = (await fhir.get("/metadata")).body
    assert said["fhirVersion"] == "4.0.1"
    resources = {one["type"]: one for one in said["rest"][0]["resource"]}
    assert {"Patient", "Encounter", "Condition", "DiagnosticReport", "ImagingStudy", "AuditEvent"} <= set(resources)
    for type_, one in resources.items():
        values = {"token": "1", "date": "2026-11-22", "reference": "1"}
        asked = {parameter["name"]: values[parameter["type"]] for parameter in one["searchParam"]}
        found = await fhir.get(f"/{type_}", headers={"Prefer": "handling=strict"}, **asked)
        assert found.status == (403 if type_ == "AuditEvent" else 200), (type_, found.body)


async def test_the_directory_is_open_to_everybody_who_is_known(house: House, patient: Patient) -> None:
    fhir = Fhir(patient.api)
    expert, place = house.practitioners["钟专家"], house.institutions["省人民医院"]
    role = (await fhir.get(f"/PractitionerRole/{expert}")).body
    assert role["organization"] == {
        "reference": f"Organization/{place}",
        "type": "Organization",
        "display": "省人民医院",
    }
    assert await fhir.ids("PractitionerRole", organization=place) == [expert]
    assert (await fhir.get(f"/Practitioner/{expert}")).body["name"][0]["text"] == "钟专家"
    assert await fhir.ids("Organization", identifier="T4") == [place]


async def test_consents_are_ones_own_and_the_last_word_holds(house: House, api: Api, patient: Patient) -> None:
    people = house.services.people
    actor = await house.actor(patient.id)
    await people.withdraw_consent(actor)
    await people.give_consent(actor, people.consent_document().version)
    fhir = Fhir(patient.api)
    page = await fhir.get("/Consent", patient=patient.id)
    shown = [(one["resource"]["status"], one["resource"]["provision"]["type"]) for one in page.body["entry"]]
    assert shown == [("active", "permit"), ("inactive", "deny"), ("inactive", "permit")]
    assert len(await fhir.ids("Consent", patient=patient.id, status="active")) == 1
    other = await new_patient(house, api, "赵六")
    assert await Fhir(other.api).ids("Consent", patient=patient.id) == []


async def test_the_audit_log_is_for_administrators(house: House, api: Api, patient: Patient, ended: str) -> None:
    assert (await Fhir(patient.api).get("/AuditEvent")).problem == (403, "forbidden")
    await house.hire("管理员", Role.ADMINISTRATOR, "省人民医院", "general_practice")
    steering = await practising(house, api, "管理员")
    page = await steering.get("/AuditEvent", patient=patient.id, _count="100", date=f"ge{date(2026, 1, 1)}")
    done = {one["resource"]["subtype"][0]["code"] for one in page.body["entry"]}
    assert {Action.CONSULTATION_COMPLETE.value, "consent.given"} <= done
    newest = (await steering.ids("AuditEvent", _count="1"))[0]
    assert (await steering.get(f"/AuditEvent/{newest}")).status == 200
    assert len(await steering.ids("AuditEvent", patient=patient.id, subtype="consent.given")) == 1


async def test_a_booking_is_an_appointment(house: House, patient: Patient) -> None:
    case_id = await patient.case()
    consultations, actor = house.services.consultations, await house.actor(patient.id)
    [slot] = await consultations.bookable_slots(actor, case_id, 1)
    booking = await consultations.book(actor, case_id, slot.id)
    fhir = Fhir(patient.api)
    shown = (await fhir.get(f"/Appointment/{booking.id}")).body
    assert (shown["status"], shown["minutesDuration"]) == ("booked", 30)
    assert await fhir.ids("Appointment", status="booked", date=f"ge{house.clock.today():%Y-%m-%d}") == [booking.id]
    await consultations.cancel_booking(actor, case_id, "有事")
    assert await fhir.ids("Appointment", status="cancelled") == [booking.id]
