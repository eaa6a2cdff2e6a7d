"""What the callback address takes, and what it refuses without a trace."""

import asyncio
import base64
import logging
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from sqlalchemy import func, select

from backend.clock import Clock
from backend.db import Database
from backend.messaging.tables import Contact, DeferredMessage, InboundMessage, OutboxMessage
from bot.incoming import Kind
from bot.messages import Link, Message, Text
from sandbox.settings import LOCAL_APP_ID, LOCAL_TOKEN
from sandbox.wechat.crypto import SafeMode
from sandbox.wechat.envelope import cdata, render
from tests.support.callbacks import OPENID, Caller
from tests.support.transport import RunningTransport, ScriptedDialogue, local_settings, running_transport

SECRET_WORDS = "我得了不想让人知道的病"
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>'
)
NOBODY = "http://127.0.0.1:9"  # nothing listens there: what is pushed stays in the outbox


@pytest.fixture
async def product(sqlite: Database, clock: Clock, dialogue: ScriptedDialogue) -> AsyncIterator[RunningTransport]:
    """The transport without WeChat behind it."""
    async with running_transport(sqlite, clock, local_settings(NOBODY), dialogue) as running:
        yield running


@pytest.fixture
async def caller(product: RunningTransport) -> AsyncIterator[Caller]:
    """Who delivers callbacks to it."""
    async with aiohttp.ClientSession() as session:
        yield Caller(product.url, session)


async def stored(product: RunningTransport) -> int:
    """How many rows the transport has written."""
    async with product.database.reading() as session:
        tables = (Contact, InboundMessage, DeferredMessage, OutboxMessage)
        return sum([await session.scalar(select(func.count()).select_from(table)) or 0 for table in tables])


async def assert_refused(product: RunningTransport, caller: Caller, status: int, log: pytest.LogCaptureFixture) -> None:
    assert 400 <= status < 500
    assert await stored(product) == 0
    assert product.dialogue.heard == []
    refusals = [record for record in log.records if record.name == "bot.gateway"]
    assert len(refusals) == 1
    assert SECRET_WORDS not in refusals[0].getMessage()
    assert OPENID not in refusals[0].getMessage()


def text_xml(content: str = SECRET_WORDS, **more: object) -> str:
    return render(
        {"ToUserName": "gh_1a2b3c4d5e6f", "FromUserName": OPENID, "CreateTime": 1, "MsgType": "text"}
        | {"Content": content, "MsgId": 7}
        | more
    )


async def test_the_address_is_confirmed_to_who_signs_rightly(caller: Caller) -> None:
    query = caller.signed_query() | {"echostr": "4711"}
    async with caller.session.get(caller.url, params=query) as response:
        assert (response.status, await response.text()) == (200, "4711")
    async with caller.session.get(caller.url, params=query | {"signature": "0" * 40}) as response:
        assert response.status == 403


