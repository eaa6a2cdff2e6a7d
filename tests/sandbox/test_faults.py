"""Faults: on the platform's answers, on the connection, and on the callbacks."""

import asyncio
from typing import Any

import aiohttp
import pytest

from sandbox.client import Phone, SandboxError
from tests.sandbox.conftest import Platform
from tests.support.echo_product import EchoProduct, Fields, text_reply
from tests.support.sandbox import RunningSandbox

SEND = "/cgi-bin/message/custom/send"


@pytest.fixture
async def phone(phone: Phone) -> Phone:
    await phone.open_window()
    return phone


async def test_an_error_code_is_given_as_often_as_asked(
    sandbox: RunningSandbox, platform: Platform, phone: Phone
) -> None:
    await sandbox.client.fault(path=SEND, errcode=-1, times=2)
    assert [await platform.send(phone) for _ in range(3)] == [-1, -1, 0]
    assert await sandbox.client.faults() == []
    assert len(await phone.messages()) == 1


async def test_a_fault_hits_one_user_and_one_path(sandbox: RunningSandbox, platform: Platform, phone: Phone) -> None:
    other = await sandbox.client.phone("李医生", following=True)
    await other.open_window()
    async with sandbox.client.faulty(path=SEND, openid=phone.openid, errcode=45047):
        assert await platform.send(phone) == 45047
        assert await platform.send(other) == 0
        assert "tags" in await platform.get("/cgi-bin/tags/get")
    assert await platform.send(phone) == 0


async def test_a_fault_without_a_path_hits_every_call_but_no_callback(
    sandbox: RunningSandbox, platform: Platform, phone: Phone
) -> None:
    await platform.stable_token()
    async with sandbox.client.faulty(drop="before"):
        with pytest.raises(aiohttp.ClientError):
            await platform.stable_token()
        turn = await phone.say("在吗", wait_reply=True)
        assert turn["deliveries"][0]["status"] == 200


async def test_a_path_may_end_with_a_star(sandbox: RunningSandbox, platform: Platform) -> None:
    async with sandbox.client.faulty(path="/cgi-bin/tags/*", errcode=45009):
        assert (await platform.get("/cgi-bin/tags/get"))["errcode"] == 45009
        assert (await platform.get("/cgi-bin/menu/get"))["errcode"] == 46003


async def test_a_status_and_a_body_replace_the_answer(sandbox: RunningSandbox, platform: Platform) -> None:
    token = (await platform.stable_token())["access_token"]
    await sandbox.client.fault(path="/cgi-bin/tags/get", status=502, body="<html>Bad Gateway</html>")
    url = f"{sandbox.base_url}/cgi-bin/tags/get?access_token={token}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert (response.status, await response.text()) == (502, "<html>Bad Gateway</html>")


@pytest.mark.parametrize(("drop", "arrived"), [("before", 0), ("after", 1)])
async def test_the_connection_is_lost_before_or_after_the_effect(
    sandbox: RunningSandbox, platform: Platform, phone: Phone, drop: str, arrived: int
) -> None:
    await platform.stable_token()
    await sandbox.client.fault(path=SEND, drop=drop, times=1)
    with pytest.raises(aiohttp.ClientError):
        await platform.send(phone)
    assert len(await phone.messages()) == arrived
    assert await platform.send(phone) == 0


