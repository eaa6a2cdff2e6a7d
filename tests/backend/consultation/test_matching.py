"""Invitations on a real database: waves, answers, limits, and one expert however many tap at once."""

import asyncio
from datetime import date, datetime, timedelta

import pytest

from backend.consultation import ConsultationView, OfferState, Status
from backend.consultation.rules import OFFER_LIMITS, Urgency
from backend.errors import Conflict, Forbidden, IllegalMove, InvalidInput
from backend.security.policy import SYSTEM, Actor
from tests.support.clinic import Clinic, practitioner_of


async def submitted(clinic: Clinic, **changes: str) -> tuple[Actor, ConsultationView]:
    """Open a consultation and submit it."""
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient, **changes)
    return doctor, await clinic.care.submit(doctor, case.id, icd10="J18.9")


async def states(clinic: Clinic, consultation_id: str) -> dict[str, OfferState]:
    """Give the states of the invitations by the expert's name."""
    return {offer.expert_name: offer.state for offer in await clinic.care.offers_of(SYSTEM, consultation_id)}


async def test_the_best_three_are_asked_and_the_reasons_are_kept(clinic: Clinic) -> None:
    knowing = await clinic.expert("赵一", icd10=["J09-J18"])
    for name in ("钱二", "孙三", "李四"):
        await clinic.expert(name)
    doctor, case = await submitted(clinic)
    offers = await clinic.care.offers_of(doctor, case.id)
    assert len(offers) == 3
    assert offers[0].expert_id == practitioner_of(knowing)
    assert offers[0].reasons[0].startswith("擅长")
    assert [offer.place for offer in offers] == [1, 2, 3]
    assert offers[0].score >= offers[1].score >= offers[2].score
    made = await clinic.published("offer.made")
    assert {payload["offer_id"] for payload in made} == {offer.id for offer in offers}


