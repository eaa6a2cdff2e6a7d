"""A whole consultation, from the patient's words to the rating."""

from datetime import timedelta

from backend.consultation import Status
from backend.scheduling import BookingState
from tests.support.clinic import Clinic, practitioner_of


async def test_a_consultation_goes_from_the_patients_words_to_the_rating(clinic: Clinic) -> None:
    patient, doctor, expert = await clinic.patient(), await clinic.doctor(), await clinic.expert(icd10=["J09-J18"])
    care = clinic.care

    case = await clinic.draft(patient)
    assert (case.status, case.number, case.doctor_name) == (Status.DRAFT, "HZ20261123-0001", "李梅")
    assert case.record["chief_complaint"] == "咳嗽、发热3天"

    await care.acknowledge_task(doctor, case.id)
    seen = await care.add_findings(doctor, case.id, vitals={"systolic": 150, "diastolic": 95}, text="双肺湿啰音")
    assert (seen.vitals_text, seen.findings) == ("血压150/95mmHg", "双肺湿啰音")
    await care.attach(doctor, case.id, await clinic.picture(doctor), "胸片")

    waiting = await care.submit(doctor, case.id, icd10="J18.9", question="是否需要住院？")
    assert (waiting.status, waiting.question) == (Status.PENDING, "是否需要住院？")
    [invitation] = await care.offers_for(expert)
    assert "（J09–J18）" in invitation.reasons[0]

    taken = await care.accept_offer(expert, invitation.id)
    assert (taken.status, taken.expert_name) == (Status.ASSIGNED, "张强")

    [slot, *_] = await care.bookable_slots(patient, case.id, 5)
    await care.book(patient, case.id, slot.id)
    await care.request_supplement(expert, case.id, "请补充血常规")
    answered = await care.answer_supplement(doctor, case.id, "白细胞12×10⁹/L")
    assert answered.answered_at is not None

    await clinic.pass_time(slot.starts_at - clinic.clock.now())
    running = await care.start(expert, case.id)
    assert running.status is Status.IN_PROGRESS
    assert running.booking is not None
    assert running.booking.state is BookingState.KEPT
    assert [await care.focus(one) for one in (patient, doctor, expert)] == [case.id] * 3
    await care.post(patient, case.id, text="医生您好")
    await care.post(expert, case.id, kind="image", file_id=await clinic.picture(expert))
    talk = await care.messages(doctor, case.id)
    assert [(message.sender_name, message.text) for message in talk] == [("患者", "医生您好"), ("张强专家", "")]

    await care.record_opinion(expert, case.id, icd10="J18.9", diagnosis="肺炎")
    await care.record_opinion(expert, case.id, plan="口服阿莫西林7天", notes="三天后复查")
    done = await care.complete(expert, case.id)
    assert done.opinion is not None
    assert (done.status, done.opinion.diagnosis, done.opinion.plan) == (Status.COMPLETED, "肺炎", "口服阿莫西林7天")
    await care.rate(patient, case.id, 5, "谢谢")
    rated = await care.get(patient, case.id)
    assert rated.rating is not None
    assert (rated.rating.stars, rated.rating.comment) == (5, "谢谢")

    timeline = await care.timeline(patient, case.id)
    assert [entry.at for entry in timeline] == sorted(entry.at for entry in timeline)
    moves = [(entry.actor_name, entry.text_zh.split("（")[-1]) for entry in timeline if "→" in entry.text_zh]
    assert moves == [
        ("李梅医生", "草稿→待分配）"),
        ("张强专家", "待分配→已分配专家）"),
        ("张强专家", "已分配专家→进行中）"),
        ("张强专家", "进行中→已完成）"),
    ]
    assert [one.id for one in await care.list_for(patient)] == [case.id]
    assert [one.id for one in await care.list_for(expert, status=Status.COMPLETED)] == [case.id]
    [last] = await clinic.published("consultation.completed")
    assert last == {
        "consultation_id": case.id,
        "patient_id": patient.person_id,
        "speaker_id": patient.person_id,
        "doctor_id": practitioner_of(doctor),
        "expert_id": practitioner_of(expert),
    }


async def test_everything_a_consultation_does_is_in_the_audit_log(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient)
    await clinic.care.get(doctor, case.id)
    await clinic.pass_time(timedelta(seconds=1))
    await clinic.audit.seal()
    assert (await clinic.audit.verify()).ok
