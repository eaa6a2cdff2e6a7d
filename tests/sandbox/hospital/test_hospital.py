"""The sandbox's hospital: what a FHIR server promises, and the same people as in the demonstration."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest_asyncio
from fhir.resources.R4B import get_fhir_model_class

from backend.clock import Clock
from data.demo import demo
from sandbox.hospital.access import LOCAL_TOKEN
from sandbox.hospital.faults import KINDS
from sandbox.hospital.histories import IDENTITY
from sandbox.hospital.store import TYPES
from tests.support.hospital import RunningHospital, running_hospital
from tests.support.sandbox import running_sandbox

HEADERS = {"Authorization": f"Bearer {LOCAL_TOKEN}"}
Answer = tuple[int, dict[str, Any], Mapping[str, str]]


@pytest_asyncio.fixture
async def hospital(clock: Clock) -> AsyncIterator[RunningHospital]:
    async with running_hospital(clock) as running:
        yield running


async def call(method: str, url: str, body: Any = None, **headers: str) -> Answer:
    data = None if body is None else json.dumps(body)
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, url, data=data, headers=HEADERS | headers) as response,
    ):
        text = await response.text()
        return response.status, json.loads(text) if text else {}, response.headers


def test_its_patients_are_those_of_the_demonstration(hospital: RunningHospital) -> None:
    known = {
        (one["identifier"][0]["value"], one["name"][0]["text"], one["gender"], one["birthDate"])
        for one in hospital.hospital.store.all("Patient")
    }
    assert known == {(one.id_number, one.name, one.sex, one.birth_date.isoformat()) for one in demo().patients}


def test_everything_that_it_tells_is_sound(hospital: RunningHospital) -> None:
    for type_ in TYPES:
        for resource in hospital.hospital.store.all(type_):
            get_fhir_model_class(type_).model_validate(resource)


async def test_whoever_has_no_token_learns_nothing(hospital: RunningHospital) -> None:
    status, outcome, _ = await call("GET", f"{hospital.url}/Patient", Authorization="Bearer another")
    assert status == 401
    assert outcome["resourceType"] == "OperationOutcome"


async def test_a_search_has_pages(hospital: RunningHospital) -> None:
    url, seen = f"{hospital.url}/Observation?patient=p1&_sort=-date&_count=10", []
    while url:
        _, bundle, _ = await call("GET", url)
        seen += [entry["resource"]["effectiveDateTime"] for entry in bundle["entry"]]
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    assert len(seen) == bundle["total"] > 20
    assert seen == sorted(seen, reverse=True)


async def test_a_patient_is_found_by_identity_number(hospital: RunningHospital) -> None:
    _, bundle, _ = await call("GET", f"{hospital.url}/Patient?identifier={IDENTITY}|999901195903120026")
    assert [entry["resource"]["id"] for entry in bundle["entry"]] == ["p1"]


async def test_an_update_needs_the_present_version(hospital: RunningHospital) -> None:
    url = f"{hospital.url}/Patient/p1"
    _, patient, headers = await call("GET", url)
    assert (await call("PUT", url, patient, **{"If-Match": 'W/"7"'}))[0] == 412
    assert (await call("PUT", url, patient, **{"If-Match": headers["ETag"]}))[0] == 200


async def test_a_transaction_is_done_whole_or_not_at_all(hospital: RunningHospital) -> None:
    encounter = {"resourceType": "Encounter", "status": "finished", "class": {"code": "VR"}}
    good = {"resource": encounter, "request": {"method": "POST", "url": "Encounter"}}
    bad = {"resource": {"resourceType": "Spell"}, "request": {"method": "POST", "url": "Spell"}}
    before = len(hospital.hospital.store.all("Encounter"))
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [good, bad]}
    assert (await call("POST", hospital.url, bundle))[0] == 404
    assert len(hospital.hospital.store.all("Encounter")) == before
    assert (await call("POST", hospital.url, bundle | {"entry": [good]}))[0] == 200
    assert len(hospital.hospital.store.all("Encounter")) == before + 1


async def test_faults_are_switched_on_and_off(hospital: RunningHospital) -> None:
    control = hospital.url.replace("/fhir", "/control/faults")
    assert (await call("POST", control, {"kind": "plague"}))[0] == 400
    _, answer, _ = await call("POST", control, {"kind": "error"})
    assert answer["on"] == ["error"]
    assert set(answer["kinds"]) == set(KINDS)
    assert (await call("GET", f"{hospital.url}/Patient"))[0] == 500
    await call("DELETE", control)
    assert (await call("GET", f"{hospital.url}/Patient"))[0] == 200


async def test_the_local_wechat_has_a_hospital_beside_it() -> None:
    async with running_sandbox() as sandbox:
        url = f"{sandbox.base_url}/hospital/fhir"
        _, bundle, _ = await call("GET", f"{url}/Patient?_count=1")
        assert bundle["total"] == 5
        assert bundle["link"][1]["url"].startswith(url)
        await call("POST", f"{sandbox.base_url}/hospital/control/faults", {"kind": "error"})
        await sandbox.client.call("POST", "/api/reset")
        assert (await call("GET", f"{url}/Patient"))[0] == 200
