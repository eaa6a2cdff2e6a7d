"""The client's own behaviour: waiting, tapping, errors."""

import pytest

from sandbox.client import Message, NoSuchMessageError, Phone
from tests.sandbox.conftest import Platform
from tests.support.sandbox import RunningSandbox


async def test_waiting_looks_only_at_what_came_after_the_last_action(phone: Phone) -> None:
    await phone.say("一", wait_reply=True)
    await phone.say("二")
    with pytest.raises(NoSuchMessageError, match="你说：一"):
        await phone.wait_for("你说：一", timeout=0.3)
    assert (await phone.wait_for("你说：一", after=0)).text == "你说：一"
    second = await phone.wait_for(lambda message: message.via == "reply")
    assert second.text == "你说：二"
    await phone.mark_here()
    with pytest.raises(NoSuchMessageError):
        await phone.wait_for("你说：二", timeout=0.1)


async def test_the_failure_shows_the_chat(phone: Phone) -> None:
    await phone.say("在吗", wait_reply=True)
    with pytest.raises(NoSuchMessageError) as failure:
        await phone.wait_for("不会来的", timeout=0.1)
    assert "你说：在吗" in str(failure.value)


async def test_a_tap_takes_the_latest_message_that_has_the_item(platform: Platform, phone: Phone) -> None:
    await phone.open_window()
    for item_id in ("old", "new"):
        await platform.send(phone, "msgmenu", head_content="?", list=[{"id": item_id, "content": "好的"}])
    await platform.send(phone)
    turn = await phone.tap("好的", wait_reply=True)
    assert turn["deliveries"][0]["status"] == 200
    body = (await phone.client.journal(path="callback"))[-1]["body"]
    assert "<bizmsgmenuid><![CDATA[new]]></bizmsgmenuid>" in body
    await phone.tap("好的", message_seq=1, wait_reply=True)
    assert "<![CDATA[old]]>" in (await phone.client.journal(path="callback"))[-1]["body"]


def test_all_that_a_person_reads_is_in_the_text() -> None:
    fields = [{"key": "thing1", "label": "专家", "value": "李主任"}]
    raw = {"seq": 1, "from": "account", "kind": "template", "via": "push", "title": "预约提醒", "fields": fields}
    assert Message.read(raw).text == "预约提醒\n专家：李主任"


async def test_the_last_message_is_at_hand(sandbox: RunningSandbox, phone: Phone) -> None:
    assert await phone.last() is None
    await phone.say("在吗", wait_reply=True)
    last = await phone.last()
    assert last is not None
    assert last.text == "你说：在吗"
