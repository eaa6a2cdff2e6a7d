"""The client against an independent FHIR server, and against the official examples of the standard."""

import json
from typing import Any

import pytest

from backend.ids import new_id
from backend.records.hospital.faults import FaultCode, HospitalFault
from backend.records.hospital.validation import read_page
from tests.backend.records.hospital.conftest import Connect
from tests.support.medplum import examples

SYSTEM = "urn:oid:1.2.3"
READ = (
    "Patient",
    "Encounter",
    "Observation",
    "Condition",
    "AllergyIntolerance",
    "MedicationStatement",
    "MedicationRequest",
    "DiagnosticReport",
    "ImagingStudy",
)


def patient(number: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": SYSTEM, "value": number}],
        "name": [{"text": "王秀英"}],
        "gender": "female",
        "birthDate": "1959-03-12",
    }


async def test_what_was_created_is_read_and_found(connect: Connect, medplum_url: str) -> None:
    client, number = connect(medplum_url), new_id()
    written = await client.create(patient(number), if_none_exist=f"identifier={SYSTEM}%7C{number}")
    assert written.created
    read = await client.read("Patient", written.id)
    assert read.resource["name"] == [{"text": "王秀英"}]
    assert read.version == written.version != ""
    found = await client.search("Patient", [("identifier", f"{SYSTEM}|{number}")])
    assert [one["id"] for one in found.resources] == [written.id]
    assert found.complete


async def test_creating_twice_makes_one(connect: Connect, medplum_url: str) -> None:
    client, number = connect(medplum_url), new_id()
    query = f"identifier={SYSTEM}%7C{number}"
    first = await client.create(patient(number), if_none_exist=query)
    again = await client.create(patient(number), if_none_exist=query)
    assert not again.created
    assert again.id == first.id


async def test_an_update_of_a_version_that_is_over_is_refused(connect: Connect, medplum_url: str) -> None:
    client, number = connect(medplum_url), new_id()
    written = await client.create(patient(number), if_none_exist=f"identifier={SYSTEM}%7C{number}")
    read = await client.read("Patient", written.id)
    changed = read.resource | {"gender": "male"}
    await client.update(changed, read.version)
    with pytest.raises(HospitalFault) as refused:
        await client.update(read.resource | {"gender": "other"}, read.version)
    assert refused.value.fault is FaultCode.CHANGED
    assert (await client.read("Patient", written.id)).resource["gender"] == "male"


async def test_a_transaction_sent_again_writes_nothing_more(connect: Connect, medplum_url: str) -> None:
    client, number = connect(medplum_url), new_id()
    reference = "urn:uuid:1d2b3b9e-0f7c-4d0e-9d6c-3a1b1d8c6a11"
    condition = {
        "resourceType": "Condition",
        "identifier": [{"system": SYSTEM, "value": f"c{number}"}],
        "subject": {"reference": reference},
        "code": {"text": "高血压"},
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": reference,
                "resource": patient(number),
                "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={SYSTEM}|{number}"},
            },
            {
                "resource": condition,
                "request": {"method": "POST", "url": "Condition", "ifNoneExist": f"identifier={SYSTEM}|c{number}"},
            },
        ],
    }
    first = await client.transaction(bundle, repeatable=True)
    again = await client.transaction(bundle, repeatable=True)
    assert [(one.type, one.created) for one in first] == [("Patient", True), ("Condition", True)]
    assert [one.created for one in again] == [False, False]
    assert [one.id for one in again] == [one.id for one in first]
    read = await client.read("Condition", first[1].id)
    assert read.resource["subject"]["reference"] == f"Patient/{first[0].id}"


async def test_what_is_not_there_says_so(connect: Connect, medplum_url: str) -> None:
    with pytest.raises(HospitalFault) as missing:
        await connect(medplum_url).read("Patient", new_id())
    assert missing.value.fault is FaultCode.NOT_FOUND
    assert "病历" not in missing.value.code


async def test_an_identifier_cannot_leave_its_place_in_the_address(connect: Connect, medplum_url: str) -> None:
    with pytest.raises(HospitalFault):
        await connect(medplum_url).read("Patient", "../Observation")


@pytest.mark.parametrize("type_", READ)
def test_the_official_examples_are_read(type_: str) -> None:
    given = examples(type_)
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in given]}
    page = read_page(json.dumps(bundle).encode(), type_)
    assert given
    assert page.left_out == 0
    assert len(page.resources) == len(given)
