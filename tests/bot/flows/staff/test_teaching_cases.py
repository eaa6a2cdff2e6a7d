"""The case library in chat: a case is recommended with one button, and a doctor learns from it."""

import re

from backend.security.policy import SYSTEM, Role
from backend.teaching_cases import Reviewed
from backend.teaching_cases.rules import next_monday_noon
from tests.bot.flows.staff.conftest import County
from tests.support.reports import reading
from tests.support.stories import Phone
from tests.support.teaching import QUESTION, REVIEWER, Library


async def _recommended(county: County) -> Phone:
    """The expert has ended a case with a signed report, and tapped the one button; the patient was asked."""
    work = await reading(county)
    await work.signed()
    await county.story.start(work.case, county.expert)
    await work.quiet()
    expert = county.expert
    await expert.click(f"expert.opinion:{work.case.id}")
    await expert.say("社区获得性肺炎")
    await expert.tap("不编码，用原文")
    await expert.say("张小明口服头孢，三天后复查")
    await expert.tap("没有，跳过")
    assert "会诊已结束" in await expert.tap("确认并结束会诊")
    said = await expert.tap("推荐为教学病例")
    assert "先问患者同不同意" in said
    return county.patient


async def _published(county: County) -> Reviewed:
    patient = await _recommended(county)
    await patient.hear()
    await patient.tap("可以")
    house = county.story.house
    await house.settle()
    library = Library(house)
    [draft] = (await library.service.cases(REVIEWER)).items
    edited = await library.edited(draft, questions=[QUESTION])
    held = await library.service.publish(REVIEWER, edited.id, revision=edited.revision)
    await house.settle()
    return held


async def test_one_button_recommends_and_the_patients_word_decides(county: County) -> None:
    patient = await _recommended(county)
    asked = await patient.hear()
    assert "医生想把您这次看病的经过" in asked
    assert "不影响给您看病" in asked
    assert "给医生学习用" in await patient.tap("看说明")
    assert "不会写" in await patient.tap("不可以")
    assert "患者不同意" in await county.expert.hear()
    assert "推荐为教学病例" not in await county.expert.say("菜单")


async def test_a_published_case_reaches_the_township_doctor_who_learns_from_it(county: County) -> None:
    held = await _published(county)
    assert "审核通过" in await county.expert.hear()
    doctor, house = county.doctor, county.story.house
    await doctor.hear()
    await county.story.move_to(next_monday_noon(house.clock.now()))
    pushed = await doctor.hear()
    assert "本周病例" in pushed
    assert "张小明" not in pushed
    case = await doctor.tap("看病例")
    assert "【专家诊断】社区获得性肺炎" in case
    for person in ("张小明", "小明", "黄坡"):
        assert person not in case
    asked = await doctor.tap("做题（1道）")
    assert "首选哪项检查？" in asked
    assert "B. 头颅CT" in asked
    wrong = await doctor.tap("B")
    assert "不对。正确的是：A. 胸部CT" in wrong
    assert "解析：咳嗽、发热，先看肺。" in wrong
    assert "出处：《诊断学》第9版" in wrong
    assert "记1分" in wrong
    assert "按第一次的1分算" in await doctor.click(f"teaching.answer:{held.questions[0].id}:0")
    points = await doctor.say("我的学分")
    assert "答了1道题，答对0道，学分1分" in points
    assert "不是继续医学教育学分" in points
    await doctor.say("病例学习")
    assert "以后不发了" in await doctor.tap("不再每周推送")
    assert doctor.person_id not in await Library(house).service.readers("general_practice")


async def test_cases_are_found_in_plain_words_and_nothing_found_is_said(county: County) -> None:
    await _published(county)
    doctor = county.doctor
    await doctor.say("病例库")
    await doctor.tap("找病例")
    assert "没有找到" in await doctor.say("骨折")
    assert "找到1例" in await doctor.say("发烧咳嗽")
    assert "这个病例的题" not in await doctor.tap(doctor.choices[0])


async def test_a_running_case_is_compared_and_told_why(county: County) -> None:
    await _published(county)
    patient = await county.story.patient("李老四")
    case = await county.story.open_case(patient)
    doctor = county.doctor
    await doctor.hear()
    said = await doctor.click(f"teaching.similar:{case.id}")
    assert "和这例相似" in said
    assert re.search(r"都有：(咳嗽、发烧|发烧、咳嗽)", said)
    other = await county.story.join("外村医", Role.GRASSROOTS_DOCTOR, "红岩镇卫生院", "general_practice")
    assert "没有权限" in await other.click(f"teaching.similar:{case.id}")


async def test_an_expert_compares_a_case_they_are_asked_about_and_comes_back(county: County) -> None:
    await _published(county)
    story, expert = county.story, county.expert
    case = await story.open_case(await story.patient("李老四"))
    await story.submit(case, county.doctor)
    assert "会诊邀请" in (await expert.hear())
    said = await expert.tap("类似病例")
    assert "和这例相似" in said
    assert "李老四" not in said
    entries = await story.house.audit.entries(SYSTEM, limit=10)
    assert "consultation.read_record" in {one.action for one in entries if one.actor_id == expert.person_id}
    assert "会诊邀请" in await expert.tap("返回会诊邀请")
    assert "已接受会诊" in await expert.tap("接受")
    assert "和这例相似" in await expert.tap("类似病例")
    assert "李老四" in await expert.tap("返回这例会诊")
    # Whoever was asked as well and is not any more reads nothing of it.
    await county.rival.hear()
    assert "没有权限" in await county.rival.click(f"teaching.similar:{case.id}")


async def test_old_and_strange_buttons_are_answered_in_plain_words(county: County) -> None:
    held = await _published(county)
    library = Library(county.story.house)
    question = held.questions[0].id
    doctor = county.doctor
    assert "没有这个选项" in await doctor.click(f"teaching.answer:{question}:9")
    assert "没有这个选项" in await doctor.click(f"teaching.answer:{question}:x")
    await library.service.withdraw(REVIEWER, held.id, revision=held.revision, reason="要改")
    for key in (f"teaching.case:{held.id}", f"teaching.quiz:{held.id}", f"teaching.answer:{question}:0"):
        assert "已经撤下来了" in await doctor.click(key)
    assert "没有权限" in await county.patient.click("teaching.home")
