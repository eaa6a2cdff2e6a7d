"""Customer-service messages: kinds, windows, refusals."""

import asyncio
from typing import Any

import pytest

from sandbox.client import NoSuchMessageError, Phone
from tests.sandbox.conftest import Platform
from tests.support.sandbox import RunningSandbox


async def upload(platform: Platform, kind: str = "image", name: str = "p.png", data: bytes = b"picture") -> str:
    """The media id of a new upload."""
    import aiohttp

    form = aiohttp.FormData()
    form.add_field("media", data, filename=name)
    token = (await platform.stable_token())["access_token"]
    answer = await platform.client.call("POST", "/cgi-bin/media/upload", form, type=kind, access_token=token)
    media_id: str = answer["media_id"]
    return media_id


async def test_a_text_arrives_as_a_push(platform: Platform, phone: Phone) -> None:
    await phone.say("你好", wait_reply=True)
    assert await platform.send(phone, "text", content="<b>您好</b> ]]> 😀") == 0
    message = await phone.wait_for("您好")
    assert (message.via, message.kind, message.text) == ("push", "text", "<b>您好</b> ]]> 😀")


async def test_five_follow_a_message_within_48_hours(sandbox: RunningSandbox, platform: Platform, phone: Phone) -> None:
    assert await platform.send(phone) == 45015
    await phone.say("你好", wait_reply=True)
    assert [await platform.send(phone) for _ in range(6)] == [0] * 5 + [45047]
    await phone.say("再见", wait_reply=True)
    await sandbox.client.advance(48 * 3600)
    platform.token = ""
    assert await platform.send(phone) == 45015


@pytest.mark.parametrize("way", ["follow", "scan", "click", "tap"])
async def test_three_follow_an_action_within_a_minute(
    sandbox: RunningSandbox, platform: Platform, phone: Phone, way: str
) -> None:
    if way == "follow":
        await phone.unfollow()
        await phone.follow()
    elif way == "scan":
        await phone.scan("任意场景")
    elif way == "click":
        await platform.post("/cgi-bin/menu/create", {"button": [{"type": "click", "name": "问诊", "key": "ask"}]})
        await phone.press("ask")
    else:
        await phone.open_window("action")
        await platform.send(phone, "msgmenu", head_content="?", list=[{"id": "1", "content": "是"}])
        await sandbox.client.advance(61)
        await phone.tap("是")
    assert [await platform.send(phone) for _ in range(4)] == [0, 0, 0, 45047]
    await sandbox.client.advance(60)
    assert await platform.send(phone) == 45015


async def test_a_view_button_opens_no_window(platform: Platform, phone: Phone) -> None:
    await platform.post("/cgi-bin/menu/create", {"button": [{"type": "view", "name": "说明", "url": "http://a.cn/"}]})
    assert (await phone.press("说明"))["url"] == "http://a.cn/"
    assert await platform.send(phone) == 45015


async def test_a_passive_reply_costs_nothing(platform: Platform, phone: Phone) -> None:
    for text in "一二三":
        await phone.say(text, wait_reply=True)
    assert [await platform.send(phone) for _ in range(6)] == [0] * 5 + [45047]


async def test_a_refused_message_costs_nothing(platform: Platform, phone: Phone) -> None:
    await phone.say("你好", wait_reply=True)
    assert await platform.send(phone, "text", content="字" * 683) == 45002
    assert [await platform.send(phone) for _ in range(6)] == [0] * 5 + [45047]


async def test_a_menu_of_answers_is_shown_and_tapped_by_text_or_id(platform: Platform, phone: Phone) -> None:
    await phone.say("咳嗽", wait_reply=True)
    items = [{"id": "fever:yes", "content": "发烧"}, {"id": "fever:no", "content": "没有发烧"}]
    assert await platform.send(phone, "msgmenu", head_content="发烧吗？", list=items, tail_content="请点一下") == 0
    shown = await phone.wait_for(lambda message: message.kind == "menu")
    assert shown.raw["text"] == "发烧吗？"
    assert shown.raw["items"] == [{"id": "fever:yes", "text": "发烧"}, {"id": "fever:no", "text": "没有发烧"}]
    assert shown.raw["tail"] == "请点一下"
    turn = await phone.tap("fever:no", wait_reply=True)
    assert turn["deliveries"][0]["reply"]["text"] == "你说：没有发烧"
    with pytest.raises(NoSuchMessageError):
        await phone.tap("不存在")


