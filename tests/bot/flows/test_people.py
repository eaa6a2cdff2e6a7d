"""All kinds of people: who is frightened, who jokes, who writes another script, who leaves in the middle."""

import pytest

from bot.incoming import Kind
from data.questions import questions
from tests.bot.flows.test_intake import intake_of, waiting
from tests.support.conversation import Conversation

STAGES = {rule.id: rule.stage for rule in questions()}


async def test_polite_words_affirm_no_symptom(consenting: Conversation) -> None:
    await consenting.say("我58岁女，咳嗽三天，有白痰，不喘，胸口不疼")
    question, present = waiting(consenting), intake_of(consenting).facts.present
    assert STAGES[question] == "specific"
    await consenting.say("好的")
    assert intake_of(consenting).facts.present == present
    assert waiting(consenting) == question


async def test_a_relative_who_has_it_too_does_not_become_the_patient(consenting: Conversation) -> None:
    await consenting.say("我58岁女，咳嗽三天")
    await consenting.say("我爸也咳嗽")
    facts = intake_of(consenting).facts
    assert (facts.relation, facts.sex) == ("本人", "female")


@pytest.mark.parametrize("words", ["我不知道", "我给她量了血压150/90", "我自己也咳嗽", "我妈说她没吃饭"])
async def test_what_a_grandchild_says_of_themselves_leaves_the_grandmother_the_patient(
    consenting: Conversation, words: str
) -> None:
    await consenting.say("我奶奶不得劲，吃不下饭，肚子胀，腿肿，都半个月了")
    await consenting.say(words)
    facts = intake_of(consenting).facts
    assert (facts.relation, facts.sex) == ("祖辈", "female")


async def test_who_turns_out_to_be_somebody_else_is_asked_for_their_own_age_and_name(consenting: Conversation) -> None:
    await consenting.say("我58岁男，头晕三天")
    assert "病人是您母亲" in await consenting.say("说错了，是我妈")
    intake = intake_of(consenting)
    assert (intake.facts.relation, intake.facts.age_months, intake.facts.sex, intake.name) == (
        "母亲",
        None,
        "female",
        "",
    )
    assert "头晕" in intake.facts.present


async def test_an_opening_that_tells_nothing_has_not_said_who_is_ill(consenting: Conversation) -> None:
    await consenting.say("我想问个事")
    await consenting.say("我妈头晕两天了")
    assert intake_of(consenting).facts.relation == "母亲"


async def test_the_familys_illness_is_not_the_writers(consenting: Conversation) -> None:
    await consenting.say("我头晕三天")
    assert "记下了：母亲高血压" in await consenting.say("我妈有高血压")
    assert intake_of(consenting).facts.diseases == ()


async def test_traditional_characters_are_read(consenting: Conversation) -> None:
    await consenting.say("我發燒三天了，頭痛，喉嚨痛")
    assert {"发烧", "头痛", "咽痛"} <= set(intake_of(consenting).facts.present)


@pytest.mark.parametrize("words", ["怎么办啊我好怕", "严重吗", "会不会死啊"])
async def test_who_is_frightened_is_comforted_and_asked_on(consenting: Conversation, words: str) -> None:
    await consenting.say("我咳嗽三天了")
    before = waiting(consenting)
    assert "别着急" in await consenting.say(words)
    assert waiting(consenting) == before


async def test_who_leaves_in_the_middle_and_comes_back_goes_on_where_they_were(consenting: Conversation) -> None:
    await consenting.say("我肚子疼半天")
    question = intake_of(consenting).question
    assert question is not None
    await consenting._do(Kind.UNFOLLOW)
    assert consenting.replies == []
    said = await consenting.follow()
    assert "欢迎您回来" in said
    assert question.text in said


@pytest.mark.parametrize("words", ["你多大了", "你是谁", "我是谁啊", "叫什么好呢？"])
async def test_a_question_is_no_name(consenting: Conversation, words: str) -> None:
    await consenting.say("我咳嗽三天了")
    for _ in range(12):
        if waiting(consenting) == "patient.name":
            break
        await consenting.say("不知道")
    await consenting.say(words)
    assert waiting(consenting) == "patient.name"


async def test_ten_pictures_are_nine_and_a_word(consenting: Conversation) -> None:
    await consenting.say("我手上起疹子三天了")
    for _ in range(9):
        await consenting.send_image()
    assert "已经够了" in await consenting.send_image()
    assert len(intake_of(consenting).pictures) == 9


async def test_after_a_refusal_danger_is_answered_and_nothing_is_kept(patient: Conversation) -> None:
    await patient.tap("不同意")
    for words in ("胸口疼，出冷汗", "我妈嘴歪了说话不清楚", "救命"):
        assert "120" in await patient.say(words)
        assert patient.state.data == {}


async def test_starting_again_from_the_summary_begins_anew(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    for _ in range(12):
        if consenting.state.flow == "review":
            break
        await consenting.say("不知道")
    await consenting.say("重新开始")
    assert intake_of(consenting).facts.present == ()
    assert "已经是第一步" in await consenting.say("返回")


async def test_a_pasted_novel_is_read_and_kept(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了，" + "说来话长，" * 990)
    assert "咳嗽" in intake_of(consenting).facts.present
    assert len(intake_of(consenting).words[0]) <= 5000


async def test_a_mother_answers_the_danger_question_in_her_own_words(consenting: Conversation) -> None:
    await consenting.say("宝宝咳嗽，8个月大")
    assert "喘得急不急" in consenting.text
    assert "急诊" in await consenting.say("喘得有点急")
    assert [flag.code for flag in intake_of(consenting).flags] == ["CHILD_BREATHING"]


@pytest.mark.parametrize("words", ["打了", "已经打了120", "刚打过", "叫了救护车"])
async def test_who_says_that_they_have_called_is_heard(consenting: Conversation, words: str) -> None:
    await consenting.say("胸口疼，出冷汗")
    assert "等救护车来" in await consenting.say(words)
