"""What a case may be: the doctor and the expert of the case read it, and nobody else ever does."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.clock import Clock
from backend.consultation.rules import Status, Urgency
from backend.consultation.views import ConsultationView
from backend.security.policy import Role
from bot.cards.case import anonymous_case, full_case
from bot.cards.possible_diseases import TITLE, possible_diseases
from data.clinical_language import clinical_language
from nlu.facts import CaseFacts
from nlu.types import Status as Told
from nlu.types import SymptomMention
from tests.bot.flows.staff.conftest import County
from tests.support.conversation import words_of

LONGEST_BLOCK = 1000
"""Bytes: a message of WeChat holds 2,048, and the record needs the other half."""
ONLY_FOR_DOCTORS = re.compile(r"可能的诊断|可能性[大小]|有可能（|须排除|下一步：|不支持：")


async def test_the_doctor_reads_it_on_the_task_card_and_in_the_case(county: County) -> None:
    case = await county.story.open_case(county.patient)
    card = await county.doctor.hear()
    assert TITLE in card
    assert "支持：" in card
    await county.doctor.tap("打开任务")
    assert TITLE in await county.doctor.click(f"doctor.case:{case.id}")


async def test_a_value_that_the_doctor_measures_changes_it(county: County) -> None:
    case = await county.story.open_case(county.patient)
    actor = await county.story.house.actor(county.doctor.person_id)
    before = await county.story.house.services.consultations.get(actor, case.id)
    after = replace(before, vitals={"temperature": 39.5, "respiratory_rate": 34, "spo2": 89})
    assert possible_diseases(after) != possible_diseases(before)
    assert "肺炎" in possible_diseases(after)


async def test_the_expert_reads_it_once_the_case_is_theirs_and_not_on_the_invitation(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    assert TITLE not in await county.expert.hear()
    assert TITLE in await county.expert.tap("接受")


async def test_nobody_reads_it_once_the_expert_has_said_what_it_is(county: County) -> None:
    case = await county.story.running(county.patient, county.doctor, county.expert)
    actor = await county.story.house.actor(county.expert.person_id)
    await county.story.house.services.consultations.record_opinion(actor, case.id, diagnosis="肺炎", plan="休息")
    assert TITLE not in await county.doctor.click(f"doctor.case:{case.id}")


async def test_a_patient_never_reads_a_word_of_it(county: County) -> None:
    """The whole way of a case, and every word that reached the patient by it."""
    story, patient = county.story, county.patient
    heard: list[str] = []
    patient.checks.append(lambda message: heard.append(words_of(message)))
    case = await story.running(patient, county.doctor, county.expert)
    await patient.click("patient.mine")
    await patient.say("我是什么病？")
    await patient.say("是不是肺炎，可能性多大")
    actor = await story.house.actor(county.expert.person_id)
    await story.house.services.consultations.record_opinion(actor, case.id, diagnosis="肺炎", plan="休息")
    await story.house.services.consultations.complete(actor, case.id)
    await story.house.settle()
    heard += [words_of(message) for message in story.house.outbox.by_person[patient.person_id]]
    assert len(heard) > 3
    assert [words for words in heard if ONLY_FOR_DOCTORS.search(words)] == []


async def test_an_administrator_who_may_not_read_the_case_reads_none_of_it(county: County) -> None:
    case = await county.story.open_case(county.patient)
    actor = await county.story.house.actor(county.administrator.person_id)
    assert Role.ADMINISTRATOR in actor.roles
    view = await county.story.house.services.consultations.get(actor, case.id)
    assert TITLE not in full_case(view, Clock().now())


async def test_what_an_expert_decides_on_holds_none_of_it(county: County) -> None:
    case = await county.story.open_case(county.patient)
    assert TITLE not in anonymous_case(case)


@pytest.fixture
async def view(county: County) -> ConsultationView:
    case = await county.story.open_case(county.patient)
    actor = await county.story.house.actor(county.doctor.person_id)
    return await county.story.house.services.consultations.get(actor, case.id)


async def test_facts_or_values_of_another_shape_keep_no_case_from_its_doctor(view: ConsultationView) -> None:
    assert possible_diseases(replace(view, facts={"unknown": 1}, vitals={})) == ""
    assert TITLE in possible_diseases(replace(view, vitals={"systolic": "high", "temperature": 39.0}))


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELLED])
async def test_a_case_that_is_over_needs_it_no_more(view: ConsultationView, status: Status) -> None:
    assert possible_diseases(replace(view, status=status, urgency=Urgency.ROUTINE)) == ""


names = st.sampled_from(sorted(row.name for row in clinical_language().symptoms))
told = st.dictionaries(names, st.sampled_from(list(Told)), max_size=30)


@settings(max_examples=60)
@given(told=told, age=st.none() | st.integers(0, 1400))
def test_it_is_short_whatever_is_told(told: dict[str, Told], age: int | None) -> None:
    facts = CaseFacts(
        age_months=age,
        symptoms=tuple(SymptomMention(name=name, text=name, status=status) for name, status in told.items()),
    )
    assert len(possible_diseases(_view(facts)).encode()) <= LONGEST_BLOCK


def _view(facts: CaseFacts) -> ConsultationView:
    view = object.__new__(ConsultationView)
    for name, value in {
        "clinical": True,
        "status": Status.DRAFT,
        "opinion": None,
        "facts": facts.to_json(),
        "vitals": {},
    }.items():
        object.__setattr__(view, name, value)
    return view
