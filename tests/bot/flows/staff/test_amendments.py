"""病历写错了, between the phones: the patient asks, who wrote it answers, and everybody hears what they need to."""

from datetime import timedelta

from backend.consultation.views import ConsultationView
from backend.reporting import ReportState
from tests.bot.flows.staff.conftest import County
from tests.support.reports import IMPRESSION, reading

WRONG = "我没有抽过烟，写成抽烟二十年了"


async def finished(county: County) -> ConsultationView:
    """A consultation that has ended; everybody has heard so."""
    case = await county.story.running(county.patient, county.doctor, county.expert)
    await end(county, case)
    return case


async def end(county: County, case: ConsultationView) -> None:
    house = county.story.house
    expert, consultations = await house.actor(county.expert.person_id), house.services.consultations
    await consultations.record_opinion(expert, case.id, icd10="J20.9", diagnosis="急性支气管炎", plan="多喝水。")
    await consultations.complete(expert, case.id)
    for phone in county.story.phones.values():
        await phone.hear()


async def ask(county: County, part: str, words: str = WRONG) -> str:
    """Ask as a patient does; give the last answer."""
    patient = county.patient
    await patient.say("病历写错了")
    await patient.tap(part)
    await patient.say(words)
    await patient.tap("对")
    return await patient.tap("发给医生")


async def test_the_patient_is_led_through_it_and_looks_twice(county: County) -> None:
    await finished(county)
    patient = county.patient
    asked = await patient.say("我的病历写错了")
    assert "哪一处写错了？" in asked
    assert "点“我的资料”自己就能改" in asked
    assert patient.choices == ["病情经过", "专家的诊断和治法", "别的地方", "我的资料", "不改了"]
    asked = await patient.tap("病情经过")
    assert "现在写的是：\n" in asked
    assert "咳嗽" in asked
    assert "哪里写错了，应该是什么样的？" in asked
    back = await patient.say(WRONG)
    assert f"“{WRONG}”" in back
    assert patient.choices == ["对", "不对，重说", "不改了"]
    again = await patient.tap("对")
    assert "要发给李强医生" in again
    assert "原来写的不会擦掉" in again
    assert await county.doctor.hear() == "", "nothing has gone yet"
    sent = await patient.tap("发给医生")
    assert "已经发给李强医生了" in sent
    assert "身体不舒服，不要等这个" in sent
    assert WRONG in await county.doctor.hear()


async def test_the_doctor_writes_an_addendum_and_the_patient_and_the_expert_read_it(county: County) -> None:
    case = await finished(county)
    await ask(county, "病情经过")
    told = await county.doctor.hear()
    assert "患者说病历有一处写错了" in told
    assert f"患者说：{WRONG}" in told
    assert "原来写的不会被改动" in told
    assert WRONG in await county.doctor.tap("写更正")
    assert "更正：患者从不吸烟" in await county.doctor.say("患者从不吸烟，原记录有误。")
    assert await county.patient.hear() == "", "nothing has gone yet"
    await county.doctor.tap("写进病历")
    heard = await county.patient.hear()
    assert "李强医生写了更正：\n患者从不吸烟，原记录有误。" in heard
    assert "原来写的也还留着" in heard
    line = "李强医生，病情经过：患者从不吸烟，原记录有误。"
    assert line in await county.expert.hear()
    assert line in await county.doctor.click(f"doctor.case:{case.id}")
    assert line in await county.expert.click(f"expert.case:{case.id}")
    assert line in await county.patient.click(f"patient.result:{case.id}")
    assert "已经处理过了（已更正）" in await county.doctor.tap("写更正"), "an old button"


async def test_a_no_comes_with_its_reason_and_with_a_way_on(county: County) -> None:
    await finished(county)
    await ask(county, "专家的诊断和治法", "诊断不对，我是肺炎")
    assert "已经请王建国医生看" in await county.doctor.hear(), "the doctor knows of it and does nothing"
    assert "诊断不对" in await county.expert.hear()
    assert "患者会看到原因" in await county.expert.tap("不改")
    assert "已告诉患者" in await county.expert.tap("核对过了，原来写的没有错")
    heard = await county.patient.hear()
    assert "王建国医生看过了，这次没有改。" in heard
    assert "原因：核对过了，原来写的没有错" in heard
    await county.patient.tap("转人工")


