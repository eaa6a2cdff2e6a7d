"""Danger signs that are told while a case is under way."""

from datetime import timedelta

import pytest

from backend.consultation import Urgency
from backend.consultation.rules import OFFER_LIMITS, TASK_LIMITS
from backend.errors import Forbidden, IllegalMove, InvalidInput
from tests.support.clinic import Clinic

FLAG = {"code": "chest_pain", "title": "胸痛伴冷汗", "level": 1}
STROKE = {"code": "STROKE", "title": "疑似中风的表现", "level": 1}


async def test_a_danger_sign_makes_the_case_critical_and_is_announced(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient)
    await clinic.care.raise_alarm(patient, case.id, [FLAG])
    await clinic.care.raise_alarm(patient, case.id, [FLAG])
    seen = await clinic.care.get(doctor, case.id)
    assert (seen.urgency, seen.red_flags) == (Urgency.CRITICAL, [FLAG])
    assert len(await clinic.published("consultation.critical")) == 1


async def test_the_doctor_who_has_not_looked_yet_has_the_short_limit(clinic: Clinic) -> None:
    patient = await clinic.patient()
    await clinic.doctor()
    case = await clinic.draft(patient)
    await clinic.care.raise_alarm(patient, case.id, [FLAG])
    await clinic.pass_time(TASK_LIMITS[Urgency.CRITICAL])
    assert len(await clinic.published("task.overdue")) == 1


async def test_the_experts_who_are_asked_have_the_short_limit(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    await clinic.expert()
    case = await clinic.draft(patient)
    await clinic.care.submit(doctor, case.id)
    await clinic.care.raise_alarm(patient, case.id, [FLAG])
    await clinic.pass_time(OFFER_LIMITS[Urgency.CRITICAL])
    assert len(await clinic.published("offer.expired")) == 1


async def test_an_alarm_never_gives_experts_more_time(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    await clinic.expert()
    case = await clinic.draft(patient)
    await clinic.care.submit(doctor, case.id)
    await clinic.pass_time(OFFER_LIMITS[Urgency.ROUTINE] - timedelta(minutes=1))
    await clinic.care.raise_alarm(patient, case.id, [FLAG])
    await clinic.pass_time(timedelta(minutes=1))
    assert len(await clinic.published("offer.expired")) == 1


async def test_who_may_not_or_says_nothing_or_comes_too_late_raises_no_alarm(clinic: Clinic) -> None:
    patient = await clinic.patient()
    await clinic.doctor()
    case = await clinic.draft(patient)
    with pytest.raises(Forbidden):
        await clinic.care.raise_alarm(await clinic.patient("路人"), case.id, [FLAG])
    with pytest.raises(InvalidInput):
        await clinic.care.raise_alarm(patient, case.id, [])
    await clinic.care.cancel(patient, case.id, "好了")
    with pytest.raises(IllegalMove) as refused:
        await clinic.care.raise_alarm(patient, case.id, [FLAG])
    assert "120" in refused.value.sentence


async def test_the_same_sign_twice_is_told_once_and_another_is_told_again(clinic: Clinic) -> None:
    await clinic.doctor()
    patient = await clinic.patient()
    case = await clinic.draft(patient)
    for flags in ([FLAG], [FLAG], [FLAG, STROKE]):
        await clinic.care.raise_alarm(patient, case.id, flags)
    seen = await clinic.care.get(patient, case.id)
    assert [flag["code"] for flag in seen.red_flags] == ["chest_pain", "STROKE"]
    assert len(await clinic.published("consultation.critical")) == 2