async def test_an_expert_who_has_not_joined_or_is_the_patient_is_not_asked(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    await clinic.people.give_consent(expert, clinic.people.consent_document().version)
    case = await clinic.draft(expert)
    await clinic.care.submit(doctor, case.id)
    assert await clinic.published("offer.made") == []
    assert len(await clinic.published("matching.exhausted")) == 1


async def test_the_first_who_accepts_has_it_and_the_others_hear_who(clinic: Clinic) -> None:
    first, second = await clinic.expert("赵一"), await clinic.expert("钱二")
    _, case = await submitted(clinic)
    offers = await clinic.offers(case.id)
    await clinic.care.accept_offer(first, offers[practitioner_of(first)])
    with pytest.raises(Conflict) as refused:
        await clinic.care.accept_offer(second, offers[practitioner_of(second)])
    assert "赵一" in refused.value.sentence
    assert await states(clinic, case.id) == {"赵一": OfferState.ACCEPTED, "钱二": OfferState.TAKEN}
    [taken] = await clinic.published("offer.taken")
    assert (taken["expert_id"], taken["taken_by"]) == (practitioner_of(second), practitioner_of(first))


async def test_tapping_accept_twice_is_one_acceptance(clinic: Clinic) -> None:
    expert = await clinic.expert()
    _, case = await submitted(clinic)
    await clinic.accept(expert, case.id)
    again = await clinic.accept(expert, case.id)
    assert again.status is Status.ASSIGNED
    assert len(await clinic.published("consultation.assigned")) == 1


async def test_exactly_one_has_it_however_many_tap_in_the_same_instant(clinic: Clinic) -> None:
    experts = [await clinic.expert(name) for name in ("赵一", "钱二", "孙三")]
    patient, doctor = await clinic.patient(), await clinic.doctor()
    for _ in range(4):
        case = await clinic.draft(patient)
        await clinic.care.submit(doctor, case.id)
        offers = await clinic.offers(case.id)
        taps = [
            asyncio.create_task(clinic.care.accept_offer(expert, offers[practitioner_of(expert)]))
            for _ in range(4)
            for expert in experts
        ]
        results = await asyncio.gather(*taps, return_exceptions=True)
        lucky = {result.expert_id for result in results if isinstance(result, ConsultationView)}
        assert len(lucky) == 1
        assert sum(isinstance(result, ConsultationView) for result in results) == 4  # the lucky one's own four taps
        assert all(isinstance(result, ConsultationView | Conflict) for result in results)
        found = await states(clinic, case.id)
        assert sorted(found.values()) == [OfferState.ACCEPTED, OfferState.TAKEN, OfferState.TAKEN]
        await clinic.care.cancel(doctor, case.id, "测试")


@pytest.mark.parametrize("urgency", ["critical", "routine"])
async def test_without_an_answer_the_next_are_asked_then_who_is_on_call_then_the_administrator(
    clinic: Clinic, urgency: str
) -> None:
    for number in range(5):
        await clinic.expert(f"赵{number}")
    await clinic.expert("值班", department_code="emergency", on_call=True)
    doctor, case = await submitted(clinic, urgency=urgency)
    limit = OFFER_LIMITS[Urgency(urgency)]
    waves = []
    for _ in range(4):
        offers = await clinic.care.offers_of(doctor, case.id)
        waves.append([offer.expert_name for offer in offers if offer.state is OfferState.OPEN])
        await clinic.pass_time(limit - timedelta(seconds=1))
        assert len(await clinic.care.offers_of(doctor, case.id)) == len(offers)
        await clinic.pass_time(timedelta(seconds=1))
    assert [len(wave) for wave in waves] == [3, 2, 1, 0]
    assert waves[2] == ["值班"]
    assert [payload["step"] for payload in await clinic.published("matching.widened")] == [
        "department",
        "on_call",
        "administrator",
    ]
    assert len(await clinic.published("offer.expired")) == 6
    assert len(await clinic.published("matching.exhausted")) == 1
    told = await clinic.told(case.id)
    assert "放宽到正在值班的专家" in told
    assert "转给平台管理员安排" in told


async def test_without_a_code_the_search_by_department_is_no_widening(clinic: Clinic) -> None:
    await clinic.expert()
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient)
    await clinic.care.submit(doctor, case.id)
    assert await clinic.published("matching.widened") == []
    told = await clinic.told(case.id)
    assert "按科室找专家" in told
    assert not [line for line in told if "放宽" in line]


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        ({"age_months": 67 * 12}, "呼吸"),
        ({"age_months": 5 * 12}, "儿科"),
        ({"age_months": 5 * 12, "relation": "孩子"}, "儿科"),
    ],
)
async def test_nobody_is_asked_whose_department_does_not_treat_such_a_patient(
    clinic: Clinic, facts: dict[str, object], asked: str
) -> None:
    await clinic.expert("呼吸", icd10=["J18"])
    await clinic.expert("儿科", department_code="pediatrics", icd10=["J18"], on_call=True)
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient, facts=facts)
    await clinic.care.submit(doctor, case.id, icd10="J18.9")
    assert list(await states(clinic, case.id)) == [asked]
    await clinic.pass_time(timedelta(days=1))
    assert list(await states(clinic, case.id)) == [asked]


async def test_where_the_case_does_not_tell_the_age_the_patients_birth_date_does(clinic: Clinic) -> None:
    await clinic.expert("儿科", department_code="pediatrics", icd10=["J18"])
    patient, doctor = await clinic.patient(), await clinic.doctor()
    await clinic.people.update_person(patient, patient.person_id, birth_date=date(1959, 3, 12))
    case = await clinic.draft(patient, facts={})
    await clinic.care.submit(doctor, case.id, icd10="J18.9")
    assert list(await states(clinic, case.id)) == []