@pytest.mark.parametrize("name", ["signature", "msg_signature"])
@pytest.mark.parametrize("value", ["0" * 40, "", "ä"])
async def test_a_wrong_signature_is_refused(
    product: RunningTransport, caller: Caller, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    answer = await caller.xml(text_xml(), 0, OPENID, **{name: value})
    await assert_refused(product, caller, answer.status, caplog)


@pytest.mark.parametrize("age", [301, -301, 86400])
async def test_a_stale_time_stamp_is_refused(
    product: RunningTransport, caller: Caller, caplog: pytest.LogCaptureFixture, age: int
) -> None:
    answer = await caller.xml(text_xml(), age=age)
    await assert_refused(product, caller, answer.status, caplog)


@pytest.mark.parametrize("timestamp", ["", "abc", "-5", "9" * 30, "１２３"])
async def test_a_time_stamp_that_is_none_is_refused(
    product: RunningTransport, caller: Caller, caplog: pytest.LogCaptureFixture, timestamp: str
) -> None:
    answer = await caller.xml(text_xml(), timestamp=timestamp)
    await assert_refused(product, caller, answer.status, caplog)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<xml>",
        b"<xml></xml>",
        b"<json/>",
        b"<xml><Encrypt></Encrypt></xml>",
        b"\xff\xfe\x00",
        f"{BOMB}<xml><Encrypt>&c;</Encrypt></xml>".encode(),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml><Encrypt>a</Encrypt></xml>',
        f"{BOMB}<xml><Encrypt>&c;</Encrypt></xml>".encode("utf-16"),
        b"<?xml version='1.0' encoding='nonsense'?><xml><Encrypt>a</Encrypt></xml>",
    ],
)
async def test_a_malformed_envelope_is_refused(
    product: RunningTransport, caller: Caller, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    answer = await caller.post(body, caller.signed_query("a"))
    await assert_refused(product, caller, answer.status, caplog)


@pytest.mark.parametrize("encrypted", ["a", "!!!!", "AAAA", base64.b64encode(b"x" * 64).decode(), "A" * 44])
async def test_what_does_not_decrypt_is_refused(
    product: RunningTransport, caller: Caller, caplog: pytest.LogCaptureFixture, encrypted: str
) -> None:
    body = f"<xml><Encrypt>{cdata(encrypted)}</Encrypt></xml>".encode()
    answer = await caller.post(body, caller.signed_query(encrypted))
    await assert_refused(product, caller, answer.status, caplog)


@pytest.mark.parametrize(
    "xml",
    [
        "no xml",
        "<xml/>",
        "<xml><MsgType>text</MsgType></xml>",
        "<xml><a/></xml>",
        f"{BOMB}<xml><MsgType>text</MsgType><Content>&c;</Content></xml>",
        text_xml(FromUserName=""),
        text_xml(FromUserName="<script>alert(1)</script>"),
        text_xml(CreateTime="yesterday"),
        text_xml(MsgType={"a": "b"}),
        text_xml(MsgId=""),
        text_xml(Content={"a": "b"}),
        text_xml(MsgType="location", Location_X="north", Location_Y="1"),
        text_xml(MsgType="location", Location_X="91", Location_Y="1"),
        text_xml(MsgType="location", Location_X="nan", Location_Y="1"),
        text_xml(MsgType=["text", "text"]),
    ],
)
async def test_a_malformed_message_is_refused(
    product: RunningTransport, caller: Caller, caplog: pytest.LogCaptureFixture, xml: str
) -> None:
    answer = await caller.xml(xml)
    await assert_refused(product, caller, answer.status, caplog)


async def test_a_message_for_another_account_is_refused(
    product: RunningTransport, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    key = base64.b64encode(b"qiaoyi-local-development-aes-key").decode().rstrip("=")
    caller.cipher = SafeMode(LOCAL_TOKEN, key, "wx0000000000000000")
    answer = await caller.xml(text_xml())
    await assert_refused(product, caller, answer.status, caplog)


async def test_a_huge_body_is_refused(
    product: RunningTransport, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await caller.post(b"<xml>" + b"a" * 70_000, caller.signed_query())
    assert answer.status == 413
    await assert_refused(product, caller, answer.status, caplog)


async def test_a_huge_body_that_hides_its_length_is_refused(
    product: RunningTransport, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"a" * 1000

    async with caller.session.post(caller.url, params=caller.signed_query(), data=endless()) as response:
        assert response.status == 413
    await assert_refused(product, caller, 413, caplog)


async def test_the_key_before_the_present_one_is_accepted_while_it_is_changed(
    sqlite: Database, clock: Clock, dialogue: ScriptedDialogue
) -> None:
    present = base64.b64encode(b"n" * 32).decode().rstrip("=")
    before = local_settings(NOBODY).aes_key
    settings = local_settings(NOBODY, aes_key=present, previous_aes_key=before)
    async with running_transport(sqlite, clock, settings, dialogue) as running, aiohttp.ClientSession() as session:
        under_new, under_old = SafeMode(LOCAL_TOKEN, present, LOCAL_APP_ID), SafeMode(LOCAL_TOKEN, before, LOCAL_APP_ID)
        assert (await Caller(running.url, session, under_new).text("新", 1)).text == "1:text:新"
        answer = await Caller(running.url, session, under_old).text("旧", 2)
        answer.cipher = under_new
        assert answer.text == "2:text:旧"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"MsgType": "video", "MediaId": "m"}, Kind.OTHER),
        ({"MsgType": "file", "Title": "x"}, Kind.OTHER),
        ({"MsgType": "hologram"}, Kind.OTHER),
        ({"MsgType": "voice", "MediaId": "m", "Recognition": "我咳嗽"}, Kind.VOICE),
        ({"MsgType": "location", "Location_X": "30.5", "Location_Y": "104.1", "Label": "村口"}, Kind.LOCATION),
        ({"MsgType": "text", "Content": "不发烧", "bizmsgmenuid": "fever:no"}, Kind.TAP),
        ({"MsgType": "event", "Event": "CLICK", "EventKey": "patient.start"}, Kind.CLICK),
        ({"MsgType": "event", "Event": "SCAN", "EventKey": "join-1"}, Kind.SCAN),
        ({"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_join-1"}, Kind.FOLLOW),
        ({"MsgType": "event", "Event": "subscribe"}, Kind.FOLLOW),
    ],
)
async def test_every_kind_of_message_comes_to_the_dialogue(
    product: RunningTransport, caller: Caller, fields: dict[str, str], kind: Kind
) -> None:
    answer = await caller.fields(MsgId=5, **fields)
    assert answer.status == 200
    assert [incoming.kind for incoming in product.dialogue.heard] == [kind]
    assert answer.reply is not None


