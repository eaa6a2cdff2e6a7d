"""The journal of calls in both directions."""

import asyncio

from sandbox.client import Phone
from sandbox.clock import MovableClock
from sandbox.journal import MAX_BODY_CHARACTERS, MAX_ENTRIES, Journal
from tests.sandbox.conftest import Platform
from tests.support.sandbox import RunningSandbox


async def test_each_call_and_each_callback_is_written_down(
    sandbox: RunningSandbox, platform: Platform, phone: Phone
) -> None:
    await phone.say("你好", wait_reply=True)
    await platform.send(phone)
    callback, token, send = await sandbox.client.journal()
    assert (callback["direction"], callback["path"], callback["openid"]) == ("out", "callback", phone.openid)
    assert "你好" in callback["body"]
    assert "你说：你好" in callback["answer"]
    assert (token["path"], token["errcode"]) == ("/cgi-bin/stable_token", 0)
    assert (send["direction"], send["openid"], send["errcode"], send["status"]) == ("in", phone.openid, 0, 200)
    assert send["ms"] >= 0


async def test_no_secret_and_no_token_is_written_down(
    sandbox: RunningSandbox, platform: Platform, phone: Phone
) -> None:
    await platform.send(phone)
    text = str(await sandbox.client.journal())
    assert sandbox.settings.app_secret not in text
    assert platform.token not in text


async def test_filters_and_numbers_narrow_what_is_read(
    sandbox: RunningSandbox, platform: Platform, phone: Phone
) -> None:
    other = await sandbox.client.phone("李医生", following=True)
    for user in (phone, other, phone):
        await platform.send(user)
    sends = await sandbox.client.journal(path="/cgi-bin/message/custom/send")
    assert [entry["errcode"] for entry in sends] == [45015] * 3
    mine = await sandbox.client.journal(openid=phone.openid)
    assert len(mine) == 2
    assert await sandbox.client.journal(openid=phone.openid, after=mine[0]["seq"]) == mine[1:]
    assert await sandbox.client.journal(openid=phone.openid, limit=1) == mine[:1]
    assert await sandbox.client.journal(openid=phone.openid, after=None, limit=1) == mine[1:]


async def test_a_reader_may_wait_for_the_next_entry_that_fits(
    sandbox: RunningSandbox, platform: Platform, phone: Phone
) -> None:
    waiting = asyncio.create_task(sandbox.client.journal(path="callback", wait=10))
    await platform.get("/cgi-bin/tags/get")
    await phone.say("你好")
    assert [entry["path"] for entry in await waiting] == ["callback"]
    assert await sandbox.client.journal(path="/nowhere", wait=0.05) == []


async def test_memory_is_bounded() -> None:
    journal = Journal(MovableClock())
    for number in range(MAX_ENTRIES + 5):
        journal.add(
            direction="in",
            path="/a",
            openid=str(number),
            errcode=0,
            status=200,
            ms=1,
            body="x" * 5000 if number else "",
        )
    first = await journal.read(after=0, path=None, openid=None, wait=0, limit=1)
    assert (first[0]["seq"], len(first[0]["body"])) == (6, MAX_BODY_CHARACTERS)
    last = await journal.read(after=MAX_ENTRIES + 4, path=None, openid=None, wait=0, limit=10)
    assert [entry["openid"] for entry in last] == [str(MAX_ENTRIES + 4)]
