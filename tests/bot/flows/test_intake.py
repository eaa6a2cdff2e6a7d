"""Whole pre-consultations, told as stories."""

from datetime import timedelta

import pytest

from bot.flows.intake_questions import WHO_IS
from bot.flows.intake_state import Intake
from nlu.conclusions import OutpatientRecord
from nlu.types import Speaker, Utterance
from tests.support.conversation import Conversation

EXAMPLE = "我最近总是咳嗽，还发烧，体温38.5度，感觉胸口有点闷"


def intake_of(chat: Conversation) -> Intake:
    held = chat.state.data.get("intake")
    assert held is not None, f"no intake is held; flow {chat.state.flow!r}; last words: {chat.text}"
    return Intake.from_json(held)


def waiting(chat: Conversation) -> str:
    """The id of the question that waits."""
    question = intake_of(chat).question
    return question.id if question else ""


async def to_the_review(chat: Conversation) -> None:
    """Answer whatever is asked until the record is shown."""
    for _ in range(20):
        if chat.state.flow != "intake":
            break
        if waiting(chat) == "patient.who":
            await chat.tap("我自己")
        elif waiting(chat) == "patient.name":
            await chat.say("王秀英")
        else:
            await chat.say("不知道")
    assert chat.state.flow == "review", chat.text


async def test_the_example_becomes_symptoms_with_a_temperature(consenting: Conversation) -> None:
    answer = await consenting.say(EXAMPLE)
    facts = intake_of(consenting).facts
    assert {"咳嗽", "发烧", "胸闷"} <= set(facts.present)
    assert facts.temperature == 38.5
    assert "记下了" in answer
    assert "38.5度" in answer


async def test_one_question_at_a_time_until_the_record(consenting: Conversation) -> None:
    await consenting.say(EXAMPLE)
    seen = []
    while consenting.state.flow == "intake":
        assert len(consenting.replies) == 1
        seen.append(waiting(consenting))
        await consenting.say("王秀英" if seen[-1] == "patient.name" else "不知道")
    assert len(seen) == len(set(seen)) <= 11, seen
    assert consenting.state.flow == "review"
    assert "我记得对不对" in consenting.text


async def test_the_record_has_the_sections_of_an_outpatient_record(consenting: Conversation) -> None:
    await consenting.say(EXAMPLE)
    await to_the_review(consenting)
    for title in ("主诉：", "现病史：", "既往史：", "过敏史：", "用药："):
        assert title in consenting.text
    assert "咳嗽" in consenting.text
    assert "38.5℃" in consenting.text