async def test_when_all_decline_the_next_are_asked_at_once(clinic: Clinic) -> None:
    experts = {
        practitioner_of(expert): expert for expert in [await clinic.expert(f"赵{number}") for number in range(4)]
    }
    _, case = await submitted(clinic)
    first = await clinic.offers(case.id)
    for expert_id, offer_id in first.items():
        await clinic.care.decline_offer(experts[expert_id], offer_id, "正在手术")
    second = await clinic.offers(case.id)
    assert len(second) == 4
    assert any("婉拒了邀请，原因：正在手术" in line for line in await clinic.told(case.id))


async def test_a_late_acceptance_counts_while_nobody_has_it(clinic: Clinic) -> None:
    expert = await clinic.expert()
    _, case = await submitted(clinic)
    await clinic.pass_time(timedelta(hours=1))
    assert await states(clinic, case.id) == {"张强": OfferState.EXPIRED}
    assert (await clinic.accept(expert, case.id)).status is Status.ASSIGNED


async def test_an_invitation_of_a_cancelled_consultation_cannot_be_accepted(clinic: Clinic) -> None:
    expert = await clinic.expert()
    doctor, case = await submitted(clinic)
    await clinic.care.cancel(doctor, case.id, "患者已转院")
    assert len(await clinic.published("offer.withdrawn")) == 1
    with pytest.raises(IllegalMove) as refused:
        await clinic.accept(expert, case.id)
    assert "已取消" in refused.value.sentence


async def test_somebody_elses_invitation_cannot_be_answered(clinic: Clinic) -> None:
    first, second = await clinic.expert("赵一"), await clinic.expert("钱二")
    _, case = await submitted(clinic)
    offers = await clinic.offers(case.id)
    with pytest.raises(Forbidden):
        await clinic.care.accept_offer(first, offers[practitioner_of(second)])
    with pytest.raises(Forbidden):
        await clinic.care.decline_offer(first, offers[practitioner_of(second)])


async def test_the_administrator_gives_a_case_that_nobody_took_to_an_expert(clinic: Clinic) -> None:
    doctor, case = await submitted(clinic)
    expert, administrator = await clinic.expert(), await clinic.administrator()
    with pytest.raises(InvalidInput):
        await clinic.care.assign_expert(administrator, case.id, practitioner_of(doctor))
    given = await clinic.care.assign_expert(administrator, case.id, practitioner_of(expert))
    assert (given.status, given.expert_id, given.clinical) == (Status.ASSIGNED, practitioner_of(expert), False)


async def test_answers_are_counted_as_they_come(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient = await clinic.patient()
    for minutes in (1, 3, 8):
        case = await clinic.draft(patient)
        await clinic.care.submit(doctor, case.id)
        await clinic.pass_time(timedelta(minutes=minutes))
        await clinic.accept(expert, case.id)
    case = await clinic.draft(patient)
    await clinic.care.submit(doctor, case.id)
    await clinic.pass_time(timedelta(hours=1))
    found = await clinic.care.response_statistics(practitioner_of(expert))
    assert (found.answered, found.unanswered) == (3, 1)
    assert found.mean_seconds == pytest.approx(240, abs=5)
    assert found.median_seconds is not None
    assert 180 <= found.median_seconds <= 240


async def test_an_expert_with_more_cases_in_hand_comes_later(clinic: Clinic) -> None:
    busy, idle = await clinic.expert("赵忙"), await clinic.expert("钱闲")
    _, first = await submitted(clinic)
    await clinic.accept(busy, first.id)
    _, second = await submitted(clinic)
    offers = await clinic.care.offers_of(SYSTEM, second.id)
    assert [offer.expert_id for offer in offers] == [practitioner_of(idle), practitioner_of(busy)]
    assert "手上1例会诊" in offers[1].reasons


async def test_a_patient_reads_no_suspected_disease_in_the_search(clinic: Clinic) -> None:
    await clinic.expert(icd10=["J09-J18"])
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient)
    await clinic.care.submit(doctor, case.id, icd10="J18.9", question="肺炎？")
    seen = await clinic.care.get(patient, case.id)
    read = [seen.icd10, seen.disease, seen.question]
    read += [entry.text_zh for entry in await clinic.care.timeline(patient, case.id)]
    read += [reason for offer in await clinic.care.offers_of(patient, case.id) for reason in offer.reasons]
    assert not [text for text in read if "肺炎" in text or "J18" in text]
    assert (await clinic.care.get(doctor, case.id)).icd10 == "J18.9"


