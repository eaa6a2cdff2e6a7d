"""What each error code of WeChat's does to a message: the table of the protocol notes, played by the sandbox."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.clock import Clock
from backend.db import Database
from backend.messaging.tables import Contact, DeadLetter, OutboxMessage
from bot.delivery import courier, rules
from bot.messages import Choice, Menu, Notice, Picture, Text
from sandbox.client import Phone
from tests.support.sandbox import RunningSandbox
from tests.support.transport import RunningTransport
from tests.support.waiting import eventually

SEND = courier.SEND
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
OFFER = Notice("offer", {"title": "胸痛待查", "number": "HZ1", "status": "紧急", "time": "2026-11-21 20:00"})


class Files:
    """A file store of one picture."""

    async def get(self, _file_id: str) -> tuple[bytes, str]:
        return PNG, "image/png"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back off by milliseconds."""
    monkeypatch.setattr(rules, "_BACKOFF_SECONDS", (0.01, 0.02, 0.03))


@pytest.fixture
async def phone(wechat: RunningSandbox, transport: RunningTransport) -> Phone:
    """A phone that has just written, so that five messages may be pushed."""
    phone = await wechat.client.phone("王阿姨", following=True)
    await phone.say("您好", wait_reply=True)
    return phone


async def push(transport: RunningTransport, phone: Phone, *messages: Any) -> None:
    """Put messages for the person behind a phone."""
    await transport.sending.outbox.send(None, await transport.person_of(phone.openid), *messages)


async def rows(transport: RunningTransport) -> list[OutboxMessage]:
    """What the outbox holds."""
    async with transport.database.reading() as session:
        return list(await session.scalars(select(OutboxMessage)))


async def calls(wechat: RunningSandbox, path: str = SEND) -> list[int | None]:
    """The error codes of the calls so far."""
    return [entry["errcode"] for entry in await wechat.client.journal(path=path)]


async def is_unreachable(transport: RunningTransport) -> bool:
    async with transport.database.reading() as session:
        return not await session.scalar(select(Contact.reachable))


async def is_held(transport: RunningTransport) -> bool:
    """Whether exactly one message waits for the person to come back."""
    held = await rows(transport)
    return len(held) == 1 and held[0].due_at is None


async def test_a_system_error_is_tried_again_three_times_at_most(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    await wechat.client.fault(path=SEND, errcode=-1)
    await push(transport, phone, Text("会诊已安排"))
    await eventually(lambda: is_held(transport))
    assert await calls(wechat) == [-1] * 4


async def test_a_system_error_that_passes_lets_the_message_arrive_once(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    await wechat.client.fault(path=SEND, errcode=-1, times=2)
    await push(transport, phone, Text("会诊已安排"), Text("明天十点"))
    await phone.wait_for("明天十点")
    said = [message.text for message in await phone.messages() if message.raw["via"] == "push"]
    assert said == ["会诊已安排", "明天十点"]


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_refused_token_is_refreshed_once_and_the_call_tried_once_more(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone, code: int
) -> None:
    await push(transport, phone, Text("第一条"))
    await phone.wait_for("第一条")
    await wechat.client.fault(path=SEND, errcode=code, times=1)
    await push(transport, phone, Text("第二条"))
    await phone.wait_for("第二条")
    # Asked as usual, then by force: the first answer was the refused token again.
    assert await calls(wechat, "/cgi-bin/stable_token") == [0, 0, 0]
    assert await calls(wechat) == [0, code, 0]


async def test_a_lasting_refusal_of_the_token_is_an_alarm_and_asks_for_few_tokens(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    await wechat.client.fault(path=SEND, errcode=40001)
    await push(transport, phone, Text("会诊已安排"))
    await eventually(lambda: transport.sending.metrics.value("alarms", code=40001) >= 3)
    assert len(await calls(wechat, "/cgi-bin/stable_token")) <= 3 + transport.sending.metrics.value("alarms")
    await wechat.client.clear_faults()
    await phone.wait_for("会诊已安排")


@pytest.mark.parametrize("code", [40164, 40125, 40243])
async def test_a_wrong_configuration_is_an_alarm_without_retry(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone, code: int
) -> None:
    await wechat.client.fault(path=SEND, errcode=code)
    await push(transport, phone, Text("会诊已安排"))
    await eventually(lambda: is_held(transport))
    assert await calls(wechat) == [code]
    assert transport.sending.metrics.value("alarms", code=code) == 1


@pytest.mark.parametrize("code", [40003, 43004])
async def test_somebody_who_cannot_be_reached_is_marked_and_written_to_no_more_until_they_return(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone, code: int
) -> None:
    await wechat.client.fault(path=SEND, errcode=code, times=1)
    await push(transport, phone, Text("会诊已安排"))
    await eventually(lambda: is_held(transport))
    await eventually(lambda: is_unreachable(transport))
    await push(transport, phone, Text("明天十点"))
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="held") == 2)
    assert await calls(wechat) == [code]
    await phone.say("我回来了")
    await phone.wait_for("会诊已安排")
    await phone.wait_for("明天十点")


@pytest.mark.parametrize("code", [45015, 45047])
async def test_a_closed_window_falls_back_to_a_template_message_and_keeps_the_message(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone, code: int
) -> None:
    await wechat.client.fault(path=SEND, errcode=code, times=1)
    await push(transport, phone, Menu("有新的会诊邀请", (Choice("offer.accept:1", "接受"),), notice=OFFER))
    card = await phone.wait_for(lambda message: message.kind == "template")
    assert card.raw["title"] == "会诊邀请通知"
    await eventually(lambda: is_held(transport))
    await phone.say("我来了")
    menu = await phone.wait_for(lambda message: message.kind == "menu")
    assert menu.item("接受")


@pytest.mark.parametrize("code", [45015, 45047])
async def test_a_closed_window_without_a_short_form_keeps_the_message_for_their_return(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone, code: int
) -> None:
    await wechat.client.fault(path=SEND, errcode=code, times=1)
    await push(transport, phone, Text("医生说：多喝水"))
    await eventually(lambda: is_held(transport))
    await phone.say("在吗")
    await phone.wait_for("多喝水")


async def test_a_spent_daily_quota_opens_the_circuit_until_midnight(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    await wechat.client.fault(path=SEND, errcode=45009)
    await push(transport, phone, Text("第一条"))
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="later") == 1)
    await push(transport, phone, Text("第二条"))
    until = transport.sending.courier.circuits.shut_until(SEND)
    assert until is not None
    assert until - transport.clock.now() <= timedelta(days=1)
    assert await calls(wechat) == [45009]
    await wechat.client.clear_faults()
    moved = (until - transport.clock.now()).total_seconds() + 1
    await wechat.client.advance(moved)
    transport.clock.advance(timedelta(seconds=moved))
    await phone.wait_for("第一条")
    await phone.wait_for("第二条")


