"""The phones' HTTP API: what each action delivers, and how requests that make no sense are refused."""

import asyncio
import base64
from typing import Any

import pytest

from sandbox.client import Phone, SandboxError
from sandbox.wechat.phones import MAX_MESSAGES
from tests.support.echo_product import EchoProduct
from tests.support.sandbox import RunningSandbox, running_sandbox


async def test_a_phone_is_made_once_for_an_openid(sandbox: RunningSandbox) -> None:
    first = await sandbox.client.phone("王阿姨", "o-wang")
    again = await sandbox.client.phone("别的名字", "o-wang")
    other = await sandbox.client.phone("王阿姨")
    assert first.openid == again.openid == "o-wang"
    assert len(other.openid) == 28
    listed = await sandbox.client.phones()
    assert [(phone["openid"], phone["nickname"]) for phone in listed] == [
        ("o-wang", "王阿姨"),
        (other.openid, "王阿姨"),
    ]
    assert [phone["openid"] for phone in await sandbox.client.phones(offset=1, limit=1)] == [other.openid]


async def test_following_and_leaving_are_told_to_the_product(sandbox: RunningSandbox, product: EchoProduct) -> None:
    phone = await sandbox.client.phone("王阿姨")
    with pytest.raises(SandboxError, match="409 not_following"):
        await phone.say("在吗")
    await phone.follow()
    with pytest.raises(SandboxError, match="409 already_following"):
        await phone.follow()
    await phone.act("unfollow", wait_reply=True)
    assert [(message["Event"], message["EventKey"]) for message in product.received] == [
        ("subscribe", None),
        ("unsubscribe", None),
    ]
    assert (await phone.describe())["following"] is False


async def test_actions_answer_at_once_and_with_wait_when_the_round_is_over(product: EchoProduct, phone: Phone) -> None:
    release = asyncio.Event()
    ask = product.responder

    async def held_back(message: dict[str, Any], delivery: int) -> Any:
        await release.wait()
        return await ask(message, delivery)

    product.responder = held_back
    turn = await phone.say("一")
    assert turn.keys() == {"seq", "msg_id"}
    release.set()
    finished = await phone.say("二", wait_reply=True)
    assert finished.keys() == {"seq", "msg_id", "deliveries", "reply_seq"}
    assert int(finished["msg_id"]) > int(turn["msg_id"])


async def test_a_voice_message_brings_its_recognition(product: EchoProduct, phone: Phone) -> None:
    await phone.send_voice("我咳嗽", b"#!AMR\nxyz", wait_reply=True)
    received = product.received[0]
    assert (received["MsgType"], received["Format"], received["Recognition"]) == ("voice", "amr", "我咳嗽")
    bubble = (await phone.messages())[0]
    assert (bubble.kind, bubble.text, bubble.raw["media_id"]) == ("voice", "我咳嗽", received["MediaId"])
    with pytest.raises(SandboxError, match="media_invalid"):
        await phone.act("voice", {"recognition": "x", "media": base64.b64encode(b"abc").decode()[:-1] + "!"})


async def test_a_place_brings_its_coordinates(product: EchoProduct, phone: Phone) -> None:
    await phone.send_location(22.912, 111.561, "罗镜镇卫生院", wait_reply=True)
    received = product.received[0]
    assert (received["Location_X"], received["Location_Y"]) == ("22.912000", "111.561000")
    assert received["Label"] == "罗镜镇卫生院"
    bubble = (await phone.messages())[0].raw
    assert (bubble["kind"], bubble["lat"], bubble["lon"], bubble["label"]) == (
        "location",
        22.912,
        111.561,
        "罗镜镇卫生院",
    )


async def test_an_odd_kind_is_delivered_as_given(product: EchoProduct, phone: Phone) -> None:
    await phone.send_raw({"MsgType": "file", "Title": "报告.pdf", "FileTotalLen": 5}, wait_reply=True)
    received = product.received[0]
    assert (received["MsgType"], received["Title"], received["FileTotalLen"]) == ("file", "报告.pdf", "5")
    assert (await phone.messages())[0].kind == "file"
    await phone.send_raw({"MsgType": "event", "Event": "user_authorization_revoke"}, wait_reply=True)
    assert product.received[1]["Event"] == "user_authorization_revoke"
    assert "MsgId" not in product.received[1]
    deep: dict[str, Any] = {}
    for _ in range(6):
        deep = {"Deeper": deep}
    odd: list[dict[str, Any]] = [{}, {"MsgType": 5}]
    odd += [
        {"MsgType": "x"} | more for more in ({"a><b": "y"}, {"A": {"<": 1}}, {"A": deep}, {"A": [[1]]}, {"A": None})
    ]
    for fields in odd:
        with pytest.raises(SandboxError, match="fields_invalid"):
            await phone.send_raw(fields)


async def test_unread_messages_are_counted_until_they_are_read(phone: Phone) -> None:
    for text in "一二三":
        turn = await phone.say(text, wait_reply=True)
    assert (await phone.describe())["unread"] == 3
    assert await phone.read(turn["seq"]) == {"unread": 1, "read_seq": turn["seq"]}
    await phone.read(10**9)
    assert (await phone.describe())["unread"] == 0
    await phone.read(0)
    assert (await phone.describe())["unread"] == 0


async def test_messages_are_read_after_a_number_and_waited_for(phone: Phone) -> None:
    for text in "一二三":
        await phone.say(text, wait_reply=True)
    assert [message.seq for message in await phone.messages(after=2)] == [3, 4, 5, 6]
    assert [message.seq for message in await phone.messages(after=2, limit=2)] == [3, 4]
    waiting = asyncio.create_task(phone.messages(after=6, wait=10))
    await phone.say("四")
    assert [message.text for message in await waiting] == ["四"]
    assert await phone.messages(after=99, wait=0.05) == []