async def test_a_case_that_is_given_back_goes_to_those_who_were_beaten_to_it_and_not_to_who_gave_it_back(
    clinic: Clinic,
) -> None:
    first, second = await clinic.expert("赵一"), await clinic.expert("钱二")
    doctor, case = await submitted(clinic)
    patient = await clinic.people.actor(case.patient_id)
    await clinic.accept(first, case.id)
    [slot, *_] = await clinic.care.bookable_slots(patient, case.id)
    await clinic.care.book(patient, case.id, slot.id)
    with pytest.raises(InvalidInput):
        await clinic.care.give_back(first, case.id, " ")
    with pytest.raises(Forbidden):
        await clinic.care.give_back(second, case.id, "我来")
    await clinic.care.give_back(first, case.id, "临时有手术")
    assert await states(clinic, case.id) == {"赵一": OfferState.GIVEN_BACK, "钱二": OfferState.OPEN}
    view = await clinic.care.get(doctor, case.id)
    assert (view.status, view.expert_id, view.booking) == (Status.PENDING, None, None)
    assert "赵一专家退回了会诊，原因：临时有手术（已分配专家→待分配）" in await clinic.told(case.id)
    [given] = await clinic.published("consultation.given_back")
    assert (given["expert_id"], given["booking_cancelled"]) == (practitioner_of(first), True)
    with pytest.raises(Forbidden):
        await clinic.care.get(first, case.id)
    with pytest.raises(Conflict):
        await clinic.accept(first, case.id)
    assert slot.id in {free.id for free in await clinic.scheduling.slots(practitioner_of(first), *_week(clinic), 100)}
    assert (await clinic.accept(second, case.id)).expert_id == practitioner_of(second)


async def test_a_case_that_an_administrator_gave_and_nobody_else_can_take_comes_back_to_the_administrator(
    clinic: Clinic,
) -> None:
    _, case = await submitted(clinic)
    expert, administrator = await clinic.expert(), await clinic.administrator()
    await clinic.care.assign_expert(administrator, case.id, practitioner_of(expert))
    await clinic.care.give_back(expert, case.id, "不是我的专业")
    assert await states(clinic, case.id) == {"张强": OfferState.GIVEN_BACK}
    assert len(await clinic.published("matching.exhausted")) == 2
    again = await clinic.care.assign_expert(administrator, case.id, practitioner_of(expert))
    assert again.status is Status.ASSIGNED


async def test_what_is_being_held_is_not_given_back(clinic: Clinic) -> None:
    expert = await clinic.expert()
    _, case = await submitted(clinic)
    await clinic.accept(expert, case.id)
    await clinic.care.start(expert, case.id)
    with pytest.raises(IllegalMove, match="illegal_move"):
        await clinic.care.give_back(expert, case.id, "临时有手术")


async def test_an_expert_who_is_asked_and_whom_the_administrator_chooses_has_accepted(clinic: Clinic) -> None:
    expert = await clinic.expert()
    _, case = await submitted(clinic)
    await clinic.care.assign_expert(await clinic.administrator(), case.id, practitioner_of(expert))
    assert await states(clinic, case.id) == {"张强": OfferState.ACCEPTED}
    assert await clinic.published("offer.taken") == []


def _week(clinic: Clinic) -> tuple[datetime, datetime]:
    now = clinic.clock.now()
    return now, now + timedelta(days=7)