async def test_a_spent_minute_quota_backs_off_for_a_minute(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    await wechat.client.fault(path=SEND, errcode=45011, times=1)
    await push(transport, phone, Text("会诊已安排"))
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="later") == 1)
    assert await calls(wechat) == [45011]
    transport.clock.advance(timedelta(seconds=61))
    await phone.wait_for("会诊已安排")


@pytest.mark.parametrize("code", [40037, 47003, 41030])
async def test_wrong_data_is_buried_and_what_follows_still_arrives(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone, code: int
) -> None:
    await wechat.client.fault(path=SEND, errcode=code, times=1)
    await push(transport, phone, Text("坏的"), Text("好的"))
    await phone.wait_for("好的")
    async with transport.database.reading() as session:
        assert list(await session.scalars(select(DeadLetter.reason))) == [f"wechat:{code}"]


async def test_a_text_that_wechat_finds_too_long_is_split(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    text = "先量血压。再记下来。" * 30
    await wechat.client.fault(path=SEND, errcode=45002, times=1)
    await push(transport, phone, Text(text))
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="arrived") == 2)
    pieces = [message.text for message in await phone.messages() if message.raw["via"] == "push"]
    assert "".join(pieces) == text


async def test_a_medium_that_wechat_has_forgotten_is_uploaded_again(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport.sending.courier, "_files", Files())
    await push(transport, phone, Picture("f1"), Picture("f1"))
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="arrived") == 2)
    assert len(await calls(wechat, "/cgi-bin/media/upload")) == 1
    await wechat.client.fault(path=SEND, errcode=40007, times=1)
    await push(transport, phone, Picture("f1"))
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="arrived") == 3)
    assert len(await calls(wechat, "/cgi-bin/media/upload")) == 2


async def test_a_feature_that_the_account_may_not_use_is_used_no_more(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    await wechat.client.fault(path=SEND, errcode=48001, times=1)
    menu = Menu("发烧吗？", (Choice("a", "发烧"), Choice("b", "不发烧")))
    await push(transport, phone, menu)
    await phone.wait_for("1. 发烧")
    await push(transport, phone, menu)
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="arrived") == 2)
    assert await calls(wechat) == [48001, 0, 0]


async def test_a_missing_consent_keeps_the_message_for_their_return(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    await wechat.client.fault(path=SEND, errcode=45015, times=1)
    await wechat.client.fault(path=courier.TEMPLATE, errcode=43101, times=1)
    await push(transport, phone, Text("有新的会诊邀请", OFFER))
    await eventually(lambda: is_held(transport))
    assert transport.sending.metrics.value("consents_missing") == 1
    await phone.say("我来了")
    await phone.wait_for("有新的会诊邀请")


async def test_an_unknown_code_is_tried_a_few_times_and_then_buried(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    await wechat.client.fault(path=SEND, errcode=99999)
    await push(transport, phone, Text("会诊已安排"))
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="dead") == 1)
    assert await calls(wechat) == [99999] * 4


async def test_a_lost_connection_is_tried_again_and_repeats_at_most_what_was_unknown(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    await wechat.client.fault(path=SEND, drop="after", times=1)
    await push(transport, phone, Text("会诊已安排"))
    await eventually(lambda: transport.sending.metrics.value("deliveries", outcome="arrived") == 1)
    said = [message.text for message in await phone.messages() if message.raw["via"] == "push"]
    assert said == ["会诊已安排"] * 2


async def test_a_template_message_whose_answer_was_lost_is_not_repeated(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone
) -> None:
    await wechat.client.fault(path=SEND, errcode=45015, times=2)
    await wechat.client.fault(path=courier.TEMPLATE, drop="after", times=1)
    await push(transport, phone, Text("有新的会诊邀请", OFFER))
    await eventually(lambda: is_held(transport))
    assert len([message for message in await phone.messages() if message.kind == "template"]) == 1
    assert len(await calls(wechat, courier.TEMPLATE)) == 2


async def test_what_is_not_worth_sending_any_more_is_not_sent(
    wechat: RunningSandbox, transport: RunningTransport, phone: Phone, sqlite: Database, clock: Clock
) -> None:
    person_id = await transport.person_of(phone.openid)
    await transport.sending.outbox.send(None, person_id, Text("已过期"), expires_at=clock.now() - timedelta(seconds=1))
    await push(transport, phone, Text("还新鲜"))
    await phone.wait_for("还新鲜")
    assert not any("已过期" in message.text for message in await phone.messages())
