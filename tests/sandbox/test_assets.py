"""QR codes with a scene, and temporary media."""

import io
from typing import Any

import aiohttp
import pytest

from sandbox.client import Phone, SandboxError
from tests.sandbox.conftest import Platform
from tests.support.echo_product import EchoProduct
from tests.support.sandbox import RunningSandbox


async def create_code(platform: Platform, action: str, scene: Any, **more: Any) -> Any:
    name = "scene_str" if "STR" in action else "scene_id"
    body = {"action_name": action, "action_info": {"scene": {name: scene}}, **more}
    return await platform.post("/cgi-bin/qrcode/create", body)


async def fetch(url: str) -> tuple[int, str, bytes]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, response.content_type, await response.read()


async def upload(platform: Platform, kind: str, name: str, data: bytes) -> Any:
    form = aiohttp.FormData()
    form.add_field("media", io.BytesIO(data), filename=name, content_type="image/png")
    token = (await platform.stable_token())["access_token"]
    return await platform.client.call("POST", "/cgi-bin/media/upload", form, type=kind, access_token=token)


async def test_a_code_is_drawn_listed_and_scanned(
    sandbox: RunningSandbox, platform: Platform, product: EchoProduct
) -> None:
    made = await create_code(platform, "QR_STR_SCENE", "invite-7", expire_seconds=600)
    status, content_type, picture = await fetch(f"{sandbox.base_url}/cgi-bin/showqrcode?ticket={made['ticket']}")
    assert (status, content_type, picture[:4]) == (200, "image/png", b"\x89PNG")
    assert [code["scene"] for code in await sandbox.client.qr_codes()] == ["invite-7"]
    doctor = await sandbox.client.phone("李医生")
    await doctor.scan("invite-7")
    await doctor.scan("invite-7")
    follow, scan = await product.wait_for_count(2)
    assert (follow["Event"], follow["EventKey"]) == ("subscribe", "qrscene_invite-7")
    assert (scan["Event"], scan["EventKey"]) == ("SCAN", "invite-7")
    assert follow["Ticket"] == scan["Ticket"] == made["ticket"]


async def test_a_temporary_code_ends_and_a_permanent_one_does_not(
    sandbox: RunningSandbox, platform: Platform, phone: Phone
) -> None:
    made = await create_code(platform, "QR_STR_SCENE", "short", expire_seconds=600)
    await create_code(platform, "QR_LIMIT_STR_SCENE", "always")
    await sandbox.client.advance(600)
    with pytest.raises(SandboxError, match="qr_code_expired"):
        await phone.scan("short")
    await phone.scan("always")
    assert (await fetch(f"{sandbox.base_url}/cgi-bin/showqrcode?ticket={made['ticket']}"))[0] == 404
    assert {code["scene"]: code["expired"] for code in await sandbox.client.qr_codes()} == {
        "short": True,
        "always": False,
    }


@pytest.mark.parametrize(
    ("action", "scene", "seconds"),
    [
        ("QR_STR_SCENE", "", 60),
        ("QR_STR_SCENE", "s" * 65, 60),
        ("QR_STR_SCENE", "s", 30 * 86400 + 1),
        ("QR_STR_SCENE", "s", 0),
        ("QR_SCENE", 0, 60),
        ("QR_LIMIT_SCENE", 100_001, 60),
        ("QR_DANCE", "s", 60),
    ],
)
async def test_a_code_beyond_the_limits_is_refused(platform: Platform, action: str, scene: Any, seconds: int) -> None:
    assert (await create_code(platform, action, scene, expire_seconds=seconds))["errcode"] == 40053


async def test_media_come_back_for_three_days(sandbox: RunningSandbox, platform: Platform) -> None:
    media_id = (await upload(platform, "image", "a.png", b"picture"))["media_id"]
    token = (await platform.stable_token())["access_token"]
    url = f"{sandbox.base_url}/cgi-bin/media/get?media_id={media_id}&access_token="
    assert await fetch(url + token) == (200, "image/png", b"picture")
    await sandbox.client.advance(3 * 86400)
    platform.token = ""
    assert (await platform.get("/cgi-bin/media/get", media_id=media_id))["errcode"] == 40007
    assert (await fetch(f"{sandbox.base_url}/api/media/{media_id}"))[2] == b"picture"


@pytest.mark.parametrize(
    ("kind", "name", "size", "errcode"),
    [
        ("picture", "a.png", 1, 40004),
        ("image", "a.exe", 1, 40005),
        ("image", "a.png", 0, 40006),
        ("image", "a.png", (10 << 20) + 1, 40006),
        ("voice", "a.amr", (2 << 20) + 1, 40006),
        ("thumb", "a.jpg", (64 << 10) + 1, 40006),
    ],
)
async def test_uploads_beyond_the_limits_are_refused(
    platform: Platform, kind: str, name: str, size: int, errcode: int
) -> None:
    assert (await upload(platform, kind, name, b"x" * size))["errcode"] == errcode


async def test_the_largest_image_is_taken(platform: Platform) -> None:
    assert "media_id" in await upload(platform, "image", "a.png", b"x" * (10 << 20))


async def test_memory_for_media_and_codes_is_bounded(
    sandbox: RunningSandbox, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.wechat.media.MAX_KEPT_BYTES", 10)
    monkeypatch.setattr("sandbox.wechat.qr_codes.MAX_KEPT", 2)
    first, second = [(await upload(platform, "image", "a.png", b"123456"))["media_id"] for _ in range(2)]
    assert list(sandbox.world.account.media.kept) == [second] != [first]
    for scene in ("a", "b", "c"):
        await create_code(platform, "QR_LIMIT_STR_SCENE", scene)
    assert [code["scene"] for code in await sandbox.client.qr_codes()] == ["c", "b"]
    assert "a" not in sandbox.world.account.qr_codes.by_scene


async def test_a_picture_from_a_phone_can_be_fetched_by_the_product(
    platform: Platform, product: EchoProduct, phone: Phone
) -> None:
    await phone.send_image(b"rash", "rash.jpg", wait_reply=True)
    received = product.received[0]
    assert received["MsgType"] == "image"
    assert (await fetch(received["PicUrl"]))[2] == b"rash"
    token = (await platform.stable_token())["access_token"]
    url = f"{platform.client.base_url}/cgi-bin/media/get?media_id={received['MediaId']}&access_token={token}"
    assert (await fetch(url))[2] == b"rash"


async def test_an_upload_without_a_file_is_refused(platform: Platform) -> None:
    assert (await platform.post("/cgi-bin/media/upload", {}))["errcode"] == 41005
