"""Who asks what it is or what helps is told that a doctor says so; who tells something in the same breath is heard."""

import pytest

from tests.bot.flows.test_intake import intake_of, waiting
from tests.support.conversation import Conversation

WHAT_IS_IT = ["你说我这是啥病啊", "我得了什么病", "这是不是癌症", "会不会是脑梗啊", "给我诊断一下"]
WHAT_HELPS = ["要不要打针", "能不能吃头孢", "需要做手术吗", "降压药还能吃吗"]
TO_A_DOCTOR = {"diagnosis": "医生看过才说得准", "treatment": "由医生来定"}


@pytest.mark.parametrize(
    ("words", "key"), [(one, "diagnosis") for one in WHAT_IS_IT] + [(one, "treatment") for one in WHAT_HELPS]
)
async def test_the_bot_says_that_it_is_for_a_doctor_and_asks_on(consenting: Conversation, words: str, key: str) -> None:
    await consenting.say("我58岁女，头晕三天")
    question, put_again = waiting(consenting), intake_of(consenting).put_again
    for _ in range(3):
        assert TO_A_DOCTOR[key] in await consenting.say(words)
        assert (waiting(consenting), intake_of(consenting).put_again) == (question, put_again)


@pytest.mark.parametrize("words", [*WHAT_IS_IT, *WHAT_HELPS])
async def test_so_it_does_at_the_review(consenting: Conversation, words: str) -> None:
    await consenting.say("我58岁女，头晕三天")
    for _ in range(12):
        await consenting.say("不知道")
    assert consenting.state.flow == "review"
    answer = await consenting.say(words)
    assert any(said in answer for said in TO_A_DOCTOR.values())


async def test_what_is_told_beside_the_question_is_kept(consenting: Conversation) -> None:
    said = await consenting.say("我咳嗽三天，是不是肺炎啊")
    assert "记下了：咳嗽，三天" in said
    assert TO_A_DOCTOR["diagnosis"] in said


async def test_a_reproach_is_no_illness_of_three_days(consenting: Conversation) -> None:
    said = await consenting.say("你们这什么破东西，上次问了三天没人理我！")
    assert "抱歉" in said
    assert intake_of(consenting).facts.duration is None


async def test_words_that_seem_to_tell_of_the_illness_reach_the_doctor_though_the_next_ones_are_understood(
    consenting: Conversation,
) -> None:
    await consenting.say("我58岁女，头晕三天")
    assert "没太听明白" in await consenting.say("嘴巴里头有泡泡")
    await consenting.say("都没有")
    assert "嘴巴里头有泡泡" in intake_of(consenting).unread


async def test_a_no_said_thrice_is_a_no(consenting: Conversation) -> None:
    await consenting.say("我58岁男，腰疼两个月")
    before = waiting(consenting)
    await consenting.say("没有没有没有！烦不烦")
    assert waiting(consenting) != before


async def test_a_slip_is_taken_back(consenting: Conversation) -> None:
    await consenting.say("我58岁男，腰疼两个月")
    before = waiting(consenting)
    await consenting.say("没有")
    assert "退回一步" in await consenting.say("说错了")
    assert waiting(consenting) == before