async def test_a_phone_keeps_its_latest_messages(sandbox: RunningSandbox, phone: Phone) -> None:
    shown = sandbox.world.account.phones
    for number in range(MAX_MESSAGES + 3):
        shown.add_message(shown.get(phone.openid), "account", "text", {"text": str(number)})
    kept = await phone.messages()
    assert (len(kept), kept[0].seq, kept[-1].text) == (MAX_MESSAGES, 4, str(MAX_MESSAGES + 2))
    assert [message.seq for message in await phone.messages(after=MAX_MESSAGES + 1)] == [2002, 2003]


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("text", {}),
        ("text", {"text": ""}),
        ("text", {"text": 5}),
        ("text", {"text": "x" * 20_001}),
        ("text", ["text"]),
        ("menu", {}),
        ("scan", {"scene": "s" * 65}),
        ("tap", {"message_seq": "1", "item": "1"}),
        ("location", {"lat": 91, "lon": 0}),
        ("location", {"lat": "22", "lon": 0}),
        ("image", {}),
        ("raw", {"fields": "x"}),
        ("read", {"seq": -1}),
        ("interaction", {"kind": "x"}),
    ],
)
async def test_a_senseless_request_is_refused_and_delivers_nothing(
    product: EchoProduct, phone: Phone, action: str, body: Any
) -> None:
    with pytest.raises(SandboxError) as refusal:
        await phone.act(action, body)
    assert refusal.value.status == 400
    assert await phone.messages() == []
    assert product.received == []


async def test_the_longest_text_is_delivered_whole(product: EchoProduct, phone: Phone) -> None:
    async def quiet(_message: dict[str, Any], _delivery: int) -> str:
        return "success"

    product.responder = quiet
    await phone.say("咳" * 20_000, wait_reply=True)
    assert product.received[0]["Content"] == "咳" * 20_000


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/phones/o-nobody", "phone_unknown"),
        ("POST", "/api/phones/o-nobody/text", "phone_unknown"),
        ("GET", "/api/nowhere", "path_unknown"),
        ("DELETE", "/api/phones", "method_not_allowed"),
        ("GET", "/api/media/unknown", "media_unknown"),
    ],
)
async def test_what_does_not_exist_is_404_with_a_code(
    sandbox: RunningSandbox, method: str, path: str, code: str
) -> None:
    with pytest.raises(SandboxError, match=f"404 {code}"):
        await sandbox.client.call(method, path, {})


@pytest.mark.parametrize("body", [{"nickname": ""}, {"nickname": "x" * 65}, {"nickname": "x", "openid": "a/b"}, {}])
async def test_a_phone_needs_a_name_and_a_fitting_openid(sandbox: RunningSandbox, body: dict[str, str]) -> None:
    with pytest.raises(SandboxError, match=r"^400 "):
        await sandbox.client.call("POST", "/api/phones", body)


async def test_an_unknown_path_of_the_platform_is_answered_in_its_own_words(sandbox: RunningSandbox) -> None:
    assert (await sandbox.client.call("GET", "/cgi-bin/nowhere"))["errcode"] == 40066


async def test_the_account_is_described_without_its_secrets(sandbox: RunningSandbox) -> None:
    account = await sandbox.client.account()
    assert account["app_id"] == sandbox.settings.app_id
    assert account["callback_url"] == sandbox.settings.callback_url
    assert len(account["templates"]) == 5
    for secret in (sandbox.settings.app_secret, sandbox.settings.aes_key, sandbox.settings.token):
        assert secret not in str(account)


async def test_reset_empties_everything(sandbox: RunningSandbox, phone: Phone) -> None:
    await phone.say("在吗", wait_reply=True)
    await sandbox.client.fault(errcode=-1)
    await sandbox.client.advance(60)
    await sandbox.client.reset()
    assert await sandbox.client.phones() == []
    assert await sandbox.client.faults() == []
    assert await sandbox.client.journal() == []
    assert (await sandbox.client.clock())["offset_seconds"] == 0


async def test_a_phone_made_anew_after_a_reset_is_heard(sandbox: RunningSandbox, product: EchoProduct) -> None:
    never = asyncio.Event()

    async def silent(_message: dict[str, Any], _delivery: int) -> str:
        await never.wait()
        return "success"

    product.responder, answering = silent, product.responder
    phone = await sandbox.client.phone("王阿姨", "o-wang", following=True)
    await phone.say("一")
    await phone.say("二")
    await sandbox.client.reset()
    never.set()
    product.responder = answering
    phone = await sandbox.client.phone("王阿姨", "o-wang", following=True)
    assert (await phone.say("三", wait_reply=True))["deliveries"][0]["status"] == 200
    assert [message.text for message in await phone.messages()] == ["三", "你说：三"]


async def test_a_thousand_phones_write_at_once(product: EchoProduct) -> None:
    async def quiet(_message: dict[str, Any], _delivery: int) -> str:
        return "success"

    product.responder = quiet
    async with running_sandbox(callback_url=product.url) as sandbox:
        phones = await asyncio.gather(*(sandbox.client.phone(f"用户{n}", following=True) for n in range(1000)))
        turns = await asyncio.gather(*(phone.say("在吗", wait_reply=True) for phone in phones))
    assert all(turn["deliveries"][-1]["status"] == 200 for turn in turns)
    assert {message["FromUserName"] for message in product.received} == {phone.openid for phone in phones}
