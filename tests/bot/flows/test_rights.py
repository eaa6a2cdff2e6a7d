"""Who saw my record, and a copy of it: asked in the chat, answered in words that anybody understands."""

import re
from datetime import timedelta

import pytest

from tests.support import cases
from tests.support.conversation import Conversation


async def seen(patient: Conversation) -> str:
    """A case that a doctor and an expert have looked at."""
    case_id = await cases.open_case(patient.house, patient.person_id)
    await cases.assign(patient.house, case_id)
    await patient.house.services.consultations.get(await cases.staff(patient.house, "钟专家"), case_id)
    return case_id


@pytest.mark.parametrize("words", ["谁看过我的病历", "谁看过我的病历？", "都有谁看了我的资料", "哪些人看过我的病情"])
async def test_whoever_looked_is_named_with_place_and_purpose(consenting: Conversation, words: str) -> None:
    await seen(consenting)
    told = await consenting.say(words)
    assert "钟专家，会诊专家（省人民医院）" in told
    assert "看了您的病情" in told
    assert re.search(r"为了：给您会诊：您\d{4}年\d+月\d+日的会诊（HZ\d{8}-\d{4}）", told)
    assert "村医甲，卫生院医生（青山镇卫生院）" in told
    assert not re.search(r"[A-Za-z_]", re.sub(r"HZ\d", "", told)), "no technical words"


async def test_everybody_who_looked_is_reached_a_page_at_a_time(consenting: Conversation) -> None:
    case_id = await seen(consenting)
    consultations, doctor = consenting.house.services.consultations, await cases.staff(consenting.house, "村医甲")
    for _ in range(8):
        consenting.house.clock.advance(timedelta(days=1))
        await consultations.get(doctor, case_id)
    days = []
    told = await consenting.say("谁看过我的病历")
    while "看过病历的人" in told:
        days += re.findall(r"(\d+月\d+日)　村医甲", told)
        told = await consenting.tap("更早的") if "更早的" in consenting.choices else ""
    assert len(days) == len(set(days)) == 9


async def test_what_one_did_oneself_and_what_the_platform_does_is_left_out(consenting: Conversation) -> None:
    await cases.open_case(consenting.house, consenting.person_id)
    await consenting.house.services.consultations.list_for(await consenting.house.actor(consenting.person_id))
    assert "还没有别人看过" in await consenting.say("谁看过我的病历")


async def test_it_is_found_on_the_page_about_privacy(consenting: Conversation) -> None:
    await seen(consenting)
    await consenting.click("patient.privacy")
    assert {"谁看过我的病历", "要一份我的资料", "撤回同意"} <= set(consenting.choices)
    assert "钟专家" in await consenting.tap("谁看过我的病历")
    assert "转人工" in consenting.choices


async def test_nobody_reads_who_looked_at_somebody_else(consenting: Conversation, patient: Conversation) -> None:
    await seen(consenting)
    stranger = await patient.house.new_person()
    told = await consenting.click(f"patient.accesses:{stranger}")
    assert "钟专家" not in told


async def test_to_look_who_looked_is_in_the_log_and_is_not_told_again(consenting: Conversation) -> None:
    await seen(consenting)
    first = await consenting.say("谁看过我的病历")
    assert await consenting.say("谁看过我的病历") == first


@pytest.mark.parametrize("words", ["要一份我的资料", "我要我的病历复印件", "导出我的数据"])
async def test_a_copy_is_fetched_from_a_card(consenting: Conversation, words: str) -> None:
    told = await consenting.say(words)
    assert "您的资料" in told
    assert f"/h5/copies/{consenting.person_id}.zip" in str(consenting.replies)


async def test_who_took_their_consent_back_may_still_ask(consenting: Conversation) -> None:
    await seen(consenting)
    await consenting.say("撤回同意")
    await consenting.tap("确定撤回")
    assert "钟专家" in await consenting.say("谁看过我的病历")


async def test_a_complaint_that_begins_alike_is_a_complaint(consenting: Conversation) -> None:
    assert "看过病历的人" not in await consenting.say("谁能看看我的病，我咳嗽三天了")
