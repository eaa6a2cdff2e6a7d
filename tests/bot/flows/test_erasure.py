"""删除我的资料: what goes, what stays, until when and by which law; two yeses; a week to think again."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from backend.errors import NotFound
from backend.messaging.rules import Touch
from backend.messaging.service import MessagingService, Opened
from backend.security.policy import SYSTEM
from bot.dialogue import Dialogue
from bot.notifications import register
from tests.bot.flows.conftest import NewPatient
from tests.support import cases
from tests.support.conversation import Conversation, words_of
from tests.support.house import House


async def treated(patient: Conversation) -> None:
    """Somebody with one finished case."""
    case_id = await cases.open_case(patient.house, patient.person_id)
    await cases.assign(patient.house, case_id)
    await cases.begin(patient.house, case_id)
    await cases.complete(patient.house, case_id)


async def days_pass(patient: Conversation, days: float) -> None:
    patient.house.clock.advance(timedelta(days=days))
    await patient.house.settle()


async def is_known(patient: Conversation) -> bool:
    try:
        await patient.house.actor(patient.person_id)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize(
    "words", ["删除我的资料", "我要注销账号", "把我的信息都删掉吧", "请帮我删除我的全部资料。", "我想删除个人信息"]
)
async def test_it_is_told_what_goes_and_what_stays_and_by_which_law(consenting: Conversation, words: str) -> None:
    await treated(consenting)
    told = await consenting.say(words)
    assert "【会删掉】和我的聊天" in told
    assert "国家规定要保存15年，留到20" in told
    assert "《医疗机构管理条例实施细则》第五十三条" in told
    assert "备份里也打不开" in told
    assert consenting.choices == ["要删除", "先不删"]


async def test_two_yeses_and_a_week(consenting: Conversation) -> None:
    await treated(consenting)
    await consenting.click("patient.privacy")
    await consenting.tap("删除我的资料")
    assert "真的要删吗" in await consenting.tap("要删除")
    told = await consenting.tap("真的要删")
    assert "记下了。" in told
    assert "不删了" in told
    assert await consenting.say("删除我的资料") == told.removeprefix("记下了。"), "asked again, it is told when"
    await days_pass(consenting, 6)
    assert await is_known(consenting)
    await days_pass(consenting, 1.1)
    assert not await is_known(consenting)


@pytest.mark.parametrize("how", ["不删了", "我不删了", "取消删除", ""])
async def test_it_is_taken_back_by_word_or_tap(consenting: Conversation, how: str) -> None:
    await consenting.say("删除我的资料")
    await consenting.tap("要删除")
    await consenting.tap("真的要删")
    await days_pass(consenting, 3)
    told = await consenting.say(how) if how else await consenting.tap("不删了")
    assert "资料都还在" in told
    await days_pass(consenting, 30)
    assert await is_known(consenting)


async def test_a_no_at_either_question_leaves_everything(consenting: Conversation) -> None:
    await consenting.say("删除我的资料")
    await consenting.tap("先不删")
    await consenting.say("删除我的资料")
    await consenting.tap("要删除")
    await consenting.tap("先不删")
    await days_pass(consenting, 30)
    assert await is_known(consenting)


async def test_what_runs_has_to_be_finished_and_that_is_said(consenting: Conversation) -> None:
    await cases.open_case(consenting.house, consenting.person_id)
    told = await consenting.say("删除我的资料")
    assert "现在还不能删" in told
    assert "有一次会诊还没看完" in told
    assert "要删除" not in consenting.choices
    assert await consenting.click(f"patient.erase:{consenting.person_id}:really") == told, "nor by an old button"


async def test_a_relatives_data_is_asked_for_by_itself(consenting: Conversation) -> None:
    people = consenting.house.services.people
    me = await consenting.house.actor(consenting.person_id)
    mother = await people.add_relative(me, relation="mother", name="李桂兰")
    assert "要删除谁的资料" in await consenting.say("删除我的资料")
    assert "先删除家人的资料" in await consenting.tap("我自己的")
    told = await consenting.tap("李桂兰的")
    assert "删除李桂兰的资料" in told
    assert "聊天" not in told, "the chat is the speaker's"
    await consenting.tap("要删除")
    await consenting.tap("真的要删")
    await days_pass(consenting, 7.1)
    assert not await people.relatives(me)
    assert await is_known(consenting)
    assert mother


async def test_who_took_their_consent_back_may_still_ask(consenting: Conversation) -> None:
    await consenting.say("撤回同意")
    await consenting.tap("确定撤回")
    assert "【会删掉】" in await consenting.say("删除我的资料")


async def test_nobody_erases_somebody_else(consenting: Conversation, new_patient: NewPatient) -> None:
    other = await new_patient()
    await consenting.click(f"patient.erase:{other.person_id}:really")
    await days_pass(consenting, 30)
    assert await is_known(other)


async def test_not_wanting_something_else_takes_nothing_back(consenting: Conversation) -> None:
    assert "资料都还在" not in await consenting.say("不删了")


async def mother_of(speaker: Conversation) -> str:
    """A mother without an address of her own, for whom the speaker has asked for the erasure of her data."""
    people = speaker.house.services.people
    mother = await people.add_relative(await speaker.house.actor(speaker.person_id), relation="mother", name="李桂兰")
    await speaker.say("删除我的资料")
    await speaker.tap("李桂兰的")
    await speaker.tap("要删除")
    await speaker.tap("真的要删")
    return mother


async def with_an_address(house: House, dialogue: Dialogue) -> Conversation:
    """Somebody who writes from an address, has agreed, and hears what is sent to them."""
    register(house.events, house.services)
    messaging = MessagingService(house.database, house.clock, house.services.people)
    async with house.database.transaction() as session:
        opened = await messaging.open(session, "wechat", "o-daughter", "first", Touch.MESSAGE)
    assert isinstance(opened, Opened)
    people, person_id = house.services.people, opened.contact.person_id
    await people.give_consent(await house.actor(person_id), people.consent_document().version)
    return Conversation(house, dialogue, person_id)


async def test_who_asked_for_a_relatives_erasure_hears_that_it_is_done(house: House, dialogue: Dialogue) -> None:
    daughter = await with_an_address(house, dialogue)
    await mother_of(daughter)
    await days_pass(daughter, 6.9)
    assert not house.outbox.by_person[daughter.person_id]
    await days_pass(daughter, 0.2)
    [told] = house.outbox.by_person[daughter.person_id]
    assert "那位家人的资料，已经删掉了" in words_of(told)
    assert "您自己的资料没有动" in words_of(told)
    assert "李桂兰" not in words_of(told)


async def test_nothing_is_sent_where_who_asked_is_gone_too(house: House, dialogue: Dialogue) -> None:
    daughter = await with_an_address(house, dialogue)
    await mother_of(daughter)
    async with house.database.transaction() as session:
        await session.execute(text("DELETE FROM contacts"))
    await days_pass(daughter, 7.1)
    assert not house.outbox.by_person[daughter.person_id]


async def test_a_relatives_erasure_that_was_taken_back_is_not_said_to_be_done(house: House, dialogue: Dialogue) -> None:
    daughter = await with_an_address(house, dialogue)
    mother = await mother_of(daughter)
    await daughter.say("不删了")
    await days_pass(daughter, 30)
    assert not house.outbox.by_person[daughter.person_id]
    assert (await house.services.people.person(SYSTEM, mother)).name == "李桂兰"


async def test_ones_own_erasure_is_told_to_nobody(house: House, dialogue: Dialogue) -> None:
    daughter = await with_an_address(house, dialogue)
    await daughter.say("删除我的资料")
    await daughter.tap("要删除")
    await daughter.tap("真的要删")
    await days_pass(daughter, 7.1)
    assert not await is_known(daughter)
    assert not house.outbox.by_person[daughter.person_id]
