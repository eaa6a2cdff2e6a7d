"""Somebody whose case is open: idle words, news of the illness, and the words of buttons."""

import pytest
import pytest_asyncio

from tests.bot.flows.test_intake import intake_of
from tests.support.cases import assign, begin, open_case, staff
from tests.support.conversation import Conversation


@pytest_asyncio.fixture
async def waiting_one(consenting: Conversation) -> Conversation:
    """A patient with nothing running and one open case."""
    await consenting.click("patient.drop")
    await open_case(consenting.house, consenting.person_id)
    return consenting


async def _history(chat: Conversation) -> list[str]:
    consultations = chat.house.services.consultations
    doctor = await staff(chat.house, "村医甲")
    cases = await consultations.list_for(await chat.house.actor(chat.person_id))
    return [str((await consultations.get(doctor, case.id)).record["present_illness"]) for case in cases]


@pytest.mark.parametrize(
    "words",
    [
        *(
            "医生什么时候来",
            "好了没有",
            "到我了吗",
            "查一下进度",
            "怎么还没人",
            "有消息吗",
            "医生看了没",
            "结果出来了吗",
        ),
        *("今天天气不错", "哈哈", "还要等多久", "等了半天了", "等了三天了怎么还没人"),
    ],
)
async def test_idle_words_are_answered_with_how_far_the_case_is(waiting_one: Conversation, words: str) -> None:
    said = await waiting_one.say(words)
    assert "青山镇卫生院" in said
    assert "哪里不舒服" not in said
    assert "看这次会诊" in waiting_one.choices


async def test_the_progress_follows_the_case(waiting_one: Conversation) -> None:
    house = waiting_one.house
    [case] = await house.services.consultations.list_for(await house.actor(waiting_one.person_id))
    assert "等他打开看" in await waiting_one.say("好了没有")
    await house.services.consultations.acknowledge_task(await staff(house, "村医甲"), case.id)
    assert "正在看" in await waiting_one.say("好了没有")
    await assign(house, case.id)
    assert "选个方便的时间" in await waiting_one.say("好了没有")
    assert "选时间" in waiting_one.choices


async def test_without_a_case_the_same_words_are_about_the_service(consenting: Conversation) -> None:
    assert "几分钟" in await consenting.say("医生什么时候来")


async def test_in_the_middle_of_an_intake_the_question_follows(waiting_one: Conversation) -> None:
    await waiting_one.tap_choice(waiting_one.menus[0].choices[0])
    await waiting_one.click("patient.start")
    await waiting_one.say("我咳嗽三天了")
    question = intake_of(waiting_one).question
    assert question is not None
    said = await waiting_one.say("医生什么时候来")
    assert "青山镇卫生院" in said
    assert question.text in said


@pytest.mark.parametrize("answer", ["这次的情况有变化", "是这次的", "加重了"])
async def test_news_of_the_illness_goes_to_the_doctor_of_the_case(waiting_one: Conversation, answer: str) -> None:
    said = await waiting_one.say("今天又吐了两次")
    assert said == "您说的是这次的情况有变化，还是新的不舒服？"
    await (waiting_one.tap(answer) if answer in waiting_one.choices else waiting_one.say(answer))
    assert "村医甲医生" in waiting_one.text
    [history] = await _history(waiting_one)
    assert history.endswith("：今天又吐了两次")
    assert waiting_one.state.flow == ""


@pytest.mark.parametrize("answer", ["新的不舒服", "是新的", "不是"])
async def test_another_illness_begins_an_intake_with_these_words(waiting_one: Conversation, answer: str) -> None:
    await waiting_one.say("我头晕")
    await (waiting_one.tap(answer) if answer in waiting_one.choices else waiting_one.say(answer))
    assert intake_of(waiting_one).facts.present == ("头晕",)
    assert "按新的一次来记" in waiting_one.text


async def test_what_is_told_before_the_answer_is_kept_too(waiting_one: Conversation) -> None:
    await waiting_one.say("今天又吐了两次")
    await waiting_one.say("还发烧39度")
    assert "不收您的钱" in await waiting_one.say("多少钱")
    assert "照片收到了" in await waiting_one.send_image()
    await waiting_one.tap("这次的情况有变化")
    [history] = await _history(waiting_one)
    assert "又吐了两次。还发烧39度" in history


async def test_a_second_tap_adds_nothing(waiting_one: Conversation) -> None:
    await waiting_one.say("今天又吐了两次")
    await waiting_one.tap("这次的情况有变化")
    assert "记过了" in await waiting_one.tap("这次的情况有变化")
    [history] = await _history(waiting_one)
    assert history.count("又吐了") == 1


async def test_of_two_open_cases_the_patient_says_which(waiting_one: Conversation) -> None:
    await open_case(waiting_one.house, waiting_one.person_id)
    await waiting_one.say("今天又吐了两次")
    assert len([choice for choice in waiting_one.choices if choice.endswith("那次的变化")]) == 2
    await waiting_one.tap_choice(waiting_one.menus[-1].choices[1])
    newer, older = await _history(waiting_one)
    assert "又吐了" in older
    assert "又吐了" not in newer


async def test_when_the_consultation_begins_meanwhile_everything_goes_to_those_who_talk(
    waiting_one: Conversation,
) -> None:
    house = waiting_one.house
    actor = await house.actor(waiting_one.person_id)
    [case] = await house.services.consultations.list_for(actor)
    await waiting_one.say("我头晕")
    await assign(house, case.id)
    await begin(house, case.id)
    await waiting_one.say("还恶心")
    assert [one.text for one in await house.services.consultations.messages(actor, case.id)] == ["我头晕", "还恶心"]
    assert waiting_one.state.flow == ""


async def test_danger_is_told_at_once_even_while_it_is_asked_what_the_words_belong_to(
    waiting_one: Conversation,
) -> None:
    await waiting_one.say("我头晕")
    assert "120" in await waiting_one.say("胸口疼，出冷汗")


BUTTONS = [("我要问诊", "哪里不舒服"), ("我的会诊", "您的会诊都在这里"), ("更多", "想了解什么"), ("帮助", "想了解什么")]


@pytest.mark.parametrize(("words", "heard"), BUTTONS)
async def test_the_words_of_buttons_can_be_typed(waiting_one: Conversation, words: str, heard: str) -> None:
    assert heard in await waiting_one.say(words)


@pytest.mark.parametrize(("words", "heard"), [("我的会诊", "会诊"), ("更多", "想了解什么"), ("我要问诊", "接着说")])
async def test_they_work_in_the_middle_of_an_intake_and_lose_nothing(
    consenting: Conversation, words: str, heard: str
) -> None:
    await consenting.say("我咳嗽三天了")
    before = intake_of(consenting)
    assert heard in await consenting.say(words)
    assert intake_of(consenting).facts == before.facts
    assert intake_of(consenting).question == before.question


@pytest.mark.parametrize(("words", "heard"), [("安全吗", "加密"), ("多少钱", "不收"), ("你是机器人吗", "自动的小助手")])
async def test_a_question_about_the_service_is_answered_before_the_consent(
    patient: Conversation, words: str, heard: str
) -> None:
    said = await patient.say(words)
    assert heard in said
    assert "您同意吗" in said