async def test_latency_delays_the_effect(sandbox: RunningSandbox, platform: Platform, phone: Phone) -> None:
    await platform.stable_token()
    await sandbox.client.fault(path=SEND, latency_ms=200, times=1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await platform.send(phone) == 0
    assert loop.time() - began >= 0.2


async def test_a_duplicate_comes_at_once_and_several_times(
    sandbox: RunningSandbox, product: EchoProduct, phone: Phone
) -> None:
    await sandbox.client.fault(kind="duplicate", copies=3, times=1)
    turn = await phone.say("在吗", wait_reply=True)
    assert [delivery["status"] for delivery in turn["deliveries"]] == [200, 200, 200]
    assert len(product.plaintexts) == 3
    assert len(set(product.plaintexts)) == 1
    assert [message.text for message in await phone.messages()] == ["在吗", "你说：在吗"]


async def test_of_duplicates_answered_differently_the_last_one_counts(
    sandbox: RunningSandbox, product: EchoProduct, phone: Phone
) -> None:
    async def differently(message: Fields, delivery: int) -> str:
        return text_reply(message, f"第{delivery}次")

    product.responder = differently
    await sandbox.client.fault(kind="duplicate", times=1)
    turn = await phone.say("在吗", wait_reply=True)
    texts = [delivery["reply"]["text"] for delivery in turn["deliveries"]]
    assert sorted(texts) == ["第1次", "第2次"]
    assert [message.text for message in await phone.messages(after=1)] == texts[-1:]


@pytest.mark.parametrize("fault", [{"kind": "drop_reply"}, {"path": "callback", "drop": "after"}])
@pytest.mark.impatient
async def test_a_lost_answer_brings_the_message_again(
    sandbox: RunningSandbox, product: EchoProduct, phone: Phone, fault: dict[str, Any]
) -> None:
    await sandbox.client.fault(times=1, openid=phone.openid, **fault)
    turn = await phone.say("在吗", wait_reply=True)
    assert [delivery["status"] for delivery in turn["deliveries"]] == [0, 200]
    assert len(product.received) == 2
    assert [message.text for message in await phone.messages()] == ["在吗", "你说：在吗"]


@pytest.mark.impatient
async def test_a_callback_lost_on_its_way_is_delivered_again(
    sandbox: RunningSandbox, product: EchoProduct, phone: Phone
) -> None:
    await sandbox.client.fault(path="callback", drop="before", times=1)
    turn = await phone.say("在吗", wait_reply=True)
    assert [delivery["status"] for delivery in turn["deliveries"]] == [0, 200]
    assert len(product.received) == 1


async def test_a_delayed_callback_is_overtaken(sandbox: RunningSandbox, product: EchoProduct, phone: Phone) -> None:
    await sandbox.client.fault(path="callback", latency_ms=150, times=1)
    await phone.say("先说的")
    await phone.say("后说的", wait_reply=True)
    received = await product.wait_for_count(2)
    assert [message["Content"] for message in received] == ["后说的", "先说的"]


@pytest.mark.impatient
async def test_a_bad_signature_is_refused_by_the_product(
    sandbox: RunningSandbox, product: EchoProduct, phone: Phone
) -> None:
    await sandbox.client.fault(kind="bad_signature", times=1)
    turn = await phone.say("在吗", wait_reply=True)
    assert [delivery["status"] for delivery in turn["deliveries"]] == [403, 200]


async def test_a_stale_timestamp_is_an_hour_old(sandbox: RunningSandbox, product: EchoProduct, phone: Phone) -> None:
    await phone.say("一", wait_reply=True)
    await sandbox.client.fault(kind="stale_timestamp", times=1)
    await phone.say("二", wait_reply=True)
    fresh, stale = (int(query["timestamp"]) for query in product.queries)
    assert 3590 <= fresh - stale <= 3600


async def test_faults_are_listed_and_removed(sandbox: RunningSandbox) -> None:
    client = sandbox.client
    first, second = await client.fault(errcode=-1), await client.fault(status=500)
    assert [fault["id"] for fault in await client.faults()] == [first, second]
    await client.remove_fault(first)
    with pytest.raises(SandboxError, match="fault_unknown"):
        await client.remove_fault(first)
    await client.clear_faults()
    assert await client.faults() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"colour": "red"},
        {"errcode": "45047"},
        {"latency_ms": 60_001},
        {"times": 0},
        {"drop": "during"},
        {"kind": "melt"},
        {"kind": "duplicate", "path": SEND},
        {"path": 5},
    ],
)
async def test_a_senseless_fault_is_refused(sandbox: RunningSandbox, fields: dict[str, Any]) -> None:
    with pytest.raises(SandboxError, match="400 fault_invalid"):
        await sandbox.client.fault(**fields)
