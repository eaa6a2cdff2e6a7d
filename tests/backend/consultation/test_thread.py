"""The three-way thread, focus, supplements, the opinion and the rating."""

from datetime import timedelta
from typing import Any

import pytest

from backend.consultation import ConsultationView, Status
from backend.errors import Conflict, Forbidden, IllegalMove, InvalidInput, NotFound
from backend.security.policy import Actor
from tests.support.clinic import Clinic


class Running:
    """A consultation that is being held, and those who take part."""

    def __init__(self, patient: Actor, doctor: Actor, expert: Actor, case: ConsultationView) -> None:
        self.patient, self.doctor, self.expert, self.id = patient, doctor, expert, case.id


async def begin(clinic: Clinic, doctor: Actor | None = None, expert: Actor | None = None) -> Running:
    """Bring a fresh patient's consultation to where it is being held."""
    doctor = doctor or await clinic.doctor()
    expert = expert or await clinic.expert()
    patient = await clinic.patient()
    case = await clinic.draft(patient, urgency="urgent")
    await clinic.care.submit(doctor, case.id)
    await clinic.accept(expert, case.id)
    return Running(patient, doctor, expert, await clinic.care.start(expert, case.id))


async def test_a_message_is_told_with_identifiers_alone(clinic: Clinic) -> None:
    running = await begin(clinic)
    message = await clinic.care.post(running.patient, running.id, text="胸口还是闷 ]]> <script>")
    [told] = await clinic.published("message.posted")
    assert (told["message_id"], told["sender_id"]) == (message.id, running.patient.person_id)
    assert "闷" not in str(told)
    read = await clinic.care.message(running.expert, running.id, message.id)
    assert (read.text, read.sender_name) == ("胸口还是闷 ]]> <script>", "患者")


async def test_who_practises_speaks_under_the_name_that_they_practise_by(clinic: Clinic) -> None:
    doctor, expert = await clinic.doctor("李梅"), await clinic.expert("张强")
    await clinic.people.update_person(doctor, doctor.person_id, name="梅子")
    await clinic.people.update_person(expert, expert.person_id, name="强哥")
    running = await begin(clinic, doctor, expert)
    await clinic.care.post(doctor, running.id, text="您好")
    await clinic.care.post(expert, running.id, text="您好")
    talk = await clinic.care.messages(running.patient, running.id)
    assert [message.sender_name for message in talk] == ["李梅医生", "张强专家"]
    told = {entry.actor_name for entry in await clinic.care.timeline(running.patient, running.id)}
    assert told == {"患者", "李梅医生", "张强专家", "系统"}


async def test_messages_are_read_on_from_the_last_one(clinic: Clinic) -> None:
    running = await begin(clinic)
    sent = [await clinic.care.post(running.doctor, running.id, text=f"第{number}句") for number in range(5)]
    page = await clinic.care.messages(running.patient, running.id, after=sent[1].id, limit=2)
    assert [message.text for message in page] == ["第2句", "第3句"]


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"text": ""}, InvalidInput),
        ({"text": "长" * 5001}, InvalidInput),
        ({"kind": "video", "text": "看"}, InvalidInput),
        ({"kind": "image"}, InvalidInput),
        ({"kind": "image", "file_id": "0" * 32}, NotFound),
    ],
)
async def test_what_cannot_be_said_is_refused(clinic: Clinic, message: dict[str, Any], error: type[Exception]) -> None:
    running = await begin(clinic)
    with pytest.raises(error):
        await clinic.care.post(running.patient, running.id, **message)


async def test_a_picture_of_somebody_else_cannot_be_sent_or_opened(clinic: Clinic) -> None:
    running, stranger = await begin(clinic), await clinic.patient("路人")
    foreign = await clinic.picture(stranger)
    with pytest.raises(NotFound):
        await clinic.care.post(running.patient, running.id, kind="image", file_id=foreign)
    with pytest.raises(NotFound):
        await clinic.care.open_file(running.patient, running.id, foreign)
    own = await clinic.picture(running.patient)
    await clinic.care.post(running.patient, running.id, kind="image", file_id=own)
    assert (await clinic.care.open_file(running.expert, running.id, own))[1] == "image/jpeg"
    with pytest.raises(Forbidden):
        await clinic.care.open_file(stranger, running.id, own)


async def test_the_focus_is_the_latest_running_until_another_is_chosen_and_comes_back_when_that_ends(
    clinic: Clinic,
) -> None:
    doctor, expert = await clinic.doctor(), await clinic.expert()
    assert await clinic.care.focus(expert) is None
    first = await begin(clinic, doctor, expert)
    clinic.clock.advance(timedelta(minutes=1))
    second = await begin(clinic, doctor, expert)
    assert await clinic.care.focus(expert) == second.id
    await clinic.care.set_focus(expert, first.id)
    assert await clinic.care.focus(expert) == first.id
    assert await clinic.care.focus(doctor) == second.id
    assert await clinic.care.focus(first.patient) == first.id
    await clinic.care.cancel(doctor, first.id, "测试")
    assert await clinic.care.focus(expert) == second.id
    with pytest.raises(IllegalMove):
        await clinic.care.set_focus(expert, first.id)


