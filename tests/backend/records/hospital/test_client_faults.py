"""A hospital on a bad day: each fault has its code, and none of them hangs, leaks or leads the client astray."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from backend.clock import Clock
from backend.records.hospital.breaker import TOLERATED
from backend.records.hospital.client import HospitalClient
from backend.records.hospital.faults import FAULT_SENTENCES, FaultCode, HospitalFault
from backend.records.hospital.transport import HospitalAddress
from sandbox.hospital.access import LOCAL_TOKEN
from tests.backend.records.hospital.conftest import QUICK, Connect
from tests.support.hospital import RunningHospital

PATIENT = [("patient", "p1")]


@pytest_asyncio.fixture
async def client(connect: Connect, hospital: RunningHospital) -> HospitalClient:
    return connect(HospitalAddress(hospital.url, LOCAL_TOKEN), replace(QUICK, seconds=0.5))


async def fault_of(client: HospitalClient, type_: str = "Condition") -> HospitalFault:
    with pytest.raises(HospitalFault) as caught:
        await client.search(type_, PATIENT)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("slow", FaultCode.SLOW),
        ("error", FaultCode.DOWN),
        ("throttled", FaultCode.DOWN),
        ("html", FaultCode.NOT_FHIR),
        ("wrong_type", FaultCode.NOT_FHIR),
        ("truncated", FaultCode.NOT_FHIR),
        ("redirect", FaultCode.NOT_FHIR),
        ("unauthorized", FaultCode.UNAUTHORIZED),
    ],
)
async def test_each_fault_has_its_code_and_a_sentence(
    client: HospitalClient, hospital: RunningHospital, kind: str, code: FaultCode
) -> None:
    hospital.hospital.faults.switch_on(kind)
    fault = await fault_of(client)
    assert fault.code == code.value
    assert fault.sentence == FAULT_SENTENCES[code]


async def test_a_hospital_that_is_down_says_so(connect: Connect) -> None:
    fault = await fault_of(connect("http://127.0.0.1:9"))
    assert fault.fault is FaultCode.DOWN


async def test_a_refusal_tells_the_codes_of_the_outcome_and_not_its_text(client: HospitalClient) -> None:
    with pytest.raises(HospitalFault) as caught:
        await client.search("Condition", [("bed", "王秀英")])
    assert caught.value.fault is FaultCode.REFUSED
    assert caught.value.detail == "400 error/not-supported"


async def test_a_passing_fault_is_tried_again(client: HospitalClient, hospital: RunningHospital) -> None:
    hospital.hospital.faults.switch_on("error")
    await fault_of(client)
    assert hospital.hospital.asked == ["GET /fhir/Condition"] * QUICK.attempts


async def test_an_update_whose_answer_was_lost_is_made_once(client: HospitalClient, hospital: RunningHospital) -> None:
    read = await client.read("Condition", "p1-2")
    hospital.hospital.faults.switch_on("lost_answer")
    with pytest.raises(HospitalFault) as caught:
        await client.update(read.resource | {"recordedDate": "2020-01-01"}, read.version)
    assert caught.value.fault in (FaultCode.CHANGED, FaultCode.DOWN)
    hospital.hospital.faults.clear()
    assert (await client.read("Condition", "p1-2")).version == str(int(read.version) + 1)


async def test_a_transaction_that_may_not_be_repeated_is_sent_once(
    client: HospitalClient, hospital: RunningHospital
) -> None:
    hospital.hospital.faults.switch_on("lost_answer")
    with pytest.raises(HospitalFault):
        await client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": []}, repeatable=False)
    assert hospital.hospital.asked == ["POST /fhir"]


async def test_a_create_whose_answer_was_lost_makes_one_resource(
    client: HospitalClient, hospital: RunningHospital
) -> None:
    resource = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "identifier": [{"system": "urn:x", "value": "7"}],
        "subject": {"reference": "Patient/p1"},
    }
    hospital.hospital.faults.switch_on("lost_answer")
    with pytest.raises(HospitalFault):
        await client.create(resource, if_none_exist="identifier=urn:x%7C7")
    hospital.hospital.faults.clear()
    written = await client.create(resource, if_none_exist="identifier=urn:x%7C7")
    assert not written.created
    assert len(hospital.hospital.store.all("ServiceRequest")) == 1


async def test_a_hospital_that_keeps_failing_is_left_alone_and_tried_again_later(
    client: HospitalClient, hospital: RunningHospital, clock: Clock
) -> None:
    hospital.hospital.faults.switch_on("error")
    for _ in range(TOLERATED // QUICK.attempts):
        await fault_of(client)
    asked = len(hospital.hospital.asked)
    assert (await fault_of(client)).fault is FaultCode.PAUSED
    assert len(hospital.hospital.asked) == asked
    hospital.hospital.faults.clear()
    clock.advance(timedelta(minutes=1))
    assert (await client.search("Condition", PATIENT)).resources


async def test_only_one_request_tries_a_hospital_that_was_left_alone(
    client: HospitalClient, hospital: RunningHospital, clock: Clock
) -> None:
    hospital.hospital.faults.switch_on("error")
    for _ in range(TOLERATED // QUICK.attempts):
        await fault_of(client)
    asked = len(hospital.hospital.asked)
    clock.advance(timedelta(minutes=1))
    await asyncio.gather(*(fault_of(client) for _ in range(5)))
    assert len(hospital.hospital.asked) == asked + 1


async def test_a_refused_request_does_not_count_against_a_hospital(client: HospitalClient) -> None:
    for _ in range(TOLERATED * 2):
        with pytest.raises(HospitalFault):
            await client.search("Condition", [("bed", "7")])
    assert (await client.search("Condition", PATIENT)).resources


async def test_other_hospitals_are_asked_while_one_is_left_alone(
    client: HospitalClient, hospital: RunningHospital, connect: Connect
) -> None:
    away = connect("http://127.0.0.1:9")
    for _ in range(TOLERATED):
        await fault_of(away)
    assert (await client.search("Condition", PATIENT)).resources


async def test_a_million_results_end_at_the_bound(client: HospitalClient, hospital: RunningHospital) -> None:
    hospital.hospital.faults.switch_on("endless")
    found = await client.search("Condition", PATIENT, most=120)
    assert len(found.resources) == 120
    assert not found.complete
    assert len(hospital.hospital.asked) == 3


async def test_the_bytes_of_a_search_are_bounded(connect: Connect, hospital: RunningHospital) -> None:
    hospital.hospital.faults.switch_on("endless")
    small = replace(QUICK, search_bytes=60_000, page_size=20)
    found = await connect(HospitalAddress(hospital.url, LOCAL_TOKEN), small).search("Condition", PATIENT)
    assert 0 < len(found.resources) < 300
    assert not found.complete


async def test_an_answer_that_is_too_large_is_not_read_to_its_end(connect: Connect, hospital: RunningHospital) -> None:
    hospital.hospital.faults.switch_on("endless")
    small = replace(QUICK, page_bytes=2_000)
    fault = await fault_of(connect(HospitalAddress(hospital.url, LOCAL_TOKEN), small))
    assert fault.fault is FaultCode.TOO_LARGE


async def test_every_page_is_read(connect: Connect, hospital: RunningHospital) -> None:
    held = len(hospital.hospital.store.matching("Observation", PATIENT))
    client = connect(HospitalAddress(hospital.url, LOCAL_TOKEN), replace(QUICK, page_size=7))
    found = await client.search("Observation", PATIENT)
    assert len({one["id"] for one in found.resources}) == held > 14
    assert found.complete


async def test_a_next_page_on_another_host_is_not_followed(client: HospitalClient, hospital: RunningHospital) -> None:
    hospital.hospital.faults.switch_on("endless")
    hospital.hospital.faults.switch_on("foreign_link")
    fault = await fault_of(client)
    assert fault.fault is FaultCode.FORBIDDEN_ADDRESS


async def test_resources_that_break_their_model_are_left_out_and_counted(
    client: HospitalClient, hospital: RunningHospital
) -> None:
    hospital.hospital.faults.switch_on("invalid")
    found = await client.search("Encounter", PATIENT)
    assert found.resources == ()
    assert found.left_out == 3


async def test_a_probe_tells_the_version(client: HospitalClient) -> None:
    assert await client.probe() == "4.0.1"
