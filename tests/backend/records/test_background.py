"""What a prescriber has to know: gathered from what consultations learned and people said, each once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from backend.errors import NotFound
from backend.records import Question, Source
from backend.records.learned import icd10_code, learn
from tests.backend.records.conftest import Ward

FACTS = {
    "temperature": 38.5,
    "vitals": {"systolic": 150, "diastolic": 95, "glucose": 6.5, "glucose_timing": "空腹", "weight": 61.5},
    "allergies": [
        {"name": "青霉素", "text": "青霉素过敏，以前休克过"},
        {"name": "海鲜", "text": "海鲜", "status": "negative"},
    ],
    "drugs": [{"name": "硝苯地平", "text": "拜新同"}],
    "diseases": [{"name": "高血压", "text": "高血压"}, {"name": "老寒腿", "text": "老寒腿"}],
    "pregnancy": {"status": "negative"},
}


async def test_what_the_patient_told_a_consultation_is_known_for_good(ward: Ward) -> None:
    case_id = await ward.open(facts=FACTS)
    known = await ward.records.background(ward.doctor, ward.patient.person_id)
    assert [(one.substance, one.severe, one.source) for one in known.allergies] == [("青霉素", True, Source.PATIENT)]
    assert [one.name for one in known.medicines] == ["硝苯地平"]
    assert [(one.name, one.icd10) for one in known.conditions] == [("高血压", "I10"), ("老寒腿", "")]
    assert known.weight is not None
    assert known.weight.value == Decimal("61.5")
    assert known.pregnant is not None
    assert not known.pregnant.yes
    assert known.lactating is None
    assert known.allergies_asked is not None
    seen = await ward.records.history(ward.doctor, ward.patient.person_id)
    assert {(one.kind_key, one.value) for one in seen} == {
        ("temperature", "38.5"),
        ("systolic", "150"),
        ("diastolic", "95"),
        ("glucose_fasting", "6.5"),
        ("weight", "61.5"),
    }
    assert {one.consultation_id for one in seen} == {case_id}


async def test_a_consultation_hands_each_thing_over_once(ward: Ward) -> None:
    case_id = await ward.open(facts=FACTS)
    person = ward.patient.person_id
    for _ in range(2):
        await ward.clinic.care.add_findings(ward.doctor, case_id, vitals={"systolic": 160, "diastolic": 100})
        await ward.settle()
    pressures = await ward.records.history(ward.doctor, person, kinds=["systolic"])
    assert [(one.value, one.source) for one in pressures] == [("160", Source.DOCTOR), ("150", Source.PATIENT)]
    known = await ward.records.background(ward.doctor, person)
    assert (len(known.allergies), len(known.medicines), len(known.conditions)) == (1, 1, 2)


async def test_what_a_doctor_refuted_does_not_come_back_with_the_next_findings(ward: Ward) -> None:
    case_id = await ward.open(facts=FACTS)
    person = ward.patient.person_id
    await ward.records.refute_allergy(ward.doctor, person, "青霉素")
    [temperature] = await ward.records.history(ward.doctor, person, kinds=["temperature"])
    await ward.records.correct(ward.doctor, temperature.id, "36.5")
    await ward.clinic.care.add_findings(ward.doctor, case_id, vitals={"spo2": 97})
    await ward.settle()
    known = await ward.records.background(ward.doctor, person)
    assert known.allergies == ()
    assert known.allergies_asked is not None
    [temperature] = await ward.records.history(ward.doctor, person, kinds=["temperature"])
    assert temperature.value == "36.5"


async def test_what_a_mother_tells_of_her_child_is_the_childs(ward: Ward) -> None:
    mother = ward.patient
    await ward.open(facts={**FACTS, "relation": "孩子"})  # in a case of her own
    assert await ward.records.history(mother, mother.person_id) == []
    child = await ward.clinic.people.add_relative(mother, relation="child", name="小宝", sex="male")
    mother = await ward.clinic.people.actor(mother.person_id)
    await ward.clinic.people.give_consent(mother, ward.clinic.people.consent_document().version)
    await ward.clinic.draft(mother, patient_id=child, facts={"temperature": 39.1, "relation": "孩子"})
    await ward.settle()
    [fever] = await ward.records.history(mother, child)
    assert (fever.kind_key, fever.source, fever.recorded_by) == ("temperature", Source.PATIENT, mother.person_id)
    assert await ward.records.history(mother, mother.person_id) == []


async def test_nothing_known_differs_from_asked_and_none(ward: Ward) -> None:
    person = ward.patient.person_id
    before = await ward.records.background(ward.patient, person)
    assert (before.allergies_asked, before.medicines_asked) == (None, None)
    await ward.open(facts={"denies": ["allergies", "drugs"]})
    after = await ward.records.background(ward.patient, person)
    assert (after.allergies, after.medicines) == ((), ())
    assert after.allergies_asked is not None
    assert after.medicines_asked is not None


async def test_no_allergies_today_does_not_wipe_out_the_one_of_last_year(ward: Ward) -> None:
    person = ward.patient.person_id
    await ward.records.add_allergy(ward.patient, person, "头孢")
    ward.clinic.clock.advance(timedelta(days=365))
    await ward.records.answer(ward.patient, person, Question.ALLERGIES, False)
    known = await ward.records.background(ward.patient, person)
    assert [one.substance for one in known.allergies] == ["头孢"]
    assert known.allergies_asked is not None
    assert known.allergies[0].recorded_at is not None
    assert known.allergies_asked - known.allergies[0].recorded_at >= timedelta(days=365)


async def test_medicines_and_diseases_end(ward: Ward) -> None:
    person, records = ward.patient.person_id, ward.records
    await records.add_medicine(ward.doctor, person, "阿司匹林", dose="每天一片")
    await records.add_medicine(ward.doctor, person, "阿司匹林 ", dose="每天两片")
    await records.add_condition(ward.doctor, person, "高血压")
    [taken] = (await records.background(ward.doctor, person)).medicines
    assert (taken.dose, taken.source) == ("每天两片", Source.DOCTOR)
    await records.end_medicine(ward.doctor, person, "阿司匹林")
    await records.end_condition(ward.doctor, person, "高血压")
    known = await records.background(ward.doctor, person)
    assert (known.medicines, known.conditions) == ((), ())
    with pytest.raises(NotFound):
        await records.end_medicine(ward.doctor, person, "阿司匹林")


async def test_the_newest_answer_counts(ward: Ward) -> None:
    person = ward.patient.person_id
    for yes in (True, False, True):
        ward.clinic.clock.advance(timedelta(days=1))
        await ward.records.answer(ward.patient, person, Question.PREGNANT, yes)
    known = (await ward.records.background(ward.patient, person)).pregnant
    assert known is not None
    assert known.yes


async def test_a_case_that_a_doctor_opened_is_the_doctors_word(ward: Ward) -> None:
    await ward.clinic.care.open_by_doctor(
        ward.doctor,
        patient_id=ward.patient.person_id,
        record={"chief_complaint": "发热"},
        facts={"temperature": 39},
        department_code="respiratory",
        urgency="routine",
    )
    await ward.settle()
    [seen] = await ward.records.history(ward.doctor, ward.patient.person_id)
    assert (seen.source, seen.recorded_by) == (Source.DOCTOR, ward.doctor.practitioner_id)


def test_values_that_cannot_be_stay_in_the_case() -> None:
    learned = learn({"diastolic": 120}, {"vitals": {"systolic": 100, "spo2": 12}, "temperature": 38.2})
    assert [one.kind for one in learned.observations] == ["temperature"]


def test_only_an_exact_name_has_a_code() -> None:
    assert icd10_code("高血压") == "I10"
    assert icd10_code("血压") == ""


async def test_what_was_said_by_name_has_the_code_of_the_drug_reference(ward: Ward) -> None:
    person = ward.patient.person_id
    await ward.records.add_allergy(ward.patient, person, "青霉素")
    await ward.records.add_allergy(ward.patient, person, "桃毛")
    await ward.records.add_medicine(ward.patient, person, "阿莫西林")
    known = await ward.records.background(ward.patient, person)
    assert {one.substance: one.code for one in known.allergies} == {"青霉素": "penicillins", "桃毛": None}
    assert [one.code for one in known.medicines] == ["amoxicillin"]
