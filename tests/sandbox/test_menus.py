"""The default menu, conditional menus by tag, and their limits."""

from typing import Any

import pytest

from sandbox.client import Phone, SandboxError
from tests.sandbox.conftest import Platform
from tests.support.echo_product import EchoProduct

HELP = {"type": "view", "name": "使用说明", "url": "http://a.cn/help"}
ASK = {"type": "click", "name": "我要问诊", "key": "ask"}
TASKS = {"type": "click", "name": "我的任务", "key": "tasks"}
MORE = {"name": "更多", "sub_button": [HELP]}


async def create(platform: Platform, *buttons: dict[str, Any]) -> int:
    code: int = (await platform.post("/cgi-bin/menu/create", {"button": list(buttons)}))["errcode"]
    return code


async def test_a_menu_is_created_shown_and_pressed(platform: Platform, product: EchoProduct, phone: Phone) -> None:
    assert await phone.menu() == []
    assert await create(platform, ASK, MORE) == 0
    assert await phone.menu() == [ASK, MORE]
    await phone.press("我要问诊", wait_reply=True)
    assert (product.received[0]["Event"], product.received[0]["EventKey"]) == ("CLICK", "ask")
    assert (await phone.press("使用说明", wait_reply=True))["url"] == "http://a.cn/help"
    assert (product.received[1]["Event"], product.received[1]["EventKey"]) == ("VIEW", "http://a.cn/help")
    assert (await phone.press("http://a.cn/help"))["url"] == "http://a.cn/help"
    with pytest.raises(SandboxError, match="menu_key_unknown"):
        await phone.press("不存在")
    assert await phone.messages() == []


async def test_a_tag_brings_a_menu_of_its_own(platform: Platform, phone: Phone) -> None:
    await create(platform, ASK)
    tag_id = await platform.tag(phone, "医生")
    body = {"button": [TASKS], "matchrule": {"tag_id": tag_id}}
    menu_id = (await platform.post("/cgi-bin/menu/addconditional", body))["menuid"]
    assert await phone.menu() == [TASKS]
    matched = await platform.post("/cgi-bin/menu/trymatch", {"user_id": phone.openid})
    assert matched == {"button": [TASKS]}
    shown = await platform.get("/cgi-bin/menu/get")
    assert shown["menu"]["button"] == [ASK]
    assert shown["conditionalmenu"][0]["matchrule"] == {"tag_id": str(tag_id)}
    untag = {"tagid": tag_id, "openid_list": [phone.openid]}
    await platform.post("/cgi-bin/tags/members/batchuntagging", untag)
    assert await phone.menu() == [ASK]
    await platform.post("/cgi-bin/tags/members/batchtagging", untag)
    assert (await platform.post("/cgi-bin/menu/delconditional", {"menuid": menu_id}))["errcode"] == 0
    assert await phone.menu() == [ASK]
    assert (await platform.post("/cgi-bin/menu/delconditional", {"menuid": menu_id}))["errcode"] == 65301


async def test_the_conditional_menu_added_last_wins(platform: Platform, phone: Phone) -> None:
    await create(platform, ASK)
    for name in ("医生", "专家"):
        rule = {"tag_id": str(await platform.tag(phone, name))}
        body = {"button": [{"type": "click", "name": name, "key": name}], "matchrule": rule}
        await platform.post("/cgi-bin/menu/addconditional", body)
    assert [button["name"] for button in await phone.menu()] == ["专家"]


async def test_deleting_the_menu_deletes_the_conditional_ones(platform: Platform, phone: Phone) -> None:
    await create(platform, ASK)
    rule = {"tag_id": await platform.tag(phone, "医生")}
    await platform.post("/cgi-bin/menu/addconditional", {"button": [TASKS], "matchrule": rule})
    assert (await platform.get("/cgi-bin/menu/delete"))["errcode"] == 0
    assert await phone.menu() == []
    assert (await platform.get("/cgi-bin/menu/get"))["errcode"] == 46003


async def test_a_conditional_menu_needs_a_default_one_a_rule_and_a_tag_that_exists(platform: Platform) -> None:
    async def add(rule: Any) -> int:
        body = {"button": [TASKS], "matchrule": rule}
        code: int = (await platform.post("/cgi-bin/menu/addconditional", body)).get("errcode", 0)
        return code

    assert await add({"tag_id": 100}) == 65303
    await create(platform, ASK)
    assert [await add(None), await add({"tag_id": ""}), await add({"tag_id": 100})] == [65304, 65304, 45159]


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([], 40016),
        ([ASK] * 4, 40016),
        ([ASK | {"name": "六个汉字超了"}], 40018),
        ([ASK | {"name": ""}], 40018),
        ([ASK | {"type": "dance"}], 40017),
        ([ASK | {"key": "k" * 129}], 40019),
        ([{"type": "view", "name": "页", "url": "u" * 1025}], 40020),
        ([MORE | {"sub_button": [HELP] * 6}], 40023),
        ([MORE | {"sub_button": [ASK | {"name": "字" * 21}]}], 40025),
        ([MORE | {"sub_button": [ASK | {"key": ""}]}], 40026),
        (["text"], 47001),
    ],
)
async def test_a_menu_beyond_the_limits_is_refused(
    platform: Platform, buttons: list[dict[str, Any]], errcode: int
) -> None:
    assert await create(platform, *buttons) == errcode
    assert (await platform.get("/cgi-bin/menu/get"))["errcode"] == 46003


async def test_names_of_16_and_60_bytes_are_just_allowed(platform: Platform) -> None:
    sub = {"type": "click", "name": "字" * 20, "key": "k" * 128}
    assert await create(platform, {"name": "五个汉字了a", "sub_button": [sub] * 5}) == 0
