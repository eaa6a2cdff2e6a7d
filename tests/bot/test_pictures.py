"""Pictures that people send, and pictures that are sent to them."""

import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from backend.clock import Clock
from backend.db import Database
from backend.files import FileStore
from bot.incoming import Incoming, Kind
from bot.messages import Picture
from sandbox.client import Phone
from tests.support.pictures import jpeg, quarters
from tests.support.sandbox import RunningSandbox
from tests.support.transport import RunningTransport, ScriptedDialogue, local_settings, running_transport
from tests.support.waiting import eventually

GET = "/cgi-bin/media/get"
CANARY = "PLACE-WHERE-SHE-LIVES"
FILM = jpeg()


@pytest.fixture
def files(sqlite: Database, clock: Clock, tmp_path: Path) -> Iterator[FileStore]:
    made = FileStore(sqlite, tmp_path / "files", clock)
    yield made
    made.close()


@pytest.fixture
async def running(
    sqlite: Database, clock: Clock, wechat: RunningSandbox, dialogue: ScriptedDialogue, files: FileStore
) -> AsyncIterator[RunningTransport]:
    settings = local_settings(wechat.base_url)
    async with running_transport(sqlite, clock, settings, dialogue, files=files) as transport:
        await wechat.client.set_callback(transport.url)
        yield transport


@pytest.fixture
async def phone(wechat: RunningSandbox, running: RunningTransport) -> Phone:
    return await wechat.client.phone("王阿姨", following=True)


async def first(running: RunningTransport) -> Incoming:
    """Wait for the first message: a picture that is not cleaned in time has its turn later."""
    await eventually(lambda: bool(running.dialogue.heard))
    return running.dialogue.heard[0]


async def test_a_picture_is_in_the_file_store_when_the_dialogue_hears_of_it(
    phone: Phone, running: RunningTransport, files: FileStore
) -> None:
    await phone.send_image(FILM, "film.jpg", wait_reply=True)
    incoming = await first(running)
    assert incoming.kind is Kind.IMAGE
    assert (await files.describe(incoming.file_id)).owner_id == incoming.person_id
    data, media_type = await files.get(incoming.file_id)
    assert (media_type, Image.open(io.BytesIO(data)).size) == ("image/jpeg", quarters().size)


async def test_what_a_phone_writes_beside_the_picture_is_gone_before_it_is_kept(
    phone: Phone, running: RunningTransport, files: FileStore
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = CANARY
    await phone.send_image(jpeg(exif=exif, comment=CANARY), "film.jpg", wait_reply=True)
    incoming = await first(running)
    data, _ = await files.get(incoming.file_id)
    assert CANARY.encode() not in data


async def test_a_picture_that_cannot_be_fetched_now_is_fetched_later_and_what_follows_waits(
    wechat: RunningSandbox, phone: Phone, running: RunningTransport, files: FileStore
) -> None:
    await wechat.client.fault(path=GET, errcode=-1, times=2)
    await phone.send_image(FILM, "film.jpg", wait_reply=True)
    await phone.say("这是我的舌头", wait_reply=True)
    await phone.wait_for("2:text:这是我的舌头", after=0)
    assert [incoming.kind for incoming in running.dialogue.heard] == [Kind.IMAGE, Kind.TEXT]
    assert (await files.describe(running.dialogue.heard[0].file_id)).media_type == "image/jpeg"


async def test_a_picture_that_wechat_does_not_keep_any_more_comes_as_something_unknown(
    wechat: RunningSandbox, phone: Phone, running: RunningTransport
) -> None:
    await wechat.client.fault(path=GET, errcode=40007)
    await phone.send_image(FILM, "film.jpg", wait_reply=True)
    assert (await first(running)).kind is Kind.OTHER


async def test_a_picture_that_the_file_store_refuses_is_answered_with_its_sentence(
    phone: Phone, running: RunningTransport
) -> None:
    await phone.send_image(FILM[:-200], "film.jpg", wait_reply=True)
    await phone.wait_for("这张图片打不开")
    assert running.dialogue.heard == []


async def test_a_picture_is_sent_to_others(phone: Phone, running: RunningTransport) -> None:
    await phone.send_image(FILM, "film.jpg", wait_reply=True)
    sent = await first(running)
    person_id = await running.person_of(phone.openid)
    await running.sending.outbox.send(None, person_id, Picture(sent.file_id))
    shown = await phone.wait_for(lambda message: message.kind == "image")
    assert shown.raw["media_id"]
    await eventually(lambda: running.sending.metrics.value("deliveries", outcome="arrived") == 1)
