"""What arrives through WeChat's windows and quotas, over days, as its own ledger sees it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.messaging.tables import Contact
from bot.delivery.courier import SEND
from bot.dialogue import ConversationState
from bot.incoming import Incoming
from bot.messages import Link, Message, Notice, Text
from sandbox.client import Phone
from tests.support.sandbox import RunningSandbox
from tests.support.transport import RunningTransport, ScriptedDialogue
from tests.support.waiting import eventually

REMINDER = Notice("reminder", {"title": "会诊预约", "number": "HZ1", "status": "待就诊", "time": "2026-11-22 10:00"})


@pytest.fixture(autouse=True)
def quiet(dialogue: ScriptedDialogue) -> None:
    """A dialogue that says nothing: what arrives was pushed."""

    async def script(_incoming: Incoming, _state: ConversationState) -> list[Message]:
        return []

    dialogue.script = script


async def push(transport: RunningTransport, phone: Phone, *messages: Message) -> None:
    await transport.sending.outbox.send(None, await transport.person_of(phone.openid), *messages)


async def said(phone: Phone) -> list[str]:
    return [message.text for message in await phone.messages() if message.sender == "account"]


async def pass_time(wechat: RunningSandbox, transport: RunningTransport, **time: float) -> None:
    await wechat.client.advance(timedelta(**time).total_seconds())
    transport.clock.advance(timedelta(**time))


async def refusals(wechat: RunningSandbox) -> list[int]:
    return [entry["errcode"] for entry in await wechat.client.journal(path=SEND) if entry["errcode"]]


async def test_five_messages_arrive_after_a_message_and_the_sixth_waits_without_being_tried(
    wechat: RunningSandbox, transport: RunningTransport
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    await phone.say("您好", wait_reply=True)
    await push(transport, phone, *(Text(f"第{number}条") for number in range(1, 7)))
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="held") == 1)
    assert await said(phone) == [f"第{number}条" for number in range(1, 6)]
    assert await refusals(wechat) == []
    await phone.say("还有吗")
    await phone.wait_for("第6条")


async def test_a_tap_opens_three_more(wechat: RunningSandbox, transport: RunningTransport) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    await phone.say("您好", wait_reply=True)
    await phone.act("raw", {"fields": {"MsgType": "event", "Event": "VIEW", "EventKey": "x"}}, wait_reply=True)
    await phone.unfollow()
    await phone.follow(wait_reply=True)
    await push(transport, phone, *(Text(f"第{number}条") for number in range(1, 4)))
    await phone.wait_for("第3条")
    assert await refusals(wechat) == []


async def test_the_ledger_of_the_contact_is_written_down(wechat: RunningSandbox, transport: RunningTransport) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    await phone.say("您好", wait_reply=True)
    await push(transport, phone, Text("一"), Text("二"))
    await phone.wait_for("二")

    async def written() -> bool:
        async with transport.database.reading() as session:
            return await session.scalar(select(Contact.sent_after_message)) == 2

    await eventually(written)


async def test_after_two_days_a_template_message_calls_and_the_message_itself_waits(
    wechat: RunningSandbox, transport: RunningTransport
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    await phone.say("您好", wait_reply=True)
    await pass_time(wechat, transport, hours=49)
    await push(transport, phone, Text("明天十点会诊，请提前十分钟到。", REMINDER))
    card = await phone.wait_for(lambda message: message.kind == "template")
    assert {field["label"]: field["value"] for field in card.raw["fields"]}["就诊时间"] == "2026-11-22 10:00"
    assert await refusals(wechat) == []
    await phone.say("我来了")
    await phone.wait_for("明天十点会诊，请提前十分钟到。")


async def test_the_template_message_of_a_card_opens_its_page_and_is_all_there_is_to_say(
    wechat: RunningSandbox, transport: RunningTransport
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    await phone.say("您好", wait_reply=True)
    await pass_time(wechat, transport, hours=49)
    room = Link("视频会诊", "点这里", "http://house.test/h5/rooms/1", notice=REMINDER)
    await push(transport, phone, room, Text("另外"))
    card = await phone.wait_for(lambda message: message.kind == "template")
    assert card.raw["url"] == room.url
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="held") == 1)
    await phone.say("我来了")
    await phone.wait_for("另外")
    assert not any(message.kind == "news" for message in await phone.messages())


async def test_much_that_waited_comes_in_few_messages_the_newest_as_it_is(
    wechat: RunningSandbox, transport: RunningTransport
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    await phone.say("您好", wait_reply=True)
    await pass_time(wechat, transport, hours=49)
    await push(transport, phone, *(Text(f"第{number}条") for number in range(1, 31)))
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="held") == 30)
    await phone.say("我来了")
    await phone.wait_for("第30条")
    shown = await said(phone)
    assert len(shown) == 5
    assert "更早的消息" in shown[0]
    assert "第11条" in shown[0]
    assert "第10条" not in shown[0]
    assert shown[-1] == "第30条"


async def test_somebody_who_left_gets_nothing_and_everything_when_they_are_back(
    wechat: RunningSandbox, transport: RunningTransport
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    await phone.say("您好", wait_reply=True)
    await phone.unfollow()
    person_id = await transport.person_of(phone.openid)

    async def left() -> bool:
        contact = await transport.sending.messaging.contact("wechat", phone.openid)
        return contact is not None and not contact.reach.reachable

    await eventually(left)
    await transport.sending.outbox.send(None, person_id, Text("结果出来了"), key="result:1")
    await transport.sending.outbox.send(None, person_id, Text("结果出来了"), key="result:1")
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="held") == 1)
    assert await wechat.client.journal(path=SEND) == []
    await phone.follow()
    await phone.wait_for("结果出来了")
    assert await said(phone) == ["结果出来了"]