async def test_a_denied_symptom_is_no_symptom(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了，没有发烧")
    facts = intake_of(consenting).facts
    assert facts.present == ("咳嗽",)
    assert "发烧" in facts.absent
    assert "没有发烧" in consenting.text


async def test_a_correction_replaces_the_value_and_says_so(consenting: Conversation) -> None:
    await consenting.say("我发烧，体温38度")
    question = waiting(consenting)
    assert "改过来了" in await consenting.say("不是38度，是39度")
    assert "39度" in consenting.text
    assert intake_of(consenting).facts.temperature == 39.0
    assert question in intake_of(consenting).asked


@pytest.mark.parametrize(
    ("question", "answer"),
    [("多少钱？", "不收您的钱"), ("怎么用", "很简单"), ("医保能报销吗", "医保卡"), ("安全吗", "加密")],
)
async def test_a_question_beside_the_way_is_answered_and_the_question_asked_again(
    consenting: Conversation, question: str, answer: str
) -> None:
    await consenting.say(EXAMPLE)
    before = intake_of(consenting)
    assert before.question is not None
    said = await consenting.say(question)
    assert answer in said
    assert before.question.text in said
    assert intake_of(consenting).facts == before.facts


async def test_why_is_answered_with_the_reason_of_the_question(consenting: Conversation) -> None:
    await consenting.say(EXAMPLE)
    question = intake_of(consenting).question
    assert question is not None
    said = await consenting.say("为什么要问这个？")
    assert question.why in said
    assert question.text in said


async def test_not_knowing_is_an_answer(consenting: Conversation) -> None:
    await consenting.say(EXAMPLE)
    first = waiting(consenting)
    await consenting.say("不知道")
    assert waiting(consenting) != first


async def test_going_back_takes_the_last_answer_back_and_asks_it_again(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    first, facts = waiting(consenting), intake_of(consenting).facts
    await consenting.say("还发烧39度")
    assert intake_of(consenting).facts != facts
    assert "退回一步" in await consenting.say("返回")
    assert waiting(consenting) == first
    assert intake_of(consenting).facts == facts
    assert intake_of(consenting).words == ["我咳嗽三天了"]


async def test_going_back_at_the_beginning_says_so(consenting: Conversation) -> None:
    assert "已经是第一步" in await consenting.say("返回")


async def test_starting_again_begins_anew(consenting: Conversation) -> None:
    await consenting.say(EXAMPLE)
    assert "从头来" in await consenting.say("重新开始")
    assert intake_of(consenting).facts.present == ()


async def test_asking_for_a_person_tells_the_people_on_duty_and_goes_on(consenting: Conversation) -> None:
    await consenting.say(EXAMPLE)
    assert "值班的人" in await consenting.say("转人工")
    assert consenting.house.heard("help.requested") == [{"person_id": consenting.person_id}]
    assert waiting(consenting)


async def test_after_days_the_bot_says_where_it_stood_and_asks_which_illness_it_is(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    question = intake_of(consenting).question
    assert question is not None
    consenting.house.clock.advance(timedelta(days=4))
    said = await consenting.say("还有点头晕")
    assert "4天前，您说到：咳嗽" in said
    assert "头晕" not in intake_of(consenting).facts.present
    await consenting.tap("接着说")
    assert intake_of(consenting).facts.present == ("咳嗽", "头晕")


async def test_after_days_another_illness_is_kept_apart(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    consenting.house.clock.advance(timedelta(days=4))
    await consenting.say("我头晕")
    await consenting.tap("新的不舒服")
    assert intake_of(consenting).facts.present == ("头晕",)


async def test_the_child_is_the_patient_and_the_mother_speaks(consenting: Conversation) -> None:
    await consenting.say("我家孩子发烧，5岁了")
    await to_the_review(consenting)
    assert "5岁" in consenting.text
    assert "家属代述" in consenting.text


async def test_who_it_is_for_is_asked_when_nobody_said(consenting: Conversation) -> None:
    await consenting.say("咳嗽三天了")
    assert "是谁不舒服" in consenting.text
    await consenting.tap("我母亲")
    assert "您母亲" in consenting.text or waiting(consenting)
    assert intake_of(consenting).facts.sex == "female"


@pytest.mark.parametrize("answer", list(WHO_IS))
@pytest.mark.parametrize("typed", [True, False])
async def test_every_answer_to_who_it_is_for_is_taken(consenting: Conversation, answer: str, typed: bool) -> None:
    await consenting.say("咳嗽三天了")
    await (consenting.say(answer) if typed else consenting.tap(answer))
    assert consenting.state.flow == "intake"
    assert intake_of(consenting).facts.relation is WHO_IS[answer]
    assert waiting(consenting) not in ("", "patient.who")


async def test_name_and_sex_are_asked_once_in_a_life(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    await to_the_review(consenting)
    assert "王秀英" in consenting.text
    await consenting.tap("对，没问题")
    await consenting.tap("青山镇卫生院")
    assert "已经交给青山镇卫生院" in consenting.text
    await consenting.say("我头晕")
    await consenting.tap("新的不舒服")
    asked = []
    while consenting.state.flow == "intake":
        asked.append(waiting(consenting))
        await consenting.say("不知道")
    assert "patient.name" not in asked
    assert "王秀英" in consenting.text


async def test_pictures_are_kept_for_the_case(consenting: Conversation) -> None:
    await consenting.say("我手上起疹子三天了")
    question = intake_of(consenting).question
    assert question is not None
    said = await consenting.send_image()
    assert "照片收到了（共1张）" in said
    assert question.text in said
    await to_the_review(consenting)
    await consenting.tap("对，没问题")
    await consenting.tap("青山镇")
    actor = await consenting.house.actor(consenting.person_id)
    [case] = await consenting.house.services.consultations.list_for(actor)
    assert len(await consenting.house.services.consultations.attachments(actor, case.id)) == 1


async def test_an_unintelligible_voice_is_asked_for_again(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    before = waiting(consenting)
    assert "没听清" in await consenting.speak("")
    assert waiting(consenting) == before


async def test_a_voice_message_counts_as_its_words(consenting: Conversation) -> None:
    await consenting.speak("我咳嗽三天了。")
    assert intake_of(consenting).facts.present == ("咳嗽",)


async def test_a_sticker_gets_a_polite_answer_and_changes_nothing(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    before = intake_of(consenting)
    assert "看不了" in await consenting.send_sticker()
    assert intake_of(consenting).facts == before.facts
    assert intake_of(consenting).question == before.question


@pytest.mark.parametrize(
    "strange", ["😀😀😀", "\x00\x01\x07", "]]>", "<script>alert(1)</script>", "嗯" * 5000, "咳嗽。" * 1600]
)
async def test_strange_texts_are_survived(consenting: Conversation, strange: str) -> None:
    await consenting.say(strange)
    assert consenting.text
    await consenting.say("我咳嗽三天了")
    assert "咳嗽" in intake_of(consenting).facts.present


async def test_words_that_are_not_understood_reach_the_doctor(consenting: Conversation) -> None:
    await consenting.say("就是那个老地方不得劲儿")
    await consenting.say("就是那个老地方不得劲儿")
    await to_the_review(consenting)
    assert "就是那个老地方不得劲儿" in consenting.text


async def test_tapping_an_older_answer_corrects_it(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    old = consenting.menus[-1]
    await consenting.tap_choice(old.choices[-1])
    newer = intake_of(consenting).question
    await consenting.tap_choice(old.choices[0])
    assert intake_of(consenting).question == newer, "the question that waits is asked again"
    assert newer is None or newer.text in consenting.text


async def test_a_question_about_my_consultations_does_not_lose_the_intake(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    before = intake_of(consenting)
    await consenting.click("patient.mine")
    assert intake_of(consenting).facts == before.facts
    await consenting.say("为什么要问这个")
    assert waiting(consenting) == (before.question.id if before.question else "")


async def test_the_start_button_does_not_throw_away_what_was_said(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    assert "您上次说到：咳嗽" in await consenting.click("patient.start")
    await consenting.tap("接着说")
    assert intake_of(consenting).facts.present == ("咳嗽",)


def test_sections_are_fields_of_the_record() -> None:
    from bot.flows.record import SECTIONS

    assert set(SECTIONS) == set(OutpatientRecord.model_fields)


NAMES = [
    *(("我叫王秀英。", "王秀英"), ("王秀英，67岁，女", "王秀英"), ("不凡", "不凡"), ("先不说", ""), ("跳过", "")),
    *((words, None) for words in ("没有", "都没有", "好的", "对", "你猜", "还没起名", "谢谢", "王" * 30, "123")),
]


@pytest.mark.parametrize(("said", "name"), NAMES)
async def test_a_name_is_a_name(consenting: Conversation, said: str, name: str | None) -> None:
    await consenting.say("我咳嗽三天了")
    for _ in range(12):
        if waiting(consenting) == "patient.name":
            break
        await consenting.say("不知道")
    await consenting.say(said)
    if name is None:
        assert waiting(consenting) == "patient.name"
    else:
        assert consenting.state.flow == "review"
        assert f"一般情况：{name or '未提供'}" in consenting.text


async def test_my_consultations_can_be_asked_for_in_the_middle(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    before = intake_of(consenting)
    assert "会诊" in await consenting.say("我的会诊")
    assert intake_of(consenting).facts == before.facts


async def _until(chat: Conversation, words: str) -> None:
    for _ in range(12):
        if words in chat.text:
            return
        await chat.say("不知道")
    raise AssertionError(f"nobody asks {words}")


async def test_age_and_sex_are_one_question(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    await _until(consenting, "多大年纪？是男是女？")
    await consenting.say("58岁，女")
    facts = intake_of(consenting).facts
    assert (facts.age_months, facts.sex) == (58 * 12, "female")
    assert consenting.choices != ["男", "女"]


async def test_who_tells_the_age_alone_is_asked_for_the_sex(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    await _until(consenting, "多大年纪？是男是女？")
    await consenting.say("58")
    assert consenting.choices == ["男", "女"]
    await consenting.tap("女")
    facts = intake_of(consenting).facts
    assert (facts.age_months, facts.sex) == (58 * 12, "female")


async def test_without_a_name_it_goes_on_after_asking_twice(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    await _until(consenting, "叫什么名字")
    await consenting.say("没有")
    await consenting.say("都没有")
    assert consenting.state.flow == "review"
    assert "没有" not in consenting.text.split("既往史")[0]


async def test_an_answer_to_something_else_is_kept_and_the_question_put_again(consenting: Conversation) -> None:
    await consenting.say("我爸头晕")
    first = waiting(consenting)
    await consenting.say("两天了")
    assert waiting(consenting) == first
    assert intake_of(consenting).facts.duration is not None
    await consenting.say("他爱喝酒，吃降压药")
    await consenting.say("他58岁")
    assert waiting(consenting) != first, "nobody is asked the same thing for ever"


async def test_a_childs_age_is_asked_first_because_danger_depends_on_it(consenting: Conversation) -> None:
    await consenting.say("宝宝发烧38.5度")
    assert "多大了" in consenting.text
    await consenting.say("两个月")
    assert intake_of(consenting).facts.age_months == 2
    assert "医院" in consenting.text


async def test_an_old_menus_words_are_no_tap_once_another_question_stands(
    consenting: Conversation,
) -> None:
    await consenting.say("我咳嗽三天了")
    for _ in range(12):
        if "多大年纪" in consenting.text:
            break
        await consenting.say("没有")
    facts = intake_of(consenting).facts
    await consenting.say("没有")
    assert intake_of(consenting).facts == facts


@pytest.mark.parametrize("question", ["你是机器人吗", "多久能看上医生", "什么时候有人回我"])
async def test_more_questions_beside_the_way(consenting: Conversation, question: str) -> None:
    await consenting.say("我咳嗽三天了")
    before = waiting(consenting)
    said = await consenting.say(question)
    assert "没太听明白" not in said
    assert waiting(consenting) == before


async def test_words_are_understood_after_the_question_and_what_was_said_before_it(consenting: Conversation) -> None:
    await consenting.say(EXAMPLE)
    intake = intake_of(consenting)
    assert intake.question is not None
    assert intake.context.before == (
        Utterance(speaker=Speaker.PATIENT, text=EXAMPLE),
        Utterance(speaker=Speaker.DOCTOR, text=intake.question.text),
    )


async def test_where_no_question_waits_the_patients_last_words_came_before(consenting: Conversation) -> None:
    await consenting.say(EXAMPLE)
    intake = intake_of(consenting)
    intake.withdraw_question()
    assert intake.context.before == (Utterance(speaker=Speaker.PATIENT, text=EXAMPLE),)
