"""Danger signs interrupt everything."""

from datetime import timedelta

import pytest

from backend.consultation.rules import Urgency
from backend.security.policy import Role
from bot.dialogue import Turn
from bot.flows.safety import REPEAT_AFTER
from tests.bot.flows.conftest import NewPatient
from tests.bot.flows.test_intake import EXAMPLE, intake_of, to_the_review
from tests.support.cases import assign, begin, open_case
from tests.support.conversation import Conversation

HEART = "胸口疼得厉害，还出冷汗"
STROKE = "他嘴歪了，说话不清楚，一边手脚没力气"


async def _open_case(chat: Conversation) -> str:
    await chat.say("我咳嗽三天了")
    await to_the_review(chat)
    await chat.tap("对，没问题")
    await chat.tap("青山镇卫生院")
    [case] = await chat.house.services.consultations.list_for(await chat.house.actor(chat.person_id))
    return case.id


async def _urgency(chat: Conversation, case_id: str) -> Urgency:
    case = await chat.house.services.consultations.get(await chat.house.actor(chat.person_id), case_id)
    return case.urgency


async def test_the_first_words_may_be_the_danger(consenting: Conversation) -> None:
    assert "120" in await consenting.say(HEART)
    assert consenting.choices == ["已打120", "继续问诊"]
    assert intake_of(consenting).is_critical


async def test_a_voice_message_is_watched_too(consenting: Conversation) -> None:
    assert "120" in await consenting.speak(HEART)


async def test_advice_comes_before_any_consent_and_nothing_is_kept(patient: Conversation) -> None:
    assert "120" in await patient.say(HEART)
    assert patient.state.data == {}


@pytest.mark.parametrize("step", ["opening", "question", "who", "name", "review", "edit", "place", "words"])
async def test_danger_is_heard_at_every_step(consenting: Conversation, step: str) -> None:
    if step in ("question", "review", "edit", "place"):
        await consenting.say("我咳嗽三天了")
    if step == "who":
        await consenting.say("咳嗽三天了")
    if step == "name":
        await consenting.say("我咳嗽三天了")
        for _ in range(12):
            if "叫什么名字" in consenting.text:
                break
            await consenting.say("不知道")
    if step in ("review", "edit", "place"):
        await to_the_review(consenting)
    if step == "edit":
        await consenting.tap("要修改")
        await consenting.tap("改现病史")
    if step == "place":
        await consenting.tap("对，没问题")
    if step == "words":
        case = await _open_case(consenting)
        await consenting.click(f"patient.words:patient.cancel:{case}")
    assert "120" in await consenting.say(HEART), step
    if step != "words":
        assert intake_of(consenting).is_critical
        assert "胸痛" in intake_of(consenting).facts.present


async def test_an_answer_can_complete_a_danger_sign(consenting: Conversation) -> None:
    await consenting.say("我胸口疼，有半小时了")
    assert not intake_of(consenting).is_critical
    assert "120" in await consenting.tap("出冷汗")
    assert intake_of(consenting).is_critical


async def test_a_denied_danger_is_none(consenting: Conversation) -> None:
    await consenting.say("我咳嗽，没有胸痛，也不出冷汗")
    assert "120" not in consenting.text
    assert intake_of(consenting).flags == []


async def test_going_on_asks_few_questions_and_the_case_is_critical(consenting: Conversation) -> None:
    await consenting.say(EXAMPLE)
    await consenting.say(HEART)
    await consenting.tap("继续问诊")
    questions = 0
    while consenting.state.flow == "intake":
        questions += 1
        await consenting.say("不知道")
    assert questions <= 4
    await consenting.tap("对，没问题")
    said = await consenting.tap("青山镇卫生院")
    assert "危急" in said
    assert "120" in said
    [told] = consenting.house.heard("consultation.critical")
    assert told["patient_id"] == consenting.person_id


async def test_who_has_called_120_may_still_go_on(consenting: Conversation) -> None:
    await consenting.say(HEART)
    assert "等救护车来" in await consenting.tap("已打120")
    await consenting.tap("继续问诊")
    assert consenting.choices or consenting.text


async def test_the_same_danger_is_not_preached_twice(consenting: Conversation) -> None:
    await consenting.say(HEART)
    said = await consenting.say("我胸口疼，出冷汗")
    assert "请马上拨打120" not in said
    assert "120" in await consenting.say(STROKE), "another danger is"


