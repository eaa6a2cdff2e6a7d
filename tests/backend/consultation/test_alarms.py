"""Danger that is told after a case was opened."""

import pytest

from backend.consultation import Status, Urgency
from backend.errors import Forbidden, IllegalMove, InvalidInput
from tests.support.clinic import Clinic

CHEST = {"code": "CHEST_PAIN", "title": "胸痛伴危险信号", "level": 1}
STROKE = {"code": "STROKE", "title": "疑似中风的表现", "level": 1}


async def test_an_alarm_makes_a_case_critical_keeps_its_signs_and_is_told(clinic: Clinic) -> None:
    doctor, patient = await clinic.doctor(), await clinic.patient()
    case = await clinic.draft(patient)
    await clinic.care.raise_alarm(patient, case.id, [CHEST])
    seen = await clinic.care.get(doctor, case.id)
    assert (seen.urgency, seen.status) == (Urgency.CRITICAL, Status.DRAFT)
    assert [flag["code"] for flag in seen.red_flags] == ["CHEST_PAIN"]
    [told] = await clinic.published("consultation.critical")
    assert told["consultation_id"] == case.id
    assert any(entry.kind == "critical" for entry in await clinic.care.timeline(patient, case.id))


async def test_the_same_sign_twice_is_told_once_and_another_is_told_again(clinic: Clinic) -> None:
    await clinic.doctor()
    patient = await clinic.patient()
    case = await clinic.draft(patient)
    for flags in ([CHEST], [CHEST], [CHEST, STROKE]):
        await clinic.care.raise_alarm(patient, case.id, flags)
    seen = await clinic.care.get(patient, case.id)
    assert [flag["code"] for flag in seen.red_flags] == ["CHEST_PAIN", "STROKE"]
    assert len(await clinic.published("consultation.critical")) == 2


async def test_strangers_raise_no_alarm(clinic: Clinic) -> None:
    await clinic.doctor()
    case = await clinic.draft(await clinic.patient())
    with pytest.raises(Forbidden):
        await clinic.care.raise_alarm(await clinic.patient(), case.id, [CHEST])


async def test_a_case_that_has_ended_sends_the_patient_to_120(clinic: Clinic) -> None:
    await clinic.doctor()
    patient = await clinic.patient()
    case = await clinic.draft(patient)
    await clinic.care.cancel(patient, case.id, "好多了")
    with pytest.raises(IllegalMove) as refusal:
        await clinic.care.raise_alarm(patient, case.id, [CHEST])
    assert "120" in refusal.value.sentence


@pytest.mark.parametrize("count", [0, 51])
async def test_no_signs_or_too_many_are_refused(clinic: Clinic, count: int) -> None:
    await clinic.doctor()
    patient = await clinic.patient()
    case = await clinic.draft(patient)
    with pytest.raises(InvalidInput):
        await clinic.care.raise_alarm(patient, case.id, [CHEST] * count)
