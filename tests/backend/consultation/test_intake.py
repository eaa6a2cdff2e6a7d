"""How a consultation begins: numbers, the doctor who gets the task, and what happens when nobody looks at it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from backend.consultation import ConsultationView, Status
from backend.consultation.rules import TASK_LIMITS, Urgency
from backend.errors import ConsentRequired, DomainError, Forbidden, IllegalMove, InvalidInput, NotFound
from backend.security.policy import SYSTEM
from tests.support.clinic import RECORD, Clinic, practitioner_of


async def test_numbers_count_up_by_the_day_in_china(clinic: Clinic) -> None:
    patient = await clinic.patient()
    await clinic.doctor()
    numbers = [(await clinic.draft(patient)).number for _ in range(2)]
    clinic.clock.advance(timedelta(hours=16))  # half past midnight would still be the same day in UTC
    numbers.append((await clinic.draft(patient)).number)
    assert numbers == ["HZ20261123-0001", "HZ20261123-0002", "HZ20261124-0001"]


async def test_consultations_opened_in_the_same_moment_have_different_numbers(clinic: Clinic) -> None:
    patients = [await clinic.patient() for _ in range(8)]
    await clinic.doctor()
    opened = await asyncio.gather(*(asyncio.create_task(clinic.draft(patient)) for patient in patients))
    assert sorted(case.number for case in opened) == [f"HZ20261123-{number:04d}" for number in range(1, 9)]


async def test_the_doctor_with_the_fewest_cases_gets_the_task(clinic: Clinic) -> None:
    patient = await clinic.patient()
    doctors = {practitioner_of(doctor) for doctor in [await clinic.doctor("李一"), await clinic.doctor("李二")]}
    opened = [(await clinic.draft(patient)).doctor_id for _ in range(4)]
    assert set(opened[:2]) == set(opened[2:]) == doctors


async def test_a_task_that_nobody_looks_at_goes_to_a_colleague_and_then_to_the_administrator(clinic: Clinic) -> None:
    patient = await clinic.patient()
    for name in ("李一", "李二"):
        await clinic.doctor(name)
    case = await clinic.draft(patient, urgency="urgent")
    await clinic.pass_time(TASK_LIMITS[Urgency.URGENT])
    seen = await clinic.care.get(SYSTEM, case.id)
    assert seen.doctor_id != case.doctor_id
    await clinic.pass_time(timedelta(days=1))
    first, second = await clinic.published("task.overdue")
    assert (first["doctor_id"], first["reassigned_to"]) == (case.doctor_id, seen.doctor_id)
    assert (second["doctor_id"], second["reassigned_to"]) == (seen.doctor_id, None)


async def test_a_task_that_was_looked_at_is_not_overdue(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient, urgency="critical")
    await clinic.care.acknowledge_task(doctor, case.id)
    await clinic.pass_time(timedelta(days=1))
    assert await clinic.published("task.overdue") == []


async def test_a_colleague_who_takes_the_task_becomes_the_doctor_of_the_case(clinic: Clinic) -> None:
    patient = await clinic.patient()
    doctors = {practitioner_of(doctor): doctor for doctor in [await clinic.doctor("李一"), await clinic.doctor("李二")]}
    case = await clinic.draft(patient)
    other = next(doctor for practitioner_id, doctor in doctors.items() if practitioner_id != case.doctor_id)
    assert (await clinic.care.acknowledge_task(other, case.id)).doctor_id == practitioner_of(other)


async def test_a_critical_case_is_announced_at_once(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    flags = [{"code": "chest_pain", "title": "胸痛", "level": 1}]
    case = await clinic.draft(patient, urgency="critical", urgency_reason="胸痛伴冷汗", red_flags=flags)
    assert (await clinic.care.get(doctor, case.id)).red_flags == flags
    [announced] = await clinic.published("consultation.critical")
    assert announced["consultation_id"] == case.id


async def test_a_doctor_opens_a_consultation_for_the_patient_in_front_of_them(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.care.open_by_doctor(
        doctor,
        patient_id=patient.person_id,
        record=RECORD,
        facts={},
        department_code="cardiology",
        urgency=Urgency.SEMI_URGENT,
    )
    assert (case.doctor_id, case.status, case.urgency) == (practitioner_of(doctor), Status.DRAFT, Urgency.SEMI_URGENT)
    assert case.acknowledged_at is not None
    await clinic.pass_time(timedelta(days=1))
    assert await clinic.published("task.overdue") == []


async def test_without_consent_nothing_is_opened(clinic: Clinic) -> None:
    patient = await clinic.patient()
    await clinic.doctor()
    await clinic.people.withdraw_consent(patient)
    with pytest.raises(ConsentRequired):
        await clinic.draft(patient)
    assert await clinic.published("consultation.drafted") == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"department_code": "witchcraft"}, InvalidInput),
        ({"urgency": "soon"}, InvalidInput),
        ({"record": {}}, InvalidInput),
        ({"record": {"text": "长" * 100_001}}, InvalidInput),
        ({"institution_id": "0" * 32}, NotFound),
        ({"patient_id": "0" * 32}, Forbidden),
    ],
)
async def test_what_cannot_be_opened_leaves_nothing_behind(
    clinic: Clinic, changes: dict[str, Any], error: type[DomainError]
) -> None:
    patient = await clinic.patient()
    await clinic.doctor()
    with pytest.raises(error):
        await clinic.draft(patient, **changes)
    assert await clinic.published("consultation.drafted") == []
    assert await clinic.care.list_for(patient) == []


async def test_a_centre_without_doctors_sends_the_patient_elsewhere(clinic: Clinic) -> None:
    with pytest.raises(NotFound) as refused:
        await clinic.draft(await clinic.patient())
    assert "换一家" in refused.value.sentence


async def test_newer_vital_signs_replace_older_ones_and_findings_add_up(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient)
    await clinic.care.add_findings(doctor, case.id, vitals={"temperature": 38.5, "spo2": 95}, text="咽红")
    seen = await clinic.care.add_findings(doctor, case.id, vitals={"temperature": 37.2}, text="双肺清")
    assert seen.vitals == {"temperature": 37.2, "spo2": 95}
    assert seen.findings == "咽红\n双肺清"
    with pytest.raises(InvalidInput):
        await clinic.care.add_findings(doctor, case.id)
    with pytest.raises(InvalidInput):
        await clinic.care.add_findings(doctor, case.id, vitals={"systolic": 15, "diastolic": 95})
    assert (await clinic.care.get(doctor, case.id)).vitals == {"temperature": 37.2, "spo2": 95}


async def test_a_step_out_of_order_is_refused_by_name(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient)
    await clinic.care.submit(doctor, case.id)
    with pytest.raises(IllegalMove) as refused:
        await clinic.care.submit(doctor, case.id)
    assert refused.value.sentence == "这次会诊现在是“待分配”，不能提交会诊申请（要在“草稿”时才可以）。"


async def test_what_fails_inside_a_turn_undoes_all_of_it(clinic: Clinic) -> None:
    patient = await clinic.patient()
    await clinic.doctor()

    async def turn() -> ConsultationView:
        async with clinic.database.transaction():
            await clinic.draft(patient)
            raise RuntimeError("the turn fails after the use case")

    with pytest.raises(RuntimeError):
        await turn()
    assert await clinic.care.list_for(patient) == []
    assert await clinic.published("consultation.drafted") == []
    assert (await clinic.draft(patient)).number == "HZ20261123-0001"