async def test_a_medium_of_another_kind_is_refused(platform: Platform, phone: Phone) -> None:
    await phone.open_window()
    assert await platform.send(phone, "voice", media_id=await upload(platform)) == 40007


async def test_cards_and_media_arrive_as_their_kinds(platform: Platform, phone: Phone) -> None:
    await phone.open_window()
    media_id = await upload(platform)
    article = {"title": "标题", "description": "说明", "url": "http://a.cn/", "picurl": "http://a.cn/p.png"}
    page = {"title": "我的会诊", "appid": "wx1", "pagepath": "pages/a", "thumb_media_id": media_id}
    assert await platform.send(phone, "news", articles=[article]) == 0
    assert await platform.send(phone, "image", media_id=media_id) == 0
    assert await platform.send(phone, "voice", media_id=await upload(platform, "voice", "v.amr")) == 0
    assert await platform.send(phone, "miniprogrampage", **page) == 0
    news, image, voice, card = await phone.messages()
    assert (news.kind, news.raw["pic_url"]) == ("news", "http://a.cn/p.png")
    assert (image.kind, image.raw["media_id"]) == ("image", media_id)
    assert voice.kind == "voice"
    assert (card.kind, card.raw["pagepath"]) == ("miniprogrampage", "pages/a")


@pytest.mark.parametrize(
    ("kind", "part", "errcode"),
    [
        ("text", {"content": ""}, 44004),
        ("text", {"content": 5}, 44004),
        ("text", {"content": "a" * 2049}, 45002),
        ("hologram", {"content": "x"}, 40008),
        ("image", {"media_id": "unknown"}, 40007),
        ("news", {"articles": []}, 44003),
        ("news", {"articles": [{"title": "1"}, {"title": "2"}]}, 45008),
        ("msgmenu", {"head_content": "?", "list": []}, 44004),
        ("msgmenu", {"head_content": "?", "list": [{"id": "1", "content": "字" * 683}]}, 45002),
        ("miniprogrampage", {"title": "t", "appid": "a", "pagepath": "p", "thumb_media_id": "unknown"}, 40007),
    ],
)
async def test_what_wechat_refuses_is_refused_with_its_code(
    platform: Platform, phone: Phone, kind: str, part: dict[str, Any], errcode: int
) -> None:
    await phone.open_window()
    assert await platform.send(phone, kind, **part) == errcode
    assert await phone.messages() == []


async def test_strangers_and_those_who_left_cannot_be_written_to(
    sandbox: RunningSandbox, platform: Platform, phone: Phone
) -> None:
    stranger = Phone(sandbox.client, "o-nobody")
    assert await platform.send(stranger) == 40003
    await phone.say("你好", wait_reply=True)
    await phone.unfollow()
    assert await platform.send(phone) == 43004
    await phone.follow()
    assert [await platform.send(phone) for _ in range(4)] == [0, 0, 0, 45047]


async def test_a_body_that_is_no_json_object_is_a_format_error(sandbox: RunningSandbox, platform: Platform) -> None:
    assert (await platform.post("/cgi-bin/message/custom/send", ["list"]))["errcode"] == 47001


async def test_the_indicator_is_limited(sandbox: RunningSandbox, platform: Platform, phone: Phone) -> None:
    async def typing(command: str = "Typing") -> int:
        body = {"touser": phone.openid, "command": command}
        code: int = (await platform.post("/cgi-bin/message/custom/typing", body))["errcode"]
        return code

    assert await typing() == 45080
    await phone.say("你好", wait_reply=True)
    assert [await typing(), await typing(), await typing("CancelTyping"), await typing()] == [0, 45081, 0, 0]
    assert await platform.send(phone) == 0
    assert await typing() == 0
    await phone.say("在吗", wait_reply=True)
    assert await typing() == 0
    await sandbox.client.advance(31)
    assert await typing() == 45080


async def test_quotas_hold_when_messages_are_sent_at_once(platform: Platform, phone: Phone) -> None:
    await phone.say("你好", wait_reply=True)
    codes = await asyncio.gather(*(platform.send(phone) for _ in range(12)))
    assert sorted(codes) == [0] * 5 + [45047] * 7