async def test_supplements_are_answered_oldest_first_and_once(clinic: Clinic) -> None:
    running = await begin(clinic)
    care = clinic.care
    for wanted in ("血常规", "心电图"):
        await care.request_supplement(running.expert, running.id, wanted)
        clinic.clock.advance(timedelta(seconds=1))
    picture = await clinic.picture(running.doctor)
    first = await care.answer_supplement(running.doctor, running.id, "", [picture])
    assert (first.text, first.file_ids) == ("血常规", (picture,))
    assert (await care.answer_supplement(running.doctor, running.id, "窦性心律")).text == "心电图"
    with pytest.raises(Conflict):
        await care.answer_supplement(running.doctor, running.id, "还有")
    assert [one.answer for one in await care.supplements(running.expert, running.id)] == ["", "窦性心律"]
    assert (await care.open_file(running.expert, running.id, picture))[1] == "image/jpeg"
    with pytest.raises(Forbidden):
        await care.request_supplement(running.doctor, running.id, "我也要")


async def test_the_doctor_sees_in_which_cases_an_expert_waits_for_more(clinic: Clinic) -> None:
    doctor, expert = await clinic.doctor(), await clinic.expert()
    first, second = await begin(clinic, doctor, expert), await begin(clinic, doctor, expert)
    for running in (first, second, second):
        await clinic.care.request_supplement(expert, running.id, "血常规")
    assert [case.id for case in await clinic.care.waiting_for_supplement(doctor)] == [second.id, first.id]
    assert [case.id for case in await clinic.care.waiting_for_supplement(doctor, limit=1)] == [second.id]
    await clinic.care.answer_supplement(doctor, first.id, "正常")
    assert [case.id for case in await clinic.care.waiting_for_supplement(doctor)] == [second.id]
    assert await clinic.care.waiting_for_supplement(expert) == []
    assert await clinic.care.waiting_for_supplement(second.patient) == []


async def test_a_consultation_closes_only_with_diagnosis_and_plan(clinic: Clinic) -> None:
    running = await begin(clinic)
    care = clinic.care
    with pytest.raises(InvalidInput) as refused:
        await care.complete(running.expert, running.id)
    assert "诊断和治疗方案" in refused.value.sentence
    await care.record_opinion(running.expert, running.id, diagnosis="急性支气管炎")
    assert (await care.get(running.patient, running.id)).opinion is None
    assert (await care.get(running.doctor, running.id)).opinion is not None
    with pytest.raises(InvalidInput) as refused:
        await care.complete(running.expert, running.id)
    assert refused.value.details == {"missing": ["plan"]}
    await care.record_opinion(running.expert, running.id, icd10="j20.9", plan="多喝水")
    done = await care.complete(running.expert, running.id)
    assert done.opinion is not None
    assert (done.opinion.icd10, done.opinion.missing) == ("J20.9", ())
    assert (await care.get(running.patient, running.id)).opinion is not None


@pytest.mark.parametrize("opinion", [{}, {"diagnosis": " "}, {"icd10": "支气管炎"}, {"plan": "长" * 5001}])
async def test_an_opinion_that_says_nothing_or_too_much_is_refused(clinic: Clinic, opinion: dict[str, str]) -> None:
    running = await begin(clinic)
    with pytest.raises(InvalidInput):
        await clinic.care.record_opinion(running.expert, running.id, **opinion)


async def test_a_patient_rates_once_with_one_to_five_stars_when_it_has_ended(clinic: Clinic) -> None:
    running = await begin(clinic)
    care = clinic.care
    with pytest.raises(IllegalMove):
        await care.rate(running.patient, running.id, 5)
    await care.record_opinion(running.expert, running.id, diagnosis="感冒", plan="休息")
    await care.complete(running.expert, running.id)
    for stars in (0, 6, True):
        with pytest.raises(InvalidInput):
            await care.rate(running.patient, running.id, stars)
    with pytest.raises(Forbidden):
        await care.rate(running.doctor, running.id, 5)
    await care.rate(running.patient, running.id, 4, "讲得很清楚")
    with pytest.raises(Conflict):
        await care.rate(running.patient, running.id, 1)


async def test_a_comment_may_follow_the_stars_once(clinic: Clinic) -> None:
    running = await begin(clinic)
    care = clinic.care
    await care.record_opinion(running.expert, running.id, diagnosis="感冒", plan="休息")
    await care.complete(running.expert, running.id)
    await care.rate(running.patient, running.id, 4)
    for stars, comment in ((5, "改一下"), (4, "")):
        with pytest.raises(Conflict):
            await care.rate(running.patient, running.id, stars, comment)
    assert (await care.rate(running.patient, running.id, 4, "讲得很清楚")).comment == "讲得很清楚"
    with pytest.raises(Conflict):
        await care.rate(running.patient, running.id, 4, "再说一句")
    assert len(await clinic.published("consultation.rated")) == 1


async def test_a_patient_cannot_cancel_what_is_being_held_but_the_doctor_can(clinic: Clinic) -> None:
    running = await begin(clinic)
    with pytest.raises(IllegalMove) as refused:
        await clinic.care.cancel(running.patient, running.id, "不想看了")
    assert "告诉医生" in refused.value.sentence
    assert (await clinic.care.cancel(running.doctor, running.id, "患者离开")).status is Status.CANCELLED
    [told] = await clinic.published("consultation.cancelled")
    assert told["reason"] == "grassroots_doctor"
    assert any("原因：患者离开" in line for line in await clinic.told(running.id))
