"""Confirming and changing the record."""

from tests.bot.flows.test_intake import EXAMPLE, intake_of, to_the_review, waiting
from tests.support.conversation import Conversation


async def _review(chat: Conversation) -> None:
    await chat.say(EXAMPLE)
    await to_the_review(chat)


async def test_a_section_is_replaced_by_the_patients_words(consenting: Conversation) -> None:
    await _review(consenting)
    await consenting.tap("要修改")
    assert "过敏史现在写的是" in await consenting.tap("改过敏史")
    said = await consenting.say("青霉素过敏")
    assert "改好了" in said
    assert "过敏史：青霉素过敏" in said
    assert any(one.name == "青霉素" for one in intake_of(consenting).facts.allergies)


async def test_words_are_added_to_a_section(consenting: Conversation) -> None:
    await _review(consenting)
    await consenting.tap("要修改")
    await consenting.tap("改现病史")
    await consenting.tap("补充")
    said = await consenting.say("晚上躺下咳得更厉害")
    assert "38.5℃" in said
    assert "晚上躺下咳得更厉害" in said


async def test_a_correction_needs_no_tapping(consenting: Conversation) -> None:
    await _review(consenting)
    said = await consenting.say("不是38.5度，是39度")
    assert "39℃" in said
    assert "38.5℃" not in said


async def test_a_correction_is_seen_in_a_section_that_was_rewritten(consenting: Conversation) -> None:
    await _review(consenting)
    await consenting.tap("要修改")
    await consenting.tap("改现病史")
    await consenting.say("咳了三天，干咳")
    assert "体温39度" in await consenting.say("我刚量了，体温39度")


async def test_thinking_better_of_changing_shows_the_record_again(consenting: Conversation) -> None:
    await _review(consenting)
    await consenting.tap("要修改")
    assert "我记得对不对" in await consenting.tap("不改了")


async def test_going_back_from_the_record_asks_the_last_question_again(consenting: Conversation) -> None:
    await _review(consenting)
    await consenting.say("返回")
    assert waiting(consenting) == "patient.name"


async def test_a_question_about_money_is_answered_and_the_record_still_waits(consenting: Conversation) -> None:
    await _review(consenting)
    said = await consenting.say("多少钱")
    assert "不收您的钱" in said
    assert consenting.choices[0] == "对，没问题"


async def test_small_talk_is_led_back_to_the_two_answers(consenting: Conversation) -> None:
    await _review(consenting)
    assert "要修改" in await consenting.say("今天天气不错")


async def test_a_picture_is_kept_while_the_record_is_read(consenting: Conversation) -> None:
    await _review(consenting)
    await consenting.send_image()
    assert len(intake_of(consenting).pictures) == 1


async def test_a_very_long_section_is_refused_and_loses_nothing(consenting: Conversation) -> None:
    await _review(consenting)
    await consenting.tap("要修改")
    await consenting.tap("改主诉")
    before = intake_of(consenting)
    assert "太长" in await consenting.say("疼" * 5000)
    assert intake_of(consenting).facts == before.facts
    assert "主诉：咳嗽五天" in await consenting.say("咳嗽五天")
