"""A doctor's own cases: for the patient in front, pictures out of the blue, cancelling, lists."""

from backend.consultation.rules import Status, Urgency
from backend.security.policy import Role
from tests.bot.flows.staff.conftest import County


async def test_a_case_for_the_patient_in_front_is_made_step_by_step(county: County) -> None:
    doctor = county.doctor
    assert "当面同意" in await doctor.click("doctor.new")
    await doctor.tap("已当面同意")
    await doctor.say("孙桂兰")
    await doctor.tap("女")
    assert "没有看明白" in await doctor.say("很大了")
    await doctor.say("68岁")
    summary = await doctor.say("头晕三天，有高血压，在吃硝苯地平")
    assert "孙桂兰" in summary
    assert "女，68岁" in summary
    assert "紧急程度" in summary
    assert "病例已建立" in await doctor.tap("建立病例")
    await doctor.say("血压180/100")
    await doctor.tap("确认")
    await doctor.tap("申请会诊")
    assert "已提交" in await doctor.tap("提交申请")
    [case] = await county.story.house.services.consultations.list_for(await county.story.house.actor(doctor.person_id))
    assert case.patient_name == "孙桂兰"
    assert case.status is Status.PENDING


async def test_without_the_patient_s_consent_there_is_no_case(county: County) -> None:
    await county.doctor.click("doctor.new")
    assert "没有患者的同意" in await county.doctor.tap("没有同意")
    assert county.doctor.state.flow == ""


async def test_danger_signs_in_the_doctor_s_words_make_the_case_critical(county: County) -> None:
    doctor = county.doctor
    await doctor.click("doctor.new")
    for answer in ("已当面同意", "钱大山", "男", "60岁"):
        await doctor.say(answer)
    assert "危险信号" in await doctor.say("胸口剧痛半小时，出冷汗")
    await doctor.tap("建立病例")
    actor = await county.story.house.actor(doctor.person_id)
    [case] = await county.story.house.services.consultations.list_for(actor)
    assert case.urgency is Urgency.CRITICAL


async def test_a_picture_out_of_the_blue_is_put_where_the_doctor_says(county: County) -> None:
    case = await county.story.open_case(county.patient)
    assert "放到哪个病例" in await county.doctor.send_image()
    await county.doctor.tap("张小明")
    assert "存好了" in await county.doctor.tap("发完了")
    actor = await county.story.house.actor(county.doctor.person_id)
    assert len(await county.story.house.services.consultations.attachments(actor, case.id)) == 1


async def test_a_picture_without_any_case_is_said_to_go_nowhere(county: County) -> None:
    assert "没有地方放" in await county.doctor.send_image()


async def test_cancelling_needs_a_reason_and_tells_the_others(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    for phone in (county.patient, county.doctor, county.expert):
        await phone.hear()
    await county.doctor.click(f"doctor.cancel:{case.id}")
    assert "已取消" in await county.doctor.tap("患者要求取消")
    assert "取消了" in await county.patient.hear()
    assert "已撤回" in await county.expert.hear()
    assert await county.doctor.hear() == "", "who cancelled is not told again"


async def test_lists_go_page_by_page(county: County) -> None:
    for _ in range(10):
        await county.story.open_case(county.patient)
    await county.doctor.click("doctor.tasks")
    assert county.doctor.choices[-1] == "下一页"
    assert len(county.doctor.choices) == 9
    await county.doctor.tap("下一页")
    assert len(county.doctor.choices) == 2


async def test_the_icd10_code_is_found_by_name(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.doctor.click(f"doctor.submit:{case.id}")
    await county.doctor.tap("填初步诊断")
    await county.doctor.say("高血压")
    assert any(choice.startswith("I10") for choice in county.doctor.choices)
    assert "I10" in await county.doctor.tap("I10")
    await county.doctor.tap("改科室")
    await county.doctor.say("心内")
    assert "科室：心血管内科" in await county.doctor.tap("心血管内科")
    await county.doctor.tap("改紧急程度")
    assert "紧急程度：紧急" in await county.doctor.tap("紧急")


async def test_another_doctor_of_another_place_cannot_open_the_case(county: County) -> None:
    case = await county.story.open_case(county.patient)
    stranger = await county.story.join("外人", Role.GRASSROOTS_DOCTOR, "青山镇卫生院", "general_practice")
    assert "没有权限" in await stranger.click(f"doctor.open:{case.id}")
    assert "没有权限" in await stranger.click(f"doctor.findings:{case.id}")
    assert "没有权限" in await stranger.click(f"doctor.submit:{case.id}")
    assert stranger.state.flow == "", "a flow that was refused has not begun"
