"""“我的血压”: a picture and the last values, of oneself and of nobody else."""

import io
from datetime import timedelta

from PIL import Image

from bot.messages import Menu, Picture
from tests.bot.flows.test_measuring import at_home
from tests.support.conversation import Conversation


async def picture_of(chat: Conversation) -> Image.Image:
    """Give the picture that the last answer sent."""
    [sent] = [reply for reply in chat.replies if isinstance(reply, Picture)]
    data, media_type = await chat.house.services.files.get(sent.file_id)
    assert media_type == "image/png"
    return Image.open(io.BytesIO(data))


async def test_a_trend_is_a_picture_and_the_last_values(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    for upper, lower in ((150, 95), (142, 90), (138, 86)):
        chat.house.clock.advance(timedelta(days=3))
        await chat.say(f"血压{upper}/{lower}")
    said = await chat.say("我的血压")
    assert "138/86mmHg" in said
    assert said.index("138/86") < said.index("150/95")
    picture = await picture_of(chat)
    assert picture.size == (1080, 840)
    colours = picture.convert("RGB").getcolors(1_000_000)
    assert colours is not None
    seen = {colour for _, colour in colours}
    assert {(0xB4, 0x23, 0x18), (0x17, 0x5C, 0xD3)} <= seen  # both lines are there


async def test_one_value_makes_no_picture(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    await chat.say("空腹血糖6.5")
    said = await chat.tap("看变化")
    assert "空腹6.5mmol/L" in said
    assert "再多记几次" in said
    assert not any(isinstance(reply, Picture) for reply in chat.replies)


async def test_who_has_measured_nothing_is_told_how(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    assert "血压150/95" in await chat.say("看看我的血压")
    assert "体重62公斤" in await chat.say("我的体重变化")


async def test_a_relatives_trend_is_theirs(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    await chat.say("我妈血压165/100")
    await chat.tap("记到妈妈名下")
    assert "妈妈的血压" in await chat.say("我妈的血压")
    assert "看谁的" in await chat.say("血压记录")
    assert "还没有记过" in await chat.tap("我自己")
    assert "还没有记过" in await chat.say("爸爸的血压")


async def test_a_trend_in_the_middle_of_an_intake_leaves_it_running(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    assert "还没有记过" in await consenting.say("我的血糖")
    assert consenting.state.flow == "intake"
    assert isinstance(consenting.replies[-1], Menu) or consenting.text
