"""What a patient adds to a case that was handed over."""

import pytest

from backend.consultation.patient_notes import LONGEST_NOTE, latest_patient_note
from backend.errors import Forbidden, IllegalMove, InvalidInput
from tests.support.clinic import Clinic


async def test_the_doctor_reads_it_below_the_history_and_it_is_announced(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient)
    await clinic.care.add_patient_note(patient, case.id, "今天又吐了两次")
    await clinic.care.add_patient_note(patient, case.id, " 还发烧 ")
    history = (await clinic.care.get(doctor, case.id)).record["present_illness"]
    first, second, third = history.split("\n")
    assert first == case.record["present_illness"]
    assert second.startswith("患者补充（")
    assert second.endswith("：今天又吐了两次")
    assert latest_patient_note({"present_illness": history}) == third
    assert third.endswith("：还发烧")
    assert [told["actor_id"] for told in await clinic.published("patient_note.added")] == [patient.person_id] * 2
    assert (await clinic.told(case.id)).count("患者补充了病情") == 2


async def test_nobody_else_speaks_for_the_patient(clinic: Clinic) -> None:
    patient, doctor, other = await clinic.patient(), await clinic.doctor(), await clinic.patient("李四")
    case = await clinic.draft(patient)
    for actor in (doctor, other):
        with pytest.raises(Forbidden):
            await clinic.care.add_patient_note(actor, case.id, "又吐了")


async def test_a_case_that_has_ended_takes_nothing_more(clinic: Clinic) -> None:
    patient = await clinic.patient()
    await clinic.doctor()
    case = await clinic.draft(patient)
    await clinic.care.cancel(patient, case.id, "好多了")
    with pytest.raises(IllegalMove):
        await clinic.care.add_patient_note(patient, case.id, "又吐了")


async def test_a_note_has_bounds(clinic: Clinic) -> None:
    patient = await clinic.patient()
    await clinic.doctor()
    case = await clinic.draft(patient)
    for words in ("", "  ", "吐" * (LONGEST_NOTE + 1)):
        with pytest.raises(InvalidInput):
            await clinic.care.add_patient_note(patient, case.id, words)
    for _ in range(5):
        await clinic.care.add_patient_note(patient, case.id, "吐" * LONGEST_NOTE)
    with pytest.raises(InvalidInput):
        await clinic.care.add_patient_note(patient, case.id, "吐" * LONGEST_NOTE)


async def test_a_record_without_notes_has_no_latest_one() -> None:
    assert latest_patient_note({}) == ""
    assert latest_patient_note({"present_illness": "3天前咳嗽"}) == ""
