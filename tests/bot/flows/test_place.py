"""Choosing the institution, and what goes there."""

from backend.consultation.rules import Status, Urgency
from tests.bot.flows.test_intake import EXAMPLE, to_the_review
from tests.support.conversation import Conversation


async def _confirmed(chat: Conversation) -> None:
    await chat.say(EXAMPLE)
    await to_the_review(chat)
    await chat.tap("对，没问题")


async def test_three_institutions_and_more(consenting: Conversation) -> None:
    await _confirmed(consenting)
    assert len(consenting.choices) == 4
    assert consenting.choices[-1] == "更多"
    first = set(consenting.choices)
    await consenting.tap("更多")
    assert len(consenting.choices) == 1
    assert not first & set(consenting.choices)


async def test_a_location_brings_the_nearest_three_with_their_distance(consenting: Conversation) -> None:
    await _confirmed(consenting)
    said = await consenting.send_location(30.30, 114.30, "红岩镇")
    assert consenting.choices[:3] == ["红岩镇卫生院", "白水乡卫生院", "青山镇卫生院"]
    assert "红岩镇卫生院（0.0公里）" in said
    assert "公里" in said


async def test_a_location_sent_during_the_intake_is_remembered(consenting: Conversation) -> None:
    await consenting.say(EXAMPLE)
    await consenting.send_location(30.30, 114.30)
    await to_the_review(consenting)
    await consenting.tap("对，没问题")
    assert consenting.choices[0] == "红岩镇卫生院"


async def test_the_case_reaches_the_institutions_doctor_as_it_was_confirmed(consenting: Conversation) -> None:
    await _confirmed(consenting)
    await consenting.tap("白水乡卫生院")
    services = consenting.house.services
    actor = await consenting.house.actor(consenting.person_id)
    [summary] = await services.consultations.list_for(actor)
    case = await services.consultations.get(actor, summary.id)
    assert (case.status, case.doctor_name, case.institution_name) == (Status.DRAFT, "村医乙", "白水乡卫生院")
    assert case.department_code == "respiratory"
    assert case.urgency is not Urgency.CRITICAL
    assert "咳嗽" in case.record["chief_complaint"]
    assert case.facts["temperature"] == 38.5
    assert consenting.state.data == {}
    assert consenting.house.heard("consultation.drafted")


async def test_an_institution_can_be_named(consenting: Conversation) -> None:
    await _confirmed(consenting)
    assert "已经交给白水乡卫生院" in await consenting.say("白水乡卫生院")


async def test_an_institution_without_doctors_is_said_and_another_can_be_chosen(consenting: Conversation) -> None:
    await _confirmed(consenting)
    await consenting.send_location(31.0, 115.0)
    said = await consenting.tap("黄坡镇卫生院")
    assert "换一家" in said
    assert "已经交给红岩镇卫生院" in await consenting.tap("红岩镇卫生院")


async def test_going_back_shows_the_record_again(consenting: Conversation) -> None:
    await _confirmed(consenting)
    assert "我记得对不对" in await consenting.say("返回")


async def test_a_location_out_of_the_blue_lists_what_is_near(consenting: Conversation) -> None:
    await consenting.click("patient.drop")
    said = await consenting.send_location(30.2, 114.2)
    assert "附近的卫生院" in said
    assert "白水乡卫生院（0.0公里）" in said
    assert "地址：白水乡中心街2号" in await consenting.tap("白水乡卫生院")


async def test_tapping_the_same_institution_twice_opens_one_case(consenting: Conversation) -> None:
    await _confirmed(consenting)
    await consenting.tap("青山镇卫生院")
    await consenting.tap("青山镇卫生院")
    actor = await consenting.house.actor(consenting.person_id)
    assert len(await consenting.house.services.consultations.list_for(actor)) == 1