async def test_a_report_is_put_right_by_a_new_version(county: County) -> None:
    read = await reading(county)
    await county.story.start(read.case, county.expert)
    await read.signed()
    await end(county, read.case)
    await ask(county, "报告：胸部CT平扫", "写的右肺，我是左肺")
    assert "会出新的一版报告" in await county.expert.hear()
    assert "为什么要改" in await county.expert.tap("写更正")
    await county.expert.tap("左右写错了")
    reports, expert = county.story.house.services.reports, await county.story.house.actor(county.expert.person_id)
    draft = next(one for one in await read.reports() if one.state is ReportState.DRAFT)
    findings, impression = (text.replace("右", "左") for text in (draft.findings, IMPRESSION))
    draft = await reports.write(expert, draft.id, findings=findings, impression=impression)
    await reports.sign(expert, draft.id, revision=draft.revision)
    heard = await county.patient.hear()
    assert "王建国医生改好了，出了第2版。" in heard
    assert "旧的那一版也还留着" in heard
    assert [one.state for one in await read.reports()] == [ReportState.SUPERSEDED, ReportState.SIGNED]


async def test_who_does_not_answer_is_asked_again_and_then_the_administrators_hear_of_it(county: County) -> None:
    case = await finished(county)
    await ask(county, "病情经过")
    await county.doctor.hear()
    story = county.story
    await story.move_to(story.house.clock.now() + timedelta(days=3, hours=1))
    assert "3天了还在等您答复" in await county.doctor.hear()
    assert await county.administrator.hear() == ""
    await story.move_to(story.house.clock.now() + timedelta(days=4, hours=1))
    assert "7天了还在等您答复" in await county.doctor.hear()
    told = await county.administrator.hear()
    assert f"{case.number} 的更正请求7天没有答复" in told
    assert "李强医生" in told
    assert WRONG not in told, "administrators read nothing clinical"


async def test_it_can_be_taken_back_and_the_doctor_hears_so(county: County) -> None:
    await finished(county)
    await ask(county, "病情经过")
    await county.doctor.hear()
    await county.patient.say("病历写错了")
    assert "正在等李强医生答复" in await county.patient.tap("病情经过")
    assert "不用改了" in await county.patient.tap("不用改了")
    assert "患者说不用更正了" in await county.doctor.hear()
    await county.patient.say("病历写错了")
    assert "现在写的是" in await county.patient.tap("病情经过"), "it may be asked for again"


async def test_a_danger_sign_in_the_middle_comes_first(county: County) -> None:
    await finished(county)
    patient = county.patient
    await patient.say("病历写错了")
    await patient.tap("病情经过")
    assert "120" in await patient.say("我现在胸口疼得厉害，喘不上气，出冷汗")


async def test_nothing_goes_where_the_patient_says_no_at_either_look(county: County) -> None:
    await finished(county)
    patient = county.patient
    await patient.say("病历写错了")
    await patient.tap("病情经过")
    await patient.say(WRONG)
    assert "哪里写错了" in await patient.tap("不对，重说")
    await patient.say("写错了年数")
    await patient.tap("对")
    assert "没有发" in await patient.tap("先不发")
    assert "没有要发的了" in await patient.click("patient.amend_send")
    await patient.say("病历写错了")
    await patient.tap("别的地方")
    assert "“诊断不对”" in await patient.say("诊断不对"), "what is wrong, not the question anew"
    assert "没有发" in await patient.say("算了")
    assert await county.doctor.hear() == ""


async def test_what_was_being_told_goes_on_afterwards(county: County) -> None:
    await finished(county)
    patient = county.patient
    await patient.say("我头疼两天了")
    before = patient.state.flow
    assert before == "intake"
    await patient.say("病历写错了")
    await patient.tap("别的地方")
    await patient.say("不改了")
    assert patient.state.flow == before


async def test_many_ways_to_say_it_and_other_words_about_records(county: County) -> None:
    await finished(county)
    for words in (
        "病历写错了",
        "我的病历有错",
        "病历上写错了",
        "更正病历",
        "我要更正病历",
        "请医生改一下病历",
        "检查报告写错了",
        "医生的诊断不对",
        "能不能修改病历？",
        "病历记得不对",
        "专家写的报告好像有误",
        "帮我改病历",
        "我想改一下我的病历吧",
    ):
        assert "哪一处写错了" in await county.patient.say(words), words
    for words in ("我的报告有问题吗", "病历在哪里看", "报告出来了吗", "医生，我没有说错", "诊断是什么"):
        assert "哪一处写错了" not in await county.patient.say(words), words


async def test_somebody_without_a_finished_consultation_is_told_what_to_do(county: County) -> None:
    told = await county.patient.say("病历写错了")
    assert "还没有看完的会诊" in told
    assert "直接跟医生说" in told


async def test_a_doctor_is_not_taken_for_a_patient(county: County) -> None:
    assert "哪一" not in await county.doctor.say("病历写错了")


async def test_a_strangers_case_is_not_put_right(county: County) -> None:
    case = await finished(county)
    stranger = await county.story.patient("李四")
    told = await stranger.click(f"patient.amend_part:{case.id}:history:")
    assert "咳嗽" not in told
    assert "现在写的是" not in told
    assert stranger.state.flow == ""
