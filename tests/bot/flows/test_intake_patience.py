"""A question that was passed over is put again; one about danger is not let go, and few questions are asked in all."""

import pytest

from nlu.wording import OPENING
from tests.bot.flows.test_intake import intake_of, to_the_review, waiting
from tests.support.conversation import Conversation

DANGER = "chest_pain_danger"


@pytest.fixture
def beside() -> list[str]:
    """What people say instead of an answer."""
    return ["67岁 女", "三天了", "不是三天，是四天"]


async def _ask_of_chest_pain(chat: Conversation) -> None:
    await chat.say("我胸口疼")
    assert waiting(chat) == DANGER


@pytest.mark.parametrize(
    "words", ["67岁 女", "三天了", "青霉素过敏", "我妈有高血压", "没发烧", "多少钱", "为什么问这个", "你好", "转人工"]
)
async def test_a_danger_question_is_put_again_whatever_else_is_said(consenting: Conversation, words: str) -> None:
    await _ask_of_chest_pain(consenting)
    await consenting.say(words)
    assert waiting(consenting) == DANGER
    assert "出冷汗" in consenting.text


async def test_a_correction_does_not_answer_the_danger_question(consenting: Conversation) -> None:
    await consenting.say("我胸口疼三天了")
    said = await consenting.say("不是三天，是四天")
    assert "改过来了：四天" in said
    assert waiting(consenting) == DANGER
    assert "出冷汗" not in intake_of(consenting).facts.absent


async def test_who_never_answers_is_asked_three_times_and_the_record_says_so(
    consenting: Conversation, beside: list[str]
) -> None:
    await _ask_of_chest_pain(consenting)
    for words in beside:
        assert waiting(consenting) == DANGER
        await consenting.say(words)
    assert waiting(consenting) != DANGER
    await to_the_review(consenting)
    assert "未回答：出冷汗" in consenting.text


@pytest.mark.parametrize("words", ["不知道", "跳过", "说不清"])
async def test_who_cannot_say_is_not_pressed_but_the_doctor_reads_it(consenting: Conversation, words: str) -> None:
    await _ask_of_chest_pain(consenting)
    await consenting.say(words)
    assert waiting(consenting) != DANGER
    await to_the_review(consenting)
    assert "未回答：出冷汗" in consenting.text


async def test_an_answered_danger_question_is_not_called_unanswered(consenting: Conversation) -> None:
    await _ask_of_chest_pain(consenting)
    await consenting.tap("都没有")
    await consenting.tap("没有")
    await to_the_review(consenting)
    assert "未回答" not in consenting.text
    assert "否认出冷汗" in consenting.text


async def test_a_danger_question_survives_another_danger(consenting: Conversation) -> None:
    await _ask_of_chest_pain(consenting)
    assert "120" in await consenting.say("嘴也歪了")
    await consenting.tap("继续问诊")
    assert waiting(consenting) == DANGER


async def test_an_ordinary_question_is_put_again_once(consenting: Conversation) -> None:
    await consenting.say("我咳嗽")
    question = waiting(consenting)
    await consenting.say("67岁 女")
    assert waiting(consenting) == question
    await consenting.say("三天了")
    assert waiting(consenting) != question


async def test_a_bare_yes_to_the_history_is_asked_what(consenting: Conversation) -> None:
    await consenting.say("我58岁，女，咳嗽三天，有白痰，不喘，胸口不疼")
    for _ in range(6):
        if waiting(consenting) == "past_history":
            break
        await consenting.say("不知道")
    assert "具体是什么" in await consenting.say("有")
    assert waiting(consenting) == "past_history"
    await consenting.say("高血压")
    assert waiting(consenting) != "past_history"


async def test_words_that_were_not_understood_twice_are_all_quoted(consenting: Conversation) -> None:
    await consenting.say("我那个毛病又来了，你懂的")
    await consenting.say("就是那个老地方不得劲儿")
    await to_the_review(consenting)
    assert "你懂的" in consenting.text
    assert "老地方" in consenting.text


async def test_a_joker_is_not_asked_for_ever_who_it_is(consenting: Conversation) -> None:
    await consenting.say("咳嗽三天了")
    assert waiting(consenting) == "patient.who"
    await consenting.say("你猜")
    await consenting.say("玉皇大帝")
    assert waiting(consenting) != "patient.who"


@pytest.mark.parametrize(
    "first", ["胸口疼", "咳嗽", "肚子疼", "头晕", "孩子发烧", "我妈头疼", "拉肚子", "腰疼", "心情不好"]
)
@pytest.mark.parametrize("answer", ["没有", "不知道", ""])
async def test_nobody_is_asked_more_than_eight_questions(consenting: Conversation, first: str, answer: str) -> None:
    """An empty answer stands for tapping the first thing that is offered."""
    await consenting.say(first)
    while consenting.state.flow == "intake":
        if not answer and consenting.choices:
            await consenting.tap_choice(consenting.menus[-1].choices[0])
        else:
            await consenting.say(answer or "40")
    asked = [question for question in intake_of(consenting).asked if question != OPENING]
    assert len(asked) <= 8, asked


@pytest.mark.parametrize("first", ["咳嗽三天了", "肚子疼半天", "孩子发烧两天", "腰疼一个月", "起疹子两天"])
async def test_a_stranger_who_answers_well_is_asked_at_most_seven_questions(
    consenting: Conversation, first: str
) -> None:
    await consenting.say(first)
    answers = {"patient.who": "我自己", "age_sex": "58岁，女", "patient.name": "王秀英"}
    while consenting.state.flow == "intake":
        await consenting.say(answers.get(waiting(consenting), "都没有"))
    asked = [question for question in intake_of(consenting).asked if question != OPENING]
    assert len(asked) <= 7, asked
