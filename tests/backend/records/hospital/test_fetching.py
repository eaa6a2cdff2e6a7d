"""Finding a patient in a hospital and fetching what it tells of them."""

from typing import Any

import pytest
import pytest_asyncio

from backend.fhir.systems import IDENTITY_NUMBER
from backend.ids import new_id
from backend.records.hospital.client import HospitalClient
from backend.records.hospital.facts import HospitalHistory
from backend.records.hospital.faults import FaultCode, HospitalFault
from backend.records.hospital.fetching import fetch_history, find_patient
from backend.records.hospital.matching import Match
from backend.records.hospital.transport import HospitalAddress
from sandbox.hospital.access import LOCAL_TOKEN
from tests.backend.records.hospital.conftest import WANG, Connect
from tests.support.hospital import RunningHospital


@pytest_asyncio.fixture
async def client(connect: Connect, hospital: RunningHospital) -> HospitalClient:
    return connect(HospitalAddress(hospital.url, LOCAL_TOKEN))


async def found(client: HospitalClient) -> tuple[Match, str]:
    return await find_patient(client, WANG, IDENTITY_NUMBER)


async def test_a_patient_is_found_by_identity_number_name_and_birth_date(client: HospitalClient) -> None:
    assert await found(client) == (Match.ONE, "p1")


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        ("duplicate_patient", Match.SEVERAL),
        ("wrong_name", Match.ANOTHER),
        ("wrong_birth_date", Match.ANOTHER),
    ],
)
async def test_a_patient_who_may_be_another_is_not_taken(
    client: HospitalClient, hospital: RunningHospital, fault: str, result: Match
) -> None:
    hospital.hospital.faults.switch_on(fault)
    assert await found(client) == (result, "")


async def test_a_history_has_everything_that_the_hospital_tells(client: HospitalClient) -> None:
    history = await fetch_history(client, "p1")
    assert [(one.substance, one.atc, one.reaction, one.severe) for one in history.allergies] == [
        ("青霉素", "J01C", "过敏性休克", True)
    ]
    assert {(one.icd10, one.active) for one in history.conditions} == {
        ("I10", True),
        ("E11.9", True),
        ("J18.9", False),
    }
    assert [(one.name, one.dose) for one in history.medicines] == [
        ("盐酸二甲双胍片", "0.5克，每天2次，饭后吃"),
        ("苯磺酸氨氯地平片", "5毫克，每天1次，早上吃"),
    ]
    newest = history.measurements[0]
    assert newest.taken == max(one.taken for one in history.measurements)
    pressure = [one for one in history.measurements if one.panel == "85354-9"]
    assert [(one.name, one.value, one.unit) for one in pressure[:2]] == [
        ("收缩压", "156", "mm[Hg]"),
        ("舒张压", "94", "mm[Hg]"),
    ]
    potassium = next(one for one in history.measurements if one.code == "2823-3")
    assert (potassium.value, potassium.low, potassium.high, potassium.mark) == ("3.4", "3.5", "5.3", "L")
    assert [one.kind for one in history.encounters] == ["AMB", "AMB", "IMP"]
    assert [one.name for one in history.reports] == ["心电图", "胸部CT平扫"]
    assert [one.modalities for one in history.studies] == ["CT"]
    assert history.missing == ()
    assert history.left_out == 0
    assert history.complete


async def test_that_there_is_no_allergy_is_a_fact_of_its_own(client: HospitalClient) -> None:
    history = await fetch_history(client, "p3")
    assert history.allergies == ()
    assert history.no_known_allergies


async def test_what_is_somebody_elses_is_left_out(client: HospitalClient, hospital: RunningHospital) -> None:
    own = await fetch_history(client, "p1")
    hospital.hospital.faults.switch_on("foreign")
    history = await fetch_history(client, "p1")
    assert set(history.allergies) == set(own.allergies)
    assert set(history.measurements) == set(own.measurements)
    assert history.left_out > 20


async def test_a_million_results_bring_a_bounded_history(client: HospitalClient, hospital: RunningHospital) -> None:
    hospital.hospital.faults.switch_on("endless")
    history = await fetch_history(client, "p1")
    assert len(history.measurements) <= 3_000
    assert not history.complete


async def test_a_hospital_that_breaks_down_in_between_is_unreachable(
    client: HospitalClient, hospital: RunningHospital
) -> None:
    hospital.hospital.faults.switch_on("error")
    with pytest.raises(HospitalFault) as caught:
        await fetch_history(client, "p1")
    assert caught.value.fault in (FaultCode.DOWN, FaultCode.PAUSED)


async def test_a_history_is_kept_and_read_again_as_it_was(client: HospitalClient) -> None:
    history = await fetch_history(client, "p2")
    assert HospitalHistory.from_json(history.to_json()) == history


async def test_a_history_comes_from_an_independent_server_too(connect: Connect, medplum_url: str) -> None:
    client, number = connect(medplum_url), new_id()
    query = f"identifier={IDENTITY_NUMBER}%7C{number}"
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": IDENTITY_NUMBER, "value": number}],
        "name": [{"family": "王", "given": ["秀英"]}],
        "gender": "female",
        "birthDate": WANG.birth_date.isoformat(),
    }
    id_ = (await client.create(patient, if_none_exist=query)).id
    subject = {"reference": f"Patient/{id_}"}
    medication = {"resourceType": "Medication", "identifier": [{"value": number}], "code": {"text": "华法林钠片"}}
    made = await client.create(medication, if_none_exist=f"identifier={number}")
    written: list[dict[str, Any]] = [
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "subject": subject,
            "medicationReference": {"reference": f"Medication/{made.id}"},
        },
        {
            "resourceType": "Observation",
            "status": "final",
            "subject": subject,
            "category": [{"coding": [{"code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "14682-9"}], "text": "肌酐"},
            "effectiveDateTime": "2026-11-01",
            "valueQuantity": {"value": 142, "unit": "umol/L"},
        },
    ]
    for number_, resource in enumerate(written):
        resource["identifier"] = [{"value": f"{number}-{number_}"}]
        await client.create(resource, if_none_exist=f"identifier={number}-{number_}")
    identity = type(WANG)(WANG.name, WANG.sex, WANG.birth_date, number)
    assert await find_patient(client, identity, IDENTITY_NUMBER) == (Match.ONE, id_)
    history = await fetch_history(client, id_)
    assert [one.name for one in history.medicines] == ["华法林钠片"]
    assert [(one.name, one.value, one.unit) for one in history.measurements] == [("肌酐", "142", "umol/L")]
