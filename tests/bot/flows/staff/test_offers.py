"""Invitations: two experts at once, declining, lateness, widening, and the administrator at the end."""

import asyncio
from datetime import timedelta

from backend.consultation.rules import OFFER_LIMITS, Status, Urgency
from tests.bot.flows.staff.conftest import County


async def test_two_experts_who_tap_at_once_are_told_exactly_one_yes(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    await asyncio.gather(county.expert.hear(), county.rival.hear())
    answers = await asyncio.gather(county.expert.tap("接受"), county.rival.tap("接受"))
    won = [answer for answer in answers if "已接受会诊" in answer]
    lost = [answer for answer in answers if "已由" in answer]
    assert len(won) == 1
    assert len(lost) == 1
    actor = await county.story.house.actor(county.doctor.person_id)
    assert (await county.story.house.services.consultations.get(actor, case.id)).status is Status.ASSIGNED


async def test_the_invitation_names_no_patient_but_says_why_and_until_when(county: County) -> None:
    case = await county.story.open_case(county.patient, complaint="我叫张小明，咳嗽三天，发烧38.5度")
    await county.story.submit(case, county.doctor, question="张小明要不要住院？")
    card = await county.expert.hear()
    assert "张小明" not in card
    assert "为什么请您" in card
    assert "前回复" in card
    assert "咳嗽" in card


async def test_declining_with_a_reason_leaves_the_case_to_the_others(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    await county.expert.hear()
    await county.expert.tap("婉拒")
    assert "已婉拒" in await county.expert.tap("正在门诊或手术")
    assert "没有等您回复" in await county.expert.click("expert.offers")
    await county.rival.hear()
    assert "已接受" in await county.rival.tap("接受")


async def test_waiting_invitations_can_be_listed_and_answered_from_the_list(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    assert "会诊邀请" in await county.expert.say("会诊邀请")
    assert "已接受" in await county.expert.tap("接受")


async def test_nobody_answers_and_an_administrator_gives_the_case_to_an_expert(county: County) -> None:
    story = county.story
    case = await story.open_case(county.patient)
    await story.submit(case, county.doctor)
    await county.expert.hear()
    for _ in range(4):
        story.house.clock.advance(OFFER_LIMITS[Urgency.ROUTINE] + timedelta(seconds=1))
        await story.house.settle()
    assert "已过回复时间" in await county.expert.hear()
    assert "没有专家接受" in await county.administrator.hear()
    assert "正在帮您安排" in await county.patient.hear()
    heard = await county.doctor.hear()
    assert heard.count("已请平台管理员安排") == 1
    assert "放宽" not in heard  # no code was given: the search began with the department
    await county.administrator.tap("待处理事项")
    await county.administrator.tap("安排")
    assert "已安排给王建国" in await county.administrator.tap("王建国")
    assert "平台请您负责这例会诊" in await county.expert.hear()
    assert "王建国" in await county.patient.hear()


async def test_an_urgent_case_begins_without_booking(county: County) -> None:
    case = await county.story.open_case(county.patient, urgency=Urgency.URGENT)
    await county.story.submit(case, county.doctor)
    await county.expert.hear()
    assert "请尽快开始会诊" in await county.expert.tap("接受")
    assert "选时间" not in await county.patient.hear()
    assert "会诊开始" in await county.expert.tap("开始会诊")


async def test_nobody_else_may_answer_an_expert_s_invitation(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    await county.expert.hear()
    stolen = next(choice for menu in county.expert.menus for choice in menu.choices if choice.text == "接受")
    assert "权限" in await county.patient.tap_choice(stolen) or "不是发给您" in county.patient.text
    actor = await county.story.house.actor(county.doctor.person_id)
    assert (await county.story.house.services.consultations.get(actor, case.id)).status is Status.PENDING


async def test_an_expert_who_cannot_do_it_after_all_gives_the_case_back(county: County) -> None:
    story = county.story
    case = await story.open_case(county.patient)
    await story.submit(case, county.doctor)
    await county.expert.hear()
    await county.expert.tap("接受")
    for phone in (county.patient, county.doctor, county.rival):
        await phone.hear()
    assert "确定退回" in await county.expert.tap("退回")
    assert "没有退回" in await county.expert.tap("不退回了")
    await county.expert.tap("退回")
    assert "已退回" in await county.expert.tap("临时有手术")
    told = await county.patient.hear()
    assert "王建国专家临时看不了这次会诊" in told
    assert "手术" not in told
    assert "王建国专家退回了会诊，原因：临时有手术。正在重新找专家" in await county.doctor.hear()
    assert "会诊邀请" in await county.rival.hear()
    assert "已接受" in await county.rival.tap("接受")
    assert "请到专家了" in await county.patient.hear()
