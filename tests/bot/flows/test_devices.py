"""A patient pairs, sees and takes away devices at home by chatting."""

import pytest_asyncio

from backend.records.monitoring.readings import Kind
from bot.messages import Link
from tests.bot.flows.conftest import NewPatient
from tests.support import cases
from tests.support.conversation import Conversation
from tests.support.house import House
from tests.support.monitoring import paired, pressure, single


@pytest_asyncio.fixture
async def treated(consenting: Conversation, house: House) -> Conversation:
    """A patient who has agreed and has a doctor."""
    await cases.open_case(house, consenting.person_id)
    return consenting


def card(chat: Conversation) -> Link:
    [found] = [reply for reply in chat.replies if isinstance(reply, Link)]
    return found


async def test_a_device_is_paired_by_a_card_that_opens_its_page(treated: Conversation, house: House) -> None:
    await treated.say("绑定血压计")
    shown = card(treated)
    assert shown.title == "绑定血压计"
    code = shown.url.removeprefix("http://house.test/h5/devices/")
    assert (await house.services.monitoring.waiting_device(code)).kind is Kind.BLOOD_PRESSURE


async def test_without_a_name_of_a_device_it_is_asked_which(treated: Conversation) -> None:
    await treated.say("绑定设备")
    assert treated.choices == ["血压计", "心率手环", "血氧仪", "血糖仪", "体温计"]
    await treated.tap("血糖仪")
    assert card(treated).title == "绑定血糖仪"


async def test_a_patient_without_a_doctor_hears_what_to_do_first(consenting: Conversation) -> None:
    assert "请先问诊一次，或者去卫生院请医生帮您绑定" in await consenting.say("绑定血压计")


async def test_devices_are_listed_and_taken_away(treated: Conversation, house: House) -> None:
    assert "还没有绑定设备" in await treated.say("我的设备")
    actor = await house.actor(treated.person_id)
    device = await paired(house.services.monitoring, actor, actor.person_id)
    assert "· 血压计　最近传来：今天" in await treated.say("我的设备")
    assert "还没有传来数据" in await treated.tap("看最近读数")
    now = house.clock.now()
    await house.services.monitoring.take(
        device, [pressure(128, 79, now), single(Kind.GLUCOSE, 6.5, now, timing="fasting")]
    )
    shown = await treated.tap("看最近读数")
    assert "血压128/79mmHg" in shown
    assert "空腹血糖6.5mmol/L" in shown
    assert "确定吗" in await treated.tap("解绑血压计")
    await treated.tap("不解绑")
    await treated.tap("解绑血压计")
    assert "已经解绑了" in await treated.tap("确定解绑")
    assert "还没有绑定设备" in await treated.tap("我的设备")


async def test_somebody_who_speaks_for_others_says_whose_it_is(treated: Conversation, house: House) -> None:
    actor = await house.actor(treated.person_id)
    await house.services.people.add_relative(actor, relation="mother", name="王秀英")
    await treated.say("绑定血氧仪")
    assert treated.choices == ["我自己", "王秀英"]
    assert "请先问诊一次" in await treated.tap("王秀英")
    await treated.tap("我自己")
    assert card(treated).title == "绑定血氧仪"


async def test_nothing_goes_without_consent(new_patient: NewPatient) -> None:
    chat = await new_patient()
    await chat.follow()
    for words in ("我的设备", "绑定血压计"):
        assert "隐私与知情同意书" in await chat.say(words)


async def test_nobody_takes_away_the_device_of_somebody_else(
    treated: Conversation, new_patient: NewPatient, house: House
) -> None:
    actor = await house.actor(treated.person_id)
    device = await paired(house.services.monitoring, actor, actor.person_id)
    other = await new_patient()
    await other.follow()
    await other.tap("同意")
    assert "没有权限" in await other.click(f"device.remove:{device.person_id}:sure")
    assert len(await house.services.monitoring.devices(actor, actor.person_id)) == 1


async def test_a_sentence_about_a_cuff_is_no_command(treated: Conversation) -> None:
    answer = await treated.say("血压计坏了，头晕两天了")
    assert "绑定" not in answer
