"""One case from the task card to the result card, with a patient, a doctor and two experts on their phones."""

from backend.consultation.rules import Status
from bot.messages import Picture
from tests.bot.flows.staff.conftest import County


async def test_a_case_goes_from_the_task_card_to_the_result_cards(county: County) -> None:
    story, patient, doctor, expert, rival = county.story, county.patient, county.doctor, county.expert, county.rival
    case = await story.open_case(patient)

    card = await doctor.hear()
    assert "张小明" in card
    assert "咳嗽" in card
    assert "呼吸内科" in card
    await doctor.tap("打开任务")
    read_back = await doctor.say("血压150/95 血糖6.5，右下肺湿啰音")
    assert "血压150/95mmHg" in read_back
    assert "血糖6.5mmol/L" in read_back
    assert "检查：右下肺湿啰音" in read_back
    assert "已记入病历" in await doctor.tap("确认")

    form = await doctor.tap("申请会诊")
    assert "科室：呼吸内科" in form
    await doctor.tap("填初步诊断")
    await doctor.say("肺炎")
    await doctor.tap("J18")
    await doctor.tap("写会诊目的")
    assert "需要住院吗" in await doctor.say("需要住院吗？")
    assert "已提交" in await doctor.tap("提交申请")

    assert "正在帮您请大医院的专家" in await patient.hear()
    invitation = await expert.hear()
    assert "张小明" not in invitation
    assert "为什么请您" in invitation
    assert "右下肺湿啰音" in invitation
    await rival.hear()
    accepted = await expert.tap("接受")
    assert "已接受" in accepted
    assert "张小明" in accepted, "whoever has the case knows the patient"
    said = [line for line in accepted.splitlines() if line]
    assert len(set(said)) == len(said), "a card says nothing twice"
    assert "省人民医院王建国主任医师接下" in await rival.hear()
    assert "王建国" in await rival.tap("接受")

    assert "王建国主任医师" in await patient.hear()
    assert "已接受" in await doctor.hear()
    await doctor.tap("添加资料")
    assert "图片已加上" in await doctor.send_image()
    assert "新的资料" in await expert.hear()

    await expert.click("expert.mine")
    await expert.tap("张小明")
    await expert.tap("需要补充资料")
    await expert.say("请补充胸片")
    assert "请您补充：请补充胸片" in await doctor.hear()
    await doctor.tap("现在补充")
    await doctor.send_image()
    await doctor.say("胸片见右下肺片影")
    assert "已发给专家" in await doctor.tap("发给专家")
    assert "已经补充" in await expert.hear()

    await patient.tap("选时间")
    await story.house.settle()
    await expert.click("expert.mine")
    await expert.tap("张小明")
    assert "会诊开始" in await expert.tap("开始会诊")
    assert "王建国来了" in await patient.hear()
    await patient.tap("进入会诊")
    await doctor.hear()
    await patient.say("晚上咳得厉害")
    assert "【患者张**】晚上咳得厉害" in await expert.hear()
    assert "【患者张**】晚上咳得厉害" in await doctor.hear()
    assert await patient.hear() == ""
    await expert.say("多喝水，注意休息")
    assert "【王建国专家】多喝水，注意休息" in await patient.hear()
    await doctor.send_image()
    assert any(isinstance(message, Picture) for message in await expert.heard())

    await expert.say("填写意见")
    await expert.say("社区获得性肺炎")
    await expert.tap("J18")
    await expert.say("阿莫西林口服7天，三天后复查胸片")
    preview = await expert.say("注意血氧，低于93%转诊")
    assert "社区获得性肺炎" in preview
    assert "会诊已结束" in await expert.tap("确认并结束会诊")

    result = await patient.hear()
    assert "专家的看法：社区获得性肺炎" in result
    assert "阿莫西林" in result
    assert "低于93%" not in result, "what doctors tell each other is not for the patient"
    assert "低于93%" in await doctor.hear()
    view = await story.house.services.consultations.get(await story.house.actor(doctor.person_id), case.id)
    assert view.status is Status.COMPLETED
    await patient.tap("★★★★★ 很好")
    assert "★★★★★" in await doctor.hear()
    await expert.hear()
    assert "请问要办什么" in await expert.say("再见")