async def test_a_scene_comes_without_its_prefix(product: RunningTransport, caller: Caller) -> None:
    await caller.fields(MsgType="event", Event="subscribe", EventKey="qrscene_join-1", Ticket="t")
    assert product.dialogue.heard[0].item_id == "join-1"


@pytest.mark.parametrize(
    "event", ["TEMPLATESENDJOBFINISH", "VIEW", "subscribe_msg_sent_event", "user_authorization_revoke", "LOCATION"]
)
async def test_events_of_the_platform_are_taken_without_an_answer(
    product: RunningTransport, caller: Caller, event: str
) -> None:
    answer = await caller.fields(MsgType="event", Event=event)
    assert (answer.status, answer.body) == (200, b"success")
    assert product.dialogue.heard == []


async def test_whoever_leaves_hears_nothing(product: RunningTransport, caller: Caller) -> None:
    answer = await caller.fields(MsgType="event", Event="unsubscribe")
    assert answer.body == b"success"
    assert [incoming.kind for incoming in product.dialogue.heard] == [Kind.UNFOLLOW]
    contact = await product.sending.messaging.contact("wechat", OPENID)
    assert contact is not None
    assert not contact.reach.reachable


@pytest.mark.parametrize(
    "words", ["a]]>b", "😀👨‍👩‍👧 家", "<script>alert(1)</script>", "&lt;&amp;", "]]]]>>", "line\nline"]
)
async def test_what_is_said_comes_back_unchanged_through_the_wire(
    product: RunningTransport, caller: Caller, words: str
) -> None:
    assert (await caller.text(words)).text == f"1:text:{words}"


async def test_control_characters_and_links_of_strangers_are_taken_out_of_answers(
    product: RunningTransport, caller: Caller
) -> None:
    async def script(_incoming: object, _state: object) -> list[Message]:
        return [Text('王\x00\x08阿\ud83d姨<a href="http://evil">点我</a>')]

    product.dialogue.script = script
    assert (await caller.text("您好")).text == '王阿姨＜a href="http://evil">点我＜/a>'


