"""Tags and what WeChat tells of a user."""

from sandbox.client import Phone
from tests.sandbox.conftest import Platform
from tests.support.sandbox import RunningSandbox


async def create(platform: Platform, name: str) -> int:
    answer = await platform.post("/cgi-bin/tags/create", {"tag": {"name": name}})
    number: int = answer["tag"]["id"] if "tag" in answer else answer["errcode"]
    return number


async def test_tags_are_made_given_counted_and_taken(platform: Platform, phone: Phone) -> None:
    tag_id = await platform.tag(phone, "专家")
    assert tag_id >= 100
    assert (await platform.get("/cgi-bin/tags/get"))["tags"] == [{"id": tag_id, "name": "专家", "count": 1}]
    ids = await platform.post("/cgi-bin/tags/getidlist", {"openid": phone.openid})
    assert ids == {"tagid_list": [tag_id]}
    assert (await phone.describe())["tags"] == [tag_id]
    await platform.post("/cgi-bin/tags/update", {"tag": {"id": tag_id, "name": "医生"}})
    await platform.post("/cgi-bin/tags/delete", {"tag": {"id": tag_id}})
    assert (await platform.get("/cgi-bin/tags/get"))["tags"] == []
    assert (await phone.describe())["tags"] == []


async def test_wrong_names_and_ids_are_refused(platform: Platform, phone: Phone) -> None:
    await create(platform, "专家")
    assert await create(platform, "专家") == 45157
    assert await create(platform, "字" * 11) == 45158
    for tag_id, errcode in ((2, 45058), (999, 45159), ("x", 45159)):
        body = {"tagid": tag_id, "openid_list": [phone.openid]}
        assert (await platform.post("/cgi-bin/tags/members/batchtagging", body))["errcode"] == errcode


async def test_a_batch_is_all_or_nothing(sandbox: RunningSandbox, platform: Platform, phone: Phone) -> None:
    tag_id = await create(platform, "专家")

    async def tag(*openids: str) -> int:
        body = {"tagid": tag_id, "openid_list": list(openids)}
        code: int = (await platform.post("/cgi-bin/tags/members/batchtagging", body))["errcode"]
        return code

    assert await tag() == 40032
    assert await tag(*[phone.openid] * 51) == 40032
    assert await tag(phone.openid, "o-nobody") == 40003
    left = await sandbox.client.phone("李医生")
    assert await tag(phone.openid, left.openid) == 49003
    assert (await phone.describe())["tags"] == []


async def test_limits_of_tags_hold(platform: Platform, phone: Phone) -> None:
    for number in range(20):
        await platform.tag(phone, f"标签{number}")
    extra = await create(platform, "多余")
    body = {"tagid": extra, "openid_list": [phone.openid]}
    assert (await platform.post("/cgi-bin/tags/members/batchtagging", body))["errcode"] == 45059
    for number in range(21, 100):
        assert await create(platform, f"标签{number}") >= 100
    assert await create(platform, "第一百零一个") == 45056


async def test_user_info_tells_how_the_user_came_but_no_name(sandbox: RunningSandbox, platform: Platform) -> None:
    phone = await sandbox.client.phone("王阿姨")
    assert (await platform.get("/cgi-bin/user/info", openid=phone.openid))["subscribe"] == 0
    await phone.follow("invite-1")
    info = await platform.get("/cgi-bin/user/info", openid=phone.openid)
    assert (info["subscribe"], info["qr_scene_str"], info["nickname"]) == (1, "invite-1", "")
    assert (await platform.get("/cgi-bin/user/info", openid="o-nobody"))["errcode"] == 40003


async def test_leaving_takes_the_tags_away(platform: Platform, phone: Phone) -> None:
    await platform.tag(phone, "专家")
    await phone.unfollow()
    assert (await phone.describe())["tags"] == []
