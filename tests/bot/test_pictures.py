"""Pictures that people send, and pictures that are sent to them."""

from collections.abc import AsyncIterator

import pytest

from backend.clock import Clock
from backend.db import Database
from backend.errors import InvalidInput
from bot.incoming import Kind
from bot.messages import Picture
from sandbox.client import Phone
from tests.support.sandbox import RunningSandbox
from tests.support.transport import RunningTransport, ScriptedDialogue, local_settings, running_transport
from tests.support.waiting import eventually

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
GET = "/cgi-bin/media/get"


class Files:
    """A file store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, str, str]] = {}

    async def put(self, data: bytes, media_type: str, owner: str) -> str:
        if b"broken" in data:
            raise InvalidInput("文件好像损坏了，请重新拍照发送。")
        self.kept[f"f{len(self.kept)}"] = (data, media_type, owner)
        return f"f{len(self.kept) - 1}"

    async def get(self, file_id: str) -> tuple[bytes, str]:
        return self.kept[file_id][:2]


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
async def running(
    sqlite: Database, clock: Clock, wechat: RunningSandbox, dialogue: ScriptedDialogue, files: Files
) -> AsyncIterator[RunningTransport]:
    settings = local_settings(wechat.base_url)
    async with running_transport(sqlite, clock, settings, dialogue, files=files) as transport:
        await wechat.client.set_callback(transport.url)
        yield transport


@pytest.fixture
async def phone(wechat: RunningSandbox, running: RunningTransport) -> Phone:
    return await wechat.client.phone("王阿姨", following=True)


async def test_a_picture_is_in_the_file_store_when_the_dialogue_hears_of_it(
    phone: Phone, running: RunningTransport, files: Files
) -> None:
    await phone.send_image(PNG, wait_reply=True)
    (incoming,) = running.dialogue.heard
    assert incoming.kind is Kind.IMAGE
    assert files.kept[incoming.file_id] == (PNG, "image/png", incoming.person_id)


async def test_a_picture_that_cannot_be_fetched_now_is_fetched_later_and_what_follows_waits(
    wechat: RunningSandbox, phone: Phone, running: RunningTransport, files: Files
) -> None:
    await wechat.client.fault(path=GET, errcode=-1, times=2)
    await phone.send_image(PNG, wait_reply=True)
    await phone.say("这是我的舌头", wait_reply=True)
    await phone.wait_for("2:text:这是我的舌头", after=0)
    assert [incoming.kind for incoming in running.dialogue.heard] == [Kind.IMAGE, Kind.TEXT]
    assert len(files.kept) == 1


async def test_a_picture_that_wechat_does_not_keep_any_more_comes_as_something_unknown(
    wechat: RunningSandbox, phone: Phone, running: RunningTransport, files: Files
) -> None:
    await wechat.client.fault(path=GET, errcode=40007)
    await phone.send_image(PNG, wait_reply=True)
    assert [incoming.kind for incoming in running.dialogue.heard] == [Kind.OTHER]
    assert files.kept == {}


async def test_a_picture_that_the_file_store_refuses_is_answered_with_its_sentence(
    phone: Phone, running: RunningTransport
) -> None:
    await phone.send_image(PNG + b"broken", wait_reply=True)
    await phone.wait_for("文件好像损坏了")
    assert running.dialogue.heard == []


async def test_a_picture_is_sent_to_others(phone: Phone, running: RunningTransport, files: Files) -> None:
    await phone.send_image(PNG, wait_reply=True)
    person_id = await running.person_of(phone.openid)
    await running.sending.outbox.send(None, person_id, Picture("f0"))
    shown = await phone.wait_for(lambda message: message.kind == "image")
    assert shown.raw["media_id"]
    await eventually(lambda: running.sending.metrics.value("deliveries", outcome="arrived") == 1)