async def test_a_link_can_be_the_direct_answer(product: RunningTransport, caller: Caller) -> None:
    async def script(_incoming: object, _state: object) -> list[Message]:
        return [Link("结果]]>", "请看", "https://example.org/r?a=1&b=2")]

    product.dialogue.script = script
    reply = (await caller.text("结果")).reply
    assert reply is not None
    assert reply.content["articles"][0]["title"] == "结果]]>"
    assert reply.content["articles"][0]["url"] == "https://example.org/r?a=1&b=2"


async def test_a_message_delivered_three_times_at_once_has_one_effect_and_one_answer(
    product: RunningTransport, caller: Caller
) -> None:
    answers = await asyncio.gather(*(caller.text("您好", 42) for _ in range(3)))
    again = await caller.text("您好", 42)
    assert {answer.text for answer in (*answers, again)} == {"1:text:您好"}
    assert len(product.dialogue.heard) == 1


async def test_an_event_delivered_twice_has_one_effect(product: RunningTransport, caller: Caller) -> None:
    first = await caller.fields(MsgType="event", Event="CLICK", EventKey="patient.start")
    second = await caller.fields(MsgType="event", Event="CLICK", EventKey="patient.start")
    assert first.text == second.text
    assert len(product.dialogue.heard) == 1


async def test_a_redelivery_to_the_next_process_gets_the_stored_answer(
    product: RunningTransport, caller: Caller, sqlite: Database, clock: Clock
) -> None:
    first = await caller.text("您好", 42)
    dialogue = ScriptedDialogue()
    async with running_transport(sqlite, clock, local_settings(NOBODY), dialogue) as other:
        second = await Caller(other.url, caller.session).text("您好", 42)
    assert second.text == first.text
    assert dialogue.heard == []


async def test_messages_of_one_person_are_answered_in_order(product: RunningTransport, caller: Caller) -> None:
    answers = await asyncio.gather(*(caller.text(f"第{number}句", number) for number in range(1, 9)))
    heard = [incoming.text for incoming in product.dialogue.heard]
    assert sorted(heard) == [f"第{number}句" for number in range(1, 9)]
    assert [answer.text for answer in answers] == [f"{heard.index(f'第{n}句') + 1}:text:第{n}句" for n in range(1, 9)]


async def test_a_failing_turn_changes_nothing_and_is_apologised_for_without_a_word_in_the_log(
    product: RunningTransport, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_incoming: object, state: object) -> list[Message]:
        state.data = {"number": 99}  # type: ignore[attr-defined]
        raise LookupError(SECRET_WORDS)

    kept, product.dialogue.script = product.dialogue.script, broken
    with caplog.at_level(logging.INFO):
        assert "抱歉" in (await caller.text(SECRET_WORDS, 1)).text
    assert SECRET_WORDS not in caplog.text
    assert "broken" in caplog.text  # the stack says where
    product.dialogue.script = kept
    assert (await caller.text("您好", 2)).text == "1:text:您好"


async def test_a_long_answer_comes_in_pieces(product: RunningTransport, caller: Caller) -> None:
    async def script(_incoming: object, _state: object) -> list[Message]:
        return [Text("请多休息，多喝温水。" * 250)]

    product.dialogue.script = script
    answer = await caller.text("怎么办")
    assert len(answer.text.encode()) <= 2048
    assert answer.text.endswith("。")


async def test_five_thousand_characters_are_heard_whole(product: RunningTransport, caller: Caller) -> None:
    await caller.text("咳" * 5000)
    assert product.dialogue.heard[0].text == "咳" * 5000


async def test_a_caller_who_hangs_up_halfway_leaves_nothing(product: RunningTransport, caller: Caller) -> None:
    port = int(product.url.rsplit(":", 1)[1].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"POST /wechat/callback HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<xml>")
    assert (await caller.text("您好")).text == "1:text:您好"
