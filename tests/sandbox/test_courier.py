"""Callbacks: what is delivered, again, in which order, and what the user sees of the answer."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.client import Phone
from sandbox.wechat.account import OUT_OF_SERVICE
from tests.support.echo_product import EchoProduct, Fields, passive_reply, text_reply
from tests.support.sandbox import RunningSandbox

NEWS = "<MsgType>news</MsgType><ArticleCount>{}</ArticleCount><Articles>{}</Articles>"
ARTICLE = "<item><Title>标题</Title></item>"


async def answered(phone: Phone) -> list[str]:
    """What the account (or the system) said so far."""
    return [message.text for message in await phone.messages() if message.sender != "user"]


async def test_a_text_is_signed_sealed_delivered_and_its_reply_shown(product: EchoProduct, phone: Phone) -> None:
    turn = await phone.say("咳嗽]]>😀", wait_reply=True)
    received = product.received[0]
    assert (received["MsgType"], received["Content"]) == ("text", "咳嗽]]>😀")
    assert (received["FromUserName"], received["MsgId"]) == (phone.openid, turn["msg_id"])
    assert product.queries[0]["openid"] == phone.openid
    assert product.queries[0]["encrypt_type"] == "aes"
    assert [delivery["status"] for delivery in turn["deliveries"]] == [200]
    reply = (await phone.messages(turn["reply_seq"] - 1))[0]
    assert (reply.text, reply.via, reply.kind) == ("你说：咳嗽]]>😀", "reply", "text")


@pytest.mark.impatient
async def test_no_answer_in_time_brings_the_same_message_three_times_and_then_the_notice(
    product: EchoProduct, phone: Phone
) -> None:
    never = asyncio.Event()

    async def silent(_message: Fields, _delivery: int) -> str:
        await never.wait()
        return "success"

    product.responder = silent
    turn = await phone.say("在吗", wait_reply=True)
    never.set()
    assert [delivery["error"] for delivery in turn["deliveries"]] == ["timeout"] * 3
    assert len(product.plaintexts) == 3
    assert len(set(product.plaintexts)) == 1
    assert await answered(phone) == [OUT_OF_SERVICE]


@pytest.mark.impatient
async def test_the_answer_to_the_redelivery_is_shown_and_that_after_the_cut_off_is_not(
    product: EchoProduct, phone: Phone
) -> None:
    too_late = asyncio.Event()

    async def slow_at_first(message: Fields, delivery: int) -> str:
        if delivery == 1:
            await too_late.wait()
        return text_reply(message, f"第{delivery}次")

    product.responder = slow_at_first
    turn = await phone.say("在吗", wait_reply=True)
    too_late.set()
    assert [delivery["status"] for delivery in turn["deliveries"]] == [0, 200]
    await phone.say("还在吗", wait_reply=True)
    assert await answered(phone) == ["第2次", "第1次"]


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.impatient
async def test_an_http_error_is_no_answer(product: EchoProduct, phone: Phone, status: int) -> None:
    async def failing(_message: Fields, _delivery: int) -> web.Response:
        return web.Response(status=status)

    product.responder = failing
    turn = await phone.say("在吗", wait_reply=True)
    assert [delivery["status"] for delivery in turn["deliveries"]] == [status] * 3
    assert await answered(phone) == [OUT_OF_SERVICE]


async def test_an_abnormal_answer_shows_the_notice_and_is_not_delivered_again(
    product: EchoProduct, phone: Phone
) -> None:
    async def json_answer(_message: Fields, _delivery: int) -> str:
        return '{"reply": "x"}'

    product.responder = json_answer
    turn = await phone.say("在吗", wait_reply=True)
    assert len(turn["deliveries"]) == 1
    assert await answered(phone) == [OUT_OF_SERVICE]


async def test_success_shows_nothing(product: EchoProduct, phone: Phone) -> None:
    async def quiet(_message: Fields, _delivery: int) -> str:
        return "success"

    product.responder = quiet
    turn = await phone.say("在吗", wait_reply=True)
    assert turn["reply_seq"] is None
    assert await answered(phone) == []


@pytest.mark.impatient
async def test_a_product_that_is_away_and_comes_back_gets_the_message(sandbox: RunningSandbox, phone: Phone) -> None:
    product_url = sandbox.settings.callback_url
    await sandbox.client.set_callback("http://127.0.0.1:9/callback", verify=False)
    turn = asyncio.create_task(phone.say("在吗", wait_reply=True))
    lost = await sandbox.client.journal(path="callback", wait=5)
    assert lost[0]["answer"] == "lost"
    await sandbox.client.set_callback(product_url, verify=False)
    assert (await turn)["deliveries"][-1]["status"] == 200
    assert await answered(phone) == ["你说：在吗"]


async def test_a_message_that_could_not_be_delivered_does_not_hold_up_the_next(
    sandbox: RunningSandbox, phone: Phone
) -> None:
    await sandbox.client.set_callback("http://127.0.0.1:9/callback", verify=False)
    await phone.say("一")
    await phone.say("二")
    first = (await sandbox.client.journal(path="callback", wait=3))[0]
    second = (await sandbox.client.journal(path="callback", wait=3, after=first["seq"]))[0]
    assert "一" in first["body"]
    assert "二" in second["body"]


async def test_messages_of_one_phone_go_out_in_order_without_waiting_for_answers(
    product: EchoProduct, phone: Phone
) -> None:
    release = asyncio.Event()

    async def held_back(message: Fields, _delivery: int) -> str:
        await asyncio.wait_for(release.wait(), 5)
        return text_reply(message, message["Content"])

    product.responder = held_back
    for number in range(8):
        await phone.say(str(number))
    received = list(await product.wait_for_count(8))
    release.set()
    await phone.wait_for("7")
    assert [message["Content"] for message in received] == [str(number) for number in range(8)]


async def test_a_message_whose_connection_is_slow_to_open_is_not_overtaken(
    product: EchoProduct, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = asyncio.Event()
    connect = aiohttp.TCPConnector.connect
    paths: list[str] = []

    async def slow_at_first(self: Any, request: Any, *more: Any, **named: Any) -> Any:
        if request.url.path == "/callback":
            paths.append(request.url.path)
            if len(paths) == 1:
                await opened.wait()
        return await connect(self, request, *more, **named)

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", slow_at_first)
    await phone.say("先说的")
    await phone.say("后说的")
    opened.set()
    received = await product.wait_for_count(2)
    assert [message["Content"] for message in received] == ["先说的", "后说的"]


async def test_users_do_not_wait_for_each_other(sandbox: RunningSandbox, product: EchoProduct) -> None:
    everybody_is_here = asyncio.Barrier(20)

    async def meet(message: Fields, _delivery: int) -> str:
        await everybody_is_here.wait()
        return text_reply(message, "到齐了")

    product.responder = meet
    phones = [await sandbox.client.phone(f"用户{number}", following=True) for number in range(20)]
    turns = await asyncio.gather(*(phone.say("到", wait_reply=True) for phone in phones))
    assert [turn["deliveries"][-1]["status"] for turn in turns] == [200] * 20


@pytest.mark.parametrize(
    ("inner", "shown"),
    [
        ("<MsgType>image</MsgType><Image><MediaId>unknown</MediaId></Image>", OUT_OF_SERVICE),
        (NEWS.format(2, ARTICLE * 2), OUT_OF_SERVICE),
        (NEWS.format(1, ARTICLE), "标题"),
    ],
)
async def test_a_reply_that_wechat_would_not_show_becomes_the_notice(
    product: EchoProduct, phone: Phone, inner: str, shown: str
) -> None:
    async def reply(message: Fields, _delivery: int) -> str:
        return passive_reply(message, inner)

    product.responder = reply
    await phone.say("看看", wait_reply=True)
    assert await answered(phone) == [shown]


async def test_a_picture_in_a_reply_is_shown_and_a_voice_that_is_a_picture_is_not(
    sandbox: RunningSandbox, product: EchoProduct, phone: Phone
) -> None:
    medium = sandbox.world.account.media.add("image", "image/png", "a.png", b"picture")

    async def reply(message: Fields, _delivery: int) -> str:
        name = message["Content"]
        inner = f"<{name}><MediaId>{medium.media_id}</MediaId></{name}>"
        return passive_reply(message, f"<MsgType>{name.lower()}</MsgType>{inner}")

    product.responder = reply
    await phone.say("Image", wait_reply=True)
    await phone.say("Voice", wait_reply=True)
    kinds = [message.kind for message in await phone.messages() if message.sender != "user"]
    assert kinds == ["image", "notice"]


async def test_an_event_without_a_visible_effect_never_shows_the_notice(product: EchoProduct, phone: Phone) -> None:
    async def abnormal(_message: Fields, _delivery: int) -> str:
        return "not for wechat"

    product.responder = abnormal
    await phone.act("unfollow", wait_reply=True)
    assert await answered(phone) == []


async def test_a_tappable_sentence_in_a_text_reply_can_be_tapped(product: EchoProduct, phone: Phone) -> None:
    async def offer(message: Fields, _delivery: int) -> str:
        if "bizmsgmenuid" in message:
            return text_reply(message, f"收到 {message['bizmsgmenuid']}")
        link = '<a href="weixin://bizmsgmenu?msgmenucontent=没有发烧&msgmenuid=no">没有</a>'
        return text_reply(message, f"发烧吗？{link}")

    product.responder = offer
    await phone.say("咳嗽", wait_reply=True)
    await phone.tap("没有", wait_reply=True)
    assert product.received[-1]["Content"] == "没有发烧"
    assert (await answered(phone))[-1] == "收到 no"


async def test_the_callback_address_is_verified_by_its_echo(sandbox: RunningSandbox, product: EchoProduct) -> None:
    assert (await sandbox.client.set_callback(product.url))["ok"] is True
    assert (await sandbox.client.set_callback(sandbox.base_url + "/"))["ok"] is False
    assert (await sandbox.client.set_callback("http://127.0.0.1:9/"))["ok"] is False
