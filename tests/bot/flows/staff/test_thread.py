"""The three-way thread: relayed with names, never echoed, one case in focus."""

from backend.consultation.views import ConsultationSummary
from bot.messages import Menu, Picture
from tests.bot.flows.staff.conftest import County


async def test_words_voices_and_pictures_reach_the_others_with_names_and_never_the_sender(county: County) -> None:
    await county.story.running(county.patient, county.doctor, county.expert)
    everybody = (county.patient, county.doctor, county.expert)
    await county.doctor.say("血压正常")
    assert "【李强医生】血压正常" in await county.patient.hear()
    assert "【李强医生】血压正常" in await county.expert.hear()
    await county.patient.speak("夜里出汗")
    assert "【患者张**】（语音）夜里出汗" in await county.expert.hear()
    await county.expert.send_image()
    for phone in (county.patient, county.doctor):
        assert any(isinstance(message, Picture) for message in await phone.heard())
    for phone in everybody:
        await phone.hear()
    await county.patient.say("好的")
    assert county.patient.replies == []
    assert await county.patient.hear() == ""


async def test_a_voice_that_was_not_understood_is_asked_again_and_not_relayed(county: County) -> None:
    await county.story.running(county.patient, county.doctor, county.expert)
    assert "没有听清" in await county.patient.speak("")
    assert await county.expert.hear() == ""


async def test_strange_characters_arrive_as_they_were_written(county: County) -> None:
    await county.story.running(county.patient, county.doctor, county.expert)
    said = "]]><script>alert(1)</script>🙂"
    await county.patient.say(said)
    assert said in await county.doctor.hear()


async def test_a_doctor_with_two_cases_talks_in_the_one_in_focus_and_switches(county: County) -> None:
    other = await county.story.patient("王小红")
    first = await county.story.running(county.patient, county.doctor, county.expert)
    second = await county.story.running(other, county.doctor, county.rival)
    await county.doctor.say("在第二例里说")
    assert "在第二例里说" in await other.hear()
    assert await county.patient.hear() == ""

    await county.patient.say("我还在等")
    heard = await county.doctor.heard()
    assert any(isinstance(one, Menu) and "另一个会诊：张小明" in one.head and "我还在等" in one.head for one in heard)
    await county.doctor.tap("切换到这个会诊")
    await county.doctor.say("来了")
    assert "【李强医生】来了" in await county.patient.hear()
    assert await other.hear() == ""

    text = await county.doctor.say("切换")
    assert "哪个会诊" in text
    assert len(county.doctor.choices) == 2
    assert sum("✓" in choice for choice in county.doctor.choices) == 1
    await county.doctor.tap("王小红")
    await county.doctor.say("回到第二例")
    assert "回到第二例" in await other.hear()
    assert {first.id, second.id} == {case.id for case in await _running(county)}


async def test_commands_in_the_thread_are_done_and_not_relayed(county: County) -> None:
    await county.story.running(county.patient, county.doctor, county.expert)
    assert "由专家" in await county.doctor.say("结束会诊")
    assert "诊断" in await county.expert.say("结束会诊")
    assert "您的会诊" in await county.doctor.say("我的会诊")
    assert "会诊" in await county.patient.say("我的会诊")
    assert "我的会诊" not in await county.expert.hear()
    assert "哪个会诊" in await county.patient.say("切换")
    assert await county.patient.hear() == ""


async def test_after_the_end_words_go_to_nobody_and_are_answered(county: County) -> None:
    case = await county.story.running(county.patient, county.doctor, county.expert)
    consultations = county.story.house.services.consultations
    actor = await county.story.house.actor(county.expert.person_id)
    await consultations.record_opinion(actor, case.id, diagnosis="肺炎", plan="休息")
    await consultations.complete(actor, case.id)
    for phone in (county.patient, county.doctor, county.expert):
        await phone.hear()
    assert await county.doctor.say("还有人吗") != ""
    assert await county.patient.hear() == ""
    assert await county.expert.hear() == ""


async def test_a_doctor_who_was_adding_notes_speaks_in_the_thread_once_it_has_begun(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    await county.story.accept(case, county.expert)
    await county.doctor.hear()
    await county.doctor.tap("添加资料")
    await county.story.start(case, county.expert)
    await county.doctor.say("我在")
    assert "【李强医生】我在" in await county.patient.hear()
    assert county.doctor.state.flow == ""


async def test_a_danger_sign_in_the_thread_still_reaches_the_doctors(county: County) -> None:
    await county.story.running(county.patient, county.doctor, county.expert)
    advice = await county.patient.say("胸口剧痛，出冷汗")
    assert "120" in advice
    assert "胸口剧痛，出冷汗" in await county.expert.hear()
    assert "危急" in await county.doctor.hear()


async def _running(county: County) -> list[ConsultationSummary]:
    actor = await county.story.house.actor(county.doctor.person_id)
    return await county.story.house.services.consultations.list_for(actor)


async def test_a_patient_is_told_in_plain_words_whom_they_speak_to(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    await county.story.accept(case, county.expert)
    actor = await county.story.house.actor(county.expert.person_id)
    await county.story.house.services.consultations.start(actor, case.id)
    assert "王建国来了" in await county.patient.hear()
    assert "王建国专家、李强医生说话了" in await county.patient.tap("进入会诊")
