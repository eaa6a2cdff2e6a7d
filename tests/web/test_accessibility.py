"""No fault that axe-core calls serious or critical, in any state of the page, light and dark, wide and narrow."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.web.axe import SEVERE, faults
from tests.web.conftest import NARROW, WIDE, Desk, opened_desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = ["王秀英（患者）", "李建国（村医）", "陈明远（专家）"]


@pytest_asyncio.fixture(params=["light", "dark"], loop_scope="module")
async def talkative(request: Any, browser: Browser, pages_folder: Path) -> AsyncIterator[Desk]:
    """A desk whose patient has one message of every kind; the second phone has not followed."""
    async with opened_desk(browser, pages_folder, NAMES, color_scheme=request.param) as desk:
        await _talk(desk)
        await desk.phones[1].unfollow()
        yield desk


async def _talk(desk: Desk) -> None:
    account, phone = desk.account, desk.phone
    buttons = [{"name": "我要问诊", "type": "click", "key": "START"}]
    more = [{"name": "帮助", "type": "click", "key": "HELP"}]
    await account.set_menu([*buttons, {"name": "更多", "sub_button": more}])
    await account.make_qr_code("doctor-7")
    template = (await desk.sandbox.client.account())["templates"][-1]["template_id"]
    await phone.say("你好 https://example.org/a")
    await account.say(phone.openid, '<a href="weixin://bizmsgmenu?msgmenucontent=a&msgmenuid=a">点我</a> https://a.b/c')
    await account.offer(phone.openid, "哪里不舒服？", {"1": "咳嗽"}, "也可以自己写")
    await account.send(
        phone.openid, "news", {"articles": [{"title": "标题", "description": "说明", "url": "http://a.b/"}]}
    )
    data = {"character_string1": "HZ-7", "phrase2": "待分配", "thing3": "已收到", "time4": "2026年11月21日 20:10"}
    await account.card(phone.openid, template, data, "http://127.0.0.1/")
    await phone.send_voice("有一点黄痰")
    await phone.send_location(28.4, 115.3, "柳树村")
    await phone.send_raw({"MsgType": "shortvideo"})
    world = desk.sandbox.world.account
    world.phones.add_message(world.phones.get(phone.openid), "system", "notice", {"text": "以上是历史消息"})


async def _check(desk: Desk) -> None:
    assert await faults(desk.page, SEVERE, frames=False) == []


async def test_chat_menu_profile_and_toolbar_are_clean(talkative: Desk) -> None:
    desk = talkative
    await desk.open()
    await expect(desk.part("bubble-9")).to_be_visible()
    await desk.part("menu-button-1").click()
    await expect(desk.part("menu-button-HELP")).to_be_focused()
    await _check(desk)


async def test_writing_and_the_panel_of_more_are_clean(talkative: Desk) -> None:
    desk = talkative
    await desk.open()
    await desk.part("bar-toggle-{openid}").click()
    await desk.part("plus-{openid}").click()
    await _check(desk)
    await desk.part("input-{openid}").fill("你好")
    await _check(desk)


@pytest.mark.parametrize("sheet", ["voice", "location", "scan"])
async def test_the_sheets_of_the_chat_are_clean(talkative: Desk, sheet: str) -> None:
    desk = talkative
    await desk.open()
    await desk.part("bar-toggle-{openid}").click()
    await desk.part("plus-{openid}").click()
    await desk.part(f"plus-{sheet}-{{openid}}").click()
    if sheet == "scan":
        await expect(desk.part("scan-doctor-7")).to_be_visible()
    await _check(desk)


async def test_the_profile_and_its_sheets_are_clean(talkative: Desk) -> None:
    desk = talkative
    await desk.open()
    await desk.part("profile-open-{openid}").click()
    await _check(desk)
    await desk.part("notices-open-{openid}").click()
    await expect(desk.screen().get_by_role("button", name="允许").first).to_be_visible()
    await _check(desk)
    await desk.page.keyboard.press("Escape")
    await desk.part("unfollow-{openid}").click()
    await _check(desk)


async def test_the_pages_around_the_chat_are_clean(talkative: Desk) -> None:
    desk = talkative
    await desk.open()
    await desk.part("back").click()
    for tab in ("微信", "通讯录", "发现", "我"):
        await desk.screen().get_by_role("button", name=tab, exact=True).click()
        await _check(desk)


async def test_a_web_page_the_journal_the_picker_and_the_help_are_clean(talkative: Desk) -> None:
    desk = talkative
    await desk.open()
    await desk.page.get_by_test_id("journal-open").click()
    await expect(desk.page.get_by_test_id("journal-entry").first).to_be_visible()
    await desk.page.get_by_test_id("phones-open").click()
    await _check(desk)
    await desk.page.keyboard.press("Escape")
    await desk.page.get_by_test_id("help-open").click()
    await expect(desk.page.get_by_role("heading", name="怎么用")).to_be_visible()
    await _check(desk)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_desk_without_phones_is_clean(desk: Desk, size: Any) -> None:
    await desk.sandbox.client.reset()
    await desk.page.set_viewport_size(size)
    await desk.open()
    await _check(desk)


async def test_the_narrow_window_is_clean(pocket: Desk) -> None:
    await _talk(pocket)
    await pocket.open()
    await pocket.account.say(pocket.phones[0].openid, "在")
    await pocket.page.get_by_test_id("tools-open").click()
    await _check(pocket)
