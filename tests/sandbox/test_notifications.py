"""Template messages and subscribe notifications: fields, consents, sending twice."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.client import Phone
from sandbox.wechat.errors import WechatError
from sandbox.wechat.templates import Template, read_library
from tests.sandbox.conftest import Platform
from tests.support.echo_product import EchoProduct
from tests.support.sandbox import RunningSandbox

TEMPLATES, SUBSCRIBE = read_library()
PROGRESS = next(template for template in TEMPLATES.values() if template.title == "会诊进度通知")
ONCE = next(template for template in SUBSCRIBE.values() if not template.long_term)
LONG_TERM = next(template for template in SUBSCRIBE.values() if template.long_term)
EXAMPLES = {"character_string": "HZ-001", "phrase": "进行中", "thing": "专家已接诊", "name": "王阿姨"}
EXAMPLES |= {"time": "2026年11月21日 15:01"}


def data_for(template: Template) -> dict[str, Any]:
    """Fitting values for each field of a template."""
    return {key: {"value": EXAMPLES[key.rstrip("0123456789")]} for key in template.fields}


def body_for(template: Template, phone: Phone, **more: Any) -> dict[str, Any]:
    return {"touser": phone.openid, "template_id": template.id, "data": data_for(template), **more}


async def send(platform: Platform, body: dict[str, Any]) -> Any:
    return await platform.post("/cgi-bin/message/template/send", body)


async def subscribe(platform: Platform, body: dict[str, Any]) -> int:
    code: int = (await platform.post("/cgi-bin/message/subscribe/bizsend", body))["errcode"]
    return code


def test_every_id_in_the_library_has_the_length_of_wechats() -> None:
    assert {len(template_id) for template_id in [*TEMPLATES, *SUBSCRIBE]} == {43}


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("thing1", "二十个字二十个字二十个字二十个字二十个字", "二十个字二十个字二十个字二十个字二十个字多"),
        ("thing1", "a b，c", "两\n行"),
        ("phrase1", "已分配专家", "已分配给专家"),
        ("phrase1", "紧急", "A级"),
        ("name1", "十个汉字十个汉字十个", "十个汉字十个汉字十个一"),
        ("name1", "Twenty Latin letters", "Twenty Latin letters!"),
        ("name1", "李医生", "李Lee"),
        ("character_string1", "HZ-2026#1", "会诊1"),
        ("character_string1", "x" * 32, "x" * 33),
        ("number1", "3.14", "3,14"),
        ("letter1", "abc", "abc1"),
        ("phone_number1", "+86-0766-66888866", "+86-0766-668888661"),
        ("symbol1", "★★★★★", "★★★★★★"),
        ("time1", "15:01", "25:01"),
        ("time1", "2026年1月5日 08:00~2026年1月5日 09:00", "明天上午"),
        ("date1", "2026-01-05", "15:01"),
        ("amount1", "¥15.5元", "十五元"),
    ],
)
def test_a_fields_limit_is_wechats(key: str, good: str, bad: str) -> None:
    template = Template("t", "t", {key: "标签"})
    assert template.fill({key: {"value": good}}) == [{"key": key, "label": "标签", "value": good}]
    with pytest.raises(WechatError, match="47003"):
        template.fill({key: {"value": bad}})


@given(st.text(max_size=30))
def test_a_thing_has_one_to_twenty_characters_on_one_line(text: str) -> None:
    template = Template("t", "t", {"thing1": "标签"})
    fits = 1 <= len(text) <= 20 and "\n" not in text
    try:
        template.fill({"thing1": {"value": text}})
    except WechatError:
        assert not fits
    else:
        assert fits


async def test_a_template_message_needs_no_window_and_shows_its_fields(platform: Platform, phone: Phone) -> None:
    body = body_for(PROGRESS, phone, url="http://a.cn/case/1")
    body["data"] |= {"first": {"value": "您好"}, "remark": {"value": "谢谢"}}
    answer = await send(platform, body)
    assert answer["errcode"] == 0
    card = await phone.wait_for("专家已接诊")
    assert (card.kind, card.raw["title"], card.raw["url"]) == ("template", PROGRESS.title, "http://a.cn/case/1")
    assert [field["key"] for field in card.raw["fields"]] == list(PROGRESS.fields)
    assert "您好" not in card.text


async def test_the_product_hears_that_a_template_message_was_sent(
    platform: Platform, product: EchoProduct, phone: Phone
) -> None:
    answer = await send(platform, body_for(PROGRESS, phone))
    event = (await product.wait_for_count(1))[0]
    assert (event["Event"], event["Status"]) == ("TEMPLATESENDJOBFINISH", "success")
    assert event["MsgID"] == str(answer["msgid"])


async def test_wrong_templates_fields_and_users_are_refused(platform: Platform, phone: Phone) -> None:
    assert (await send(platform, body_for(PROGRESS, phone) | {"template_id": "x"}))["errcode"] == 40037
    body = body_for(PROGRESS, phone)
    body["data"]["phrase2"] = {"value": "已分配给专家了"}
    answer = await send(platform, body)
    assert answer["errcode"] == 47003
    assert "data.phrase2.value" in answer["errmsg"]
    del body["data"]["phrase2"]
    assert (await send(platform, body))["errcode"] == 47003
    assert (await send(platform, body_for(PROGRESS, phone, touser="o-nobody")))["errcode"] == 40003
    await phone.unfollow()
    assert (await send(platform, body_for(PROGRESS, phone)))["errcode"] == 43004
    assert await phone.messages() == []


async def test_the_same_client_id_sends_once_within_ten_minutes(
    sandbox: RunningSandbox, platform: Platform, phone: Phone
) -> None:
    other = await sandbox.client.phone("李医生", following=True)
    body = body_for(PROGRESS, phone, client_msg_id="a-1")
    answers = await asyncio.gather(*(send(platform, body) for _ in range(5)))
    assert len({answer["msgid"] for answer in answers}) == 1
    assert len(await phone.messages()) == 1
    await send(platform, body_for(PROGRESS, other, client_msg_id="a-1"))
    assert len(await other.messages()) == 1
    await sandbox.client.advance(600)
    await send(platform, body)
    assert len(await phone.messages()) == 2


async def test_a_day_has_100_000_template_messages(sandbox: RunningSandbox, platform: Platform, phone: Phone) -> None:
    assert (await send(platform, body_for(PROGRESS, phone)))["errcode"] == 0
    sandbox.world.account.templates.sent_today = 100_000
    assert (await send(platform, body_for(PROGRESS, phone)))["errcode"] == 45009
    await sandbox.client.advance(86400)
    platform.token = ""
    assert (await send(platform, body_for(PROGRESS, phone)))["errcode"] == 0


async def test_one_consent_is_one_subscribe_notification(platform: Platform, phone: Phone) -> None:
    assert await subscribe(platform, body_for(ONCE, phone)) == 43101
    await phone.consent(ONCE.id)
    await phone.consent(ONCE.id)
    await phone.consent(ONCE.id, accept=False)
    assert [await subscribe(platform, body_for(ONCE, phone)) for _ in range(3)] == [0, 0, 43101]
    assert [message.kind for message in await phone.messages()] == ["subscribe", "subscribe"]


async def test_a_long_term_consent_stays_until_it_is_taken_back(platform: Platform, phone: Phone) -> None:
    await phone.consent(LONG_TERM.id)
    assert [await subscribe(platform, body_for(LONG_TERM, phone)) for _ in range(3)] == [0, 0, 0]
    await phone.consent(LONG_TERM.id, accept=False)
    assert await subscribe(platform, body_for(LONG_TERM, phone)) == 43101


async def test_leaving_the_account_takes_the_consents_back(platform: Platform, phone: Phone) -> None:
    await phone.consent(ONCE.id)
    await phone.unfollow()
    await phone.follow()
    assert await subscribe(platform, body_for(ONCE, phone)) == 43101


async def test_a_wrong_field_does_not_use_up_the_consent(platform: Platform, phone: Phone) -> None:
    await phone.consent(ONCE.id)
    body = body_for(ONCE, phone)
    body["data"]["thing3"] = {"value": "字" * 21}
    assert await subscribe(platform, body) == 47003
    assert await subscribe(platform, body_for(ONCE, phone)) == 0


async def test_the_product_hears_of_consents_and_sent_notifications(
    platform: Platform, product: EchoProduct, phone: Phone
) -> None:
    await phone.consent(ONCE.id)
    await subscribe(platform, body_for(ONCE, phone))
    asked, sent = await product.wait_for_count(2)
    assert asked["Event"] == "subscribe_msg_popup_event"
    assert asked["SubscribeMsgPopupEvent"]["List"]["SubscribeStatusString"] == "accept"
    assert sent["Event"] == "subscribe_msg_sent_event"
    assert sent["SubscribeMsgSentEvent"]["List"]["TemplateId"] == ONCE.id


async def test_the_library_is_listed(platform: Platform) -> None:
    listed = (await platform.get("/cgi-bin/template/get_all_private_template"))["template_list"]
    assert {template["template_id"] for template in listed} == set(TEMPLATES)
    assert all("{{" in template["content"] for template in listed)
