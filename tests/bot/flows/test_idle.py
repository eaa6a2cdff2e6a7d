"""What a patient hears while nothing is running."""

import pytest
import pytest_asyncio

from tests.bot.flows.test_intake import EXAMPLE, intake_of
from tests.support.cases import open_case
from tests.support.conversation import Conversation


@pytest_asyncio.fixture
async def idle(consenting: Conversation) -> Conversation:
    """A consenting patient with nothing running."""
    await consenting.click("patient.drop")
    return consenting


async def test_a_symptom_begins_an_intake_with_these_words(idle: Conversation) -> None:
    await idle.say(EXAMPLE)
    assert idle.state.flow == "intake"
    assert {"咳嗽", "胸闷"} <= set(intake_of(idle).facts.present)
    assert len(idle.replies) == 1


async def test_a_picture_begins_an_intake_that_keeps_it(idle: Conversation) -> None:
    assert "照片收到了" in await idle.send_image()
    assert len(intake_of(idle).pictures) == 1


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("你好", "您好"),
        ("多少钱", "不收您的钱"),
        ("谢谢", "不客气"),
        ("我的会诊", "您还没有会诊"),
        ("我要问诊", "哪里不舒服"),
        ("今天天气不错", "哪里不舒服"),
        ("转人工", "值班的人"),
        ("要多久", "几分钟"),
    ],
)
async def test_everything_else_finds_its_way(idle: Conversation, said: str, heard: str) -> None:
    assert heard in await idle.say(said)


async def test_a_sticker_and_a_silent_voice_get_a_polite_answer(idle: Conversation) -> None:
    assert "看不了" in await idle.send_sticker()
    assert "没听清" in await idle.speak("")


async def test_an_answer_from_long_ago_does_nothing(idle: Conversation) -> None:
    old = next(menu for menu in idle.menus if menu.choices)
    await idle.say("我咳嗽三天了")
    answers = idle.menus[-1]
    await idle.click("patient.drop")
    assert "过去了" in await idle.tap_choice(answers.choices[0])
    assert idle.state.flow == ""
    assert old is not answers


async def test_the_menus_buttons_work(idle: Conversation) -> None:
    assert "哪里不舒服" in await idle.click("patient.start")
    assert "您还没有会诊" in await idle.click("patient.mine")
    await idle.click("help.more")
    assert len(idle.choices) == 7


async def test_every_offered_thing_can_be_tapped(idle: Conversation) -> None:
    for _ in range(3):
        for menu in list(idle.menus):
            for choice in menu.choices:
                assert await idle.tap_choice(choice), choice.text


async def test_a_picture_goes_to_the_case_that_is_open(idle: Conversation) -> None:
    case = await open_case(idle.house, idle.person_id)
    assert "医生看得到" in await idle.send_image()
    actor = await idle.house.actor(idle.person_id)
    assert len(await idle.house.services.consultations.attachments(actor, case)) == 1
    assert idle.state.flow == ""


async def test_another_illness_beside_an_open_case_is_said_to_be_a_new_one(idle: Conversation) -> None:
    await open_case(idle.house, idle.person_id)
    await idle.say("我头晕")
    assert "按新的一次来记" in await idle.tap("新的不舒服")
    assert intake_of(idle).facts.present == ("头晕",)
