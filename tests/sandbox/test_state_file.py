"""What is kept over a restart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandbox.client import Phone, SandboxError
from sandbox.state_file import StateError, StateFile
from tests.sandbox.conftest import Platform
from tests.support.echo_product import EchoProduct
from tests.support.sandbox import RunningSandbox, running_sandbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "sandbox.json"


def put(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)


def take(path: Path) -> str:
    """What stands in the file, which is gone then; empty without a file."""
    text = path.read_text() if path.exists() else ""
    path.unlink(missing_ok=True)
    return text


@asynccontextmanager
async def kept(path: Path, product: EchoProduct) -> AsyncIterator[tuple[RunningSandbox, Platform]]:
    async with running_sandbox(callback_url=product.url, state=path) as sandbox:
        yield sandbox, Platform(sandbox)


async def test_phones_menus_tags_codes_media_tokens_and_the_clock_survive_a_restart(
    path: Path, product: EchoProduct
) -> None:
    async with kept(path, product) as (sandbox, platform):
        phone = await sandbox.client.phone("王阿姨")
        await phone.follow()
        await phone.say("你好", wait_reply=True)
        await phone.send_image(b"picture", wait_reply=True)
        await platform.send(phone)
        await platform.post("/cgi-bin/menu/create", {"button": [{"type": "click", "name": "问诊", "key": "ask"}]})
        tag_id = await platform.tag(phone, "医生")
        rule = {"button": [{"type": "click", "name": "任务", "key": "t"}], "matchrule": {"tag_id": tag_id}}
        menu_id = (await platform.post("/cgi-bin/menu/addconditional", rule))["menuid"]
        code = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "invite"}}}
        ticket = (await platform.post("/cgi-bin/qrcode/create", code))["ticket"]
        await sandbox.client.advance(86400)
        before = await phone.describe()
        messages = [message.raw for message in await phone.messages()]
        version = (await sandbox.client.clock())["version"]
        token = (await platform.stable_token())["access_token"]

    async with kept(path, product) as (sandbox, platform):
        phone = Phone(sandbox.client, before["openid"])
        assert await phone.describe() == before
        assert [message.raw for message in await phone.messages()] == messages
        assert [button["name"] for button in await phone.menu()] == ["任务"]
        assert (await sandbox.client.qr_codes())[0]["ticket"] == ticket
        clock = await sandbox.client.clock()
        assert clock["offset_seconds"] == 86400
        assert clock["version"] != version
        platform.token = token
        assert await platform.send(phone) == 0
        picture = next(raw for raw in messages if raw["kind"] == "image")
        assert picture["media_id"] in sandbox.world.account.media.kept
        assert await platform.tag(phone, "专家") > tag_id
        again = await platform.post("/cgi-bin/menu/addconditional", rule)
        assert int(again["menuid"]) > int(menu_id)


async def test_an_id_is_never_given_twice_over_a_restart_without_a_state_file(product: EchoProduct) -> None:
    ids = []
    for _ in range(2):
        async with running_sandbox(callback_url=product.url) as sandbox:
            phone = await sandbox.client.phone("王阿姨", "o-wang", following=True)
            ids.append(int((await phone.say("你好"))["msg_id"]))
    assert ids[0] < ids[1]


async def test_without_a_state_file_nothing_is_kept(product: EchoProduct) -> None:
    async with running_sandbox(callback_url=product.url) as sandbox:
        await sandbox.client.phone("王阿姨", "o-wang")
    async with running_sandbox(callback_url=product.url) as sandbox:
        with pytest.raises(SandboxError, match="phone_unknown"):
            await Phone(sandbox.client, "o-wang").describe()


async def test_the_file_is_written_while_running_and_only_when_something_changed(
    path: Path, product: EchoProduct
) -> None:
    async with running_sandbox(callback_url=product.url) as sandbox:
        file = StateFile(path, sandbox.world)
        await sandbox.client.phone("王阿姨", "o-wang")
        await file.save()
        assert "o-wang" in take(path)
        await file.save()
        assert take(path) == ""
        await sandbox.client.phone("李医生")
        await file.save()
        assert "李医生" in take(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "phones": 5}', "\x00"])
async def test_a_file_that_makes_no_sense_stops_the_start_and_is_left_alone(
    path: Path, product: EchoProduct, text: str
) -> None:
    put(path, text)
    with pytest.raises(StateError, match=r"sandbox\.json"):
        async with kept(path, product):
            raise AssertionError("the sandbox started")
    assert take(path) == text
