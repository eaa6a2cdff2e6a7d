"""A photographed slip in chat: “这是化验单”, a look over, corrections in a word, and a yes."""

import pytest

from backend.security.policy import Role
from bot.messages import Menu
from bot.notifications import register
from tests.backend.records.test_slips import Eye
from tests.bot.flows.conftest import NewPatient
from tests.bot.flows.test_measuring import at_home, kept
from tests.support.cases import open_case
from tests.support.conversation import Conversation, words_of
from tests.support.house import House
from tests.support.slips import CHEMISTRY_SLIP, LETTER, Paper


@pytest.fixture
def eye(house: House) -> Eye:
    """Reads instead of the process, which has tests of its own."""
    made = Eye()
    house.services.slips.read_with(made)
    return made


async def looked_over(chat: Conversation) -> str:
    """Let what waits be read, and give what is said of it."""
    before = len(chat.house.outbox.by_person[chat.person_id])
    while await chat.house.services.slips.read_next():
        pass
    await chat.house.settle()
    arrived = chat.house.outbox.by_person[chat.person_id][before:]
    chat.menus += [message for message in arrived if isinstance(message, Menu)]
    return "\n".join(words_of(message) for message in arrived)


async def sent(chat: Conversation, eye: Eye, paper: Paper | None = None) -> str:
    """Send a photograph and say that it is a slip."""
    eye.paper = paper or eye.paper
    await at_home(chat)
    await chat.send_image()
    assert "正在看" in await chat.say("这是化验单")
    return await looked_over(chat)


@pytest.fixture(autouse=True)
def _notified(house: House) -> None:
    register(house.events, house.services)


async def test_a_slip_is_shown_and_kept_after_a_yes(consenting: Conversation, eye: Eye) -> None:
    said = await sent(consenting, eye)
    assert "1. 白细胞 11.20 10^9/L ↑偏高" in said
    assert "3. 血红蛋白 108 g/L ↓偏低" in said
    assert "4. 血小板 256 10^9/L\n" in said
    assert "11月20日" in said
    assert await kept(consenting) == []
    assert "记下了6项" in await consenting.tap("都对，记下")
    assert "haemoglobin 108g/L" in await kept(consenting)
    assert "已经处理过了" in await consenting.tap("都对，记下")


async def test_rows_are_corrected_and_left_out_in_a_word(consenting: Conversation, eye: Eye) -> None:
    await sent(consenting, eye)
    assert "3. 血红蛋白 118 g/L\n" in await consenting.say("第3项是118")
    assert "1. 白细胞 11.20 10^9/L（不记）" in await consenting.say("第一项不要")
    assert "不太可能" in await consenting.say("第2项应该是435")
    assert "没有第20项" in await consenting.say("第20项是5")
    assert "记下了5项" in await consenting.tap("都对，记下")
    seen = await kept(consenting)
    assert "haemoglobin 118g/L" in seen
    assert not any(one.startswith("wbc") for one in seen)


async def test_a_slip_that_is_not_wanted_is_forgotten(consenting: Conversation, eye: Eye) -> None:
    await sent(consenting, eye)
    assert "没有记" in await consenting.tap("不记")
    assert await kept(consenting) == []


async def test_a_photograph_that_is_none_gets_advice(consenting: Conversation, eye: Eye) -> None:
    said = await sent(consenting, eye, LETTER)
    assert "没有读到" in said
    assert "空腹血糖6.5" in said


async def test_the_slip_of_somebody_else_is_asked_about(consenting: Conversation, eye: Eye) -> None:
    actor = await consenting.house.actor(consenting.person_id)
    await consenting.house.services.people.update_person(actor, consenting.person_id, name="张小明")
    said = await sent(consenting, eye)
    assert "“张秀英”" in said
    assert "不一样" in said


async def test_a_relatives_slip_is_kept_for_them(consenting: Conversation, eye: Eye) -> None:
    people = consenting.house.services.people
    mother = await people.add_relative(
        await consenting.house.actor(consenting.person_id), relation="mother", name="张秀英", sex="female"
    )
    await sent(consenting, eye)
    assert "是谁的" in await consenting.tap("都对，记下")
    assert "张秀英" in await consenting.tap("张秀英")
    assert await kept(consenting) == []
    assert len(await kept(consenting, mother)) == 6


async def test_a_slip_attached_to_a_case_is_offered_by_itself(consenting: Conversation, eye: Eye) -> None:
    chat = await at_home(consenting)
    await open_case(chat.house, chat.person_id)
    await chat.send_image()
    assert "我读到的是" in await looked_over(chat)
    eye.paper = LETTER
    await chat.send_image()
    assert await looked_over(chat) == ""


async def test_words_alone_ask_for_the_photograph(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    assert "拍成照片" in await chat.say("我的化验单")


async def test_a_number_of_something_else_is_left_to_others(consenting: Conversation, eye: Eye) -> None:
    chat = await at_home(consenting)
    assert "项" not in await chat.say("第3项是5.2")
    await sent(chat, eye, CHEMISTRY_SLIP)
    assert "我读到的是" not in await chat.say("我第二天咳嗽更厉害")


async def test_what_cannot_wait_on_a_slip_is_said_first(consenting: Conversation, eye: Eye) -> None:
    await sent(consenting, eye)
    await consenting.say("第3项是52")
    said = await consenting.tap("都对，记下")
    assert "今天就去医院" in said
    assert said.index("今天就去医院") < said.index("记下了")


async def test_a_doctor_without_a_case_in_focus_is_told_where_it_belongs(
    new_patient: NewPatient, house: House, eye: Eye
) -> None:
    chat = await new_patient()
    doctor = await house.hire("村医丁", Role.GRASSROOTS_DOCTOR, "青山镇卫生院", "general_practice")
    chat.person_id = doctor.person_id
    await chat.send_image()
    assert "先打开那位患者的会诊" in await chat.say("这是化验单")