async def test_danger_survives_going_back(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    await consenting.say(HEART)
    await consenting.say("返回")
    assert "胸痛" not in intake_of(consenting).facts.present
    assert intake_of(consenting).is_critical, "a doctor should see that it was said"


async def test_a_case_that_is_open_becomes_critical(consenting: Conversation) -> None:
    case = await _open_case(consenting)
    assert await _urgency(consenting, case) is Urgency.ROUTINE
    said = await consenting.say(HEART)
    assert "120" in said
    assert "告诉您的医生了" in said
    assert await _urgency(consenting, case) is Urgency.CRITICAL
    assert [told["consultation_id"] for told in consenting.house.heard("consultation.critical")] == [case]


async def test_an_open_case_is_told_of_the_same_danger_once_in_a_while(consenting: Conversation) -> None:
    await _open_case(consenting)
    await consenting.say(HEART)
    assert "已经知道了" in await consenting.say(HEART)
    consenting.house.clock.advance(REPEAT_AFTER + timedelta(minutes=1))
    assert "告诉您的医生了" in await consenting.say(HEART)


async def test_a_cry_for_help_without_a_symptom_gets_the_number_at_once(consenting: Conversation) -> None:
    assert "120" in await consenting.say("救命啊")


@pytest.mark.parametrize("words", ["活着没意思，我不想活了", "活着没意思不想活了", "头疼，没盼头不想活了", "我想死"])
async def test_words_of_somebody_who_wants_to_die_are_answered_with_help(consenting: Conversation, words: str) -> None:
    said = await consenting.say(words)
    assert "12356" in said


async def test_a_young_baby_with_fever_is_sent_to_hospital_when_its_age_is_told(consenting: Conversation) -> None:
    await consenting.say("我家宝宝发烧38.5度")
    said = await consenting.say("两个月大")
    assert "医院" in said
    assert [flag.code for flag in intake_of(consenting).flags] == ["INFANT_FEVER"]


async def test_a_doctor_is_not_taken_for_a_patient(new_patient: NewPatient) -> None:
    chat = await new_patient()
    house = chat.house
    doctor = await house.hire("村医丁", Role.GRASSROOTS_DOCTOR, "黄坡镇卫生院", "general_practice")
    chat.person_id = doctor.person_id
    assert "120" not in await chat.say(HEART)


async def test_in_a_running_consultation_the_advice_comes_and_the_words_still_go_to_the_doctors(
    consenting: Conversation,
) -> None:
    house = consenting.house
    heard: list[str] = []

    async def relay(turn: Turn) -> bool:
        heard.append(turn.text)
        return True

    consenting.dialogue.intercept([relay])
    await consenting.click("patient.drop")
    case = await open_case(house, consenting.person_id)
    await assign(house, case)
    await begin(house, case)
    assert "120" in await consenting.say(HEART)
    await consenting.say(HEART)
    assert consenting.replies == [], "the doctors are reading it; the advice is not repeated"
    assert heard == [HEART, HEART]
    assert await _urgency(consenting, case) is Urgency.CRITICAL


async def test_an_old_answer_is_not_read_as_an_answer_to_the_question_that_stands(consenting: Conversation) -> None:
    await consenting.say("我胸口疼，有半小时了")
    old = next(menu for menu in reversed(consenting.menus) if "都没有" in [choice.text for choice in menu.choices])
    await consenting.tap("都没有")
    await consenting.tap_choice(next(choice for choice in old.choices if choice.text == "都没有"))
    assert intake_of(consenting).flags == []
    await consenting.tap_choice(next(choice for choice in old.choices if choice.text == "出冷汗"))
    assert intake_of(consenting).is_critical


async def test_what_was_said_in_danger_stands_in_the_record_that_the_doctors_read(consenting: Conversation) -> None:
    case_id = await _open_case(consenting)
    await consenting.say(HEART)
    case = await consenting.house.services.consultations.get(
        await consenting.house.actor(consenting.person_id), case_id
    )
    assert HEART in str(case.record["present_illness"])


async def test_who_feels_better_after_the_alarm_is_told_to_call_all_the_same(consenting: Conversation) -> None:
    await _open_case(consenting)
    await consenting.say(HEART)
    assert "还没打120的，请现在就打" in await consenting.say("没打，现在好点了")
