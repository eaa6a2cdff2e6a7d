"""Nobody is asked whose department does not treat a patient of this age and sex, whoever there is to ask."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.consultation.ranking import Candidate, Need, next_wave, score
from backend.consultation.rules import Urgency
from backend.consultation.suitability import Patient, treats
from data.departments import departments

NOW = datetime(2026, 11, 23, tzinfo=UTC)
EXPERT = Candidate("a", "张强", "respiratory", "呼吸内科", (), "主治医师", 10, False, False, None)
CODES = st.sampled_from(sorted(departments()))
PATIENTS = st.builds(
    Patient, age_months=st.none() | st.integers(0, 110 * 12), sex=st.sampled_from(["male", "female", ""])
)
CANDIDATES = st.builds(
    Candidate,
    expert_id=st.text("abcdef", min_size=1, max_size=4),
    name=st.just("张强"),
    department_code=CODES,
    department_name=st.just("科"),
    expertise=st.sampled_from([(), ("J18",), ("J00-J99",)]),
    title=st.just("主任医师"),
    years=st.just(10),
    on_call=st.booleans(),
    on_duty=st.booleans(),
    next_free=st.none(),
)
EXPERTS = st.lists(CANDIDATES, max_size=8, unique_by=lambda one: one.expert_id)


@given(EXPERTS, PATIENTS, CODES, st.sampled_from(["J18.9", ""]), st.integers(0, 4))
def test_at_no_step_is_an_unsuitable_department_asked(
    experts: list[Candidate], patient: Patient, wanted: str, icd10: str, waves: int
) -> None:
    need = Need(wanted, icd10, "", Urgency.ROUTINE, NOW, patient)
    chosen = {one.expert_id for one in next_wave(experts, need, asked=frozenset(), waves=waves).chosen}
    paediatrics = any(departments()[one.department_code].patients == "children" for one in experts)
    for one in experts:
        department = departments()[one.department_code]
        if one.expert_id in chosen:
            assert not (department.sex == "female" and patient.sex == "male")
            if patient.age_months is not None:
                assert not (department.patients == "children" and patient.age_months >= 18 * 12)
                assert not (department.patients == "adults" and patient.age_months < 14 * 12 and paediatrics)


@given(CODES, st.sampled_from(["male", "female", ""]), st.booleans())
def test_of_whom_the_age_is_unknown_is_treated_by_whoever_treats_the_sex(
    code: str, sex: str, has_paediatrics: bool
) -> None:
    wanted = not (departments()[code].sex == "female" and sex == "male")
    assert treats(code, Patient(sex=sex), has_paediatrics=has_paediatrics) is wanted


@given(st.integers(0, 110 * 12), st.booleans())
def test_somebody_treats_every_age(age_months: int, has_paediatrics: bool) -> None:
    patient = Patient(age_months, "male")
    assert any(treats(code, patient, has_paediatrics=has_paediatrics) for code in ("respiratory", "pediatrics"))


def test_where_there_is_no_paediatrician_the_adults_department_sees_the_child() -> None:
    need = Need("respiratory", "", "", Urgency.ROUTINE, NOW, Patient(4 * 12))
    assert next_wave([EXPERT], need, asked=frozenset(), waves=0).chosen


def test_a_paediatrician_stands_in_for_the_adults_department_and_the_reason_says_so() -> None:
    need = Need("respiratory", "", "", Urgency.ROUTINE, NOW, Patient(4 * 12))
    paediatrician = replace(EXPERT, expert_id="p", department_code="pediatrics", department_name="儿科")
    [chosen] = next_wave([EXPERT, paediatrician], need, asked=frozenset(), waves=0).chosen
    assert chosen.expert_id == "p"
    assert chosen.reasons[0] == "儿科专家，看儿童"
    assert score(replace(paediatrician, department_code="pain"), need).reasons[0] == "儿科专家，不是本病专科"


@pytest.mark.parametrize(("code", "sex"), [("gynecology", "male"), ("obstetrics", "male")])
def test_a_man_is_not_seen_by_a_womens_department(code: str, sex: str) -> None:
    assert not treats(code, Patient(40 * 12, sex), has_paediatrics=True)
    assert treats(code, Patient(40 * 12, "female"), has_paediatrics=True)
