"""Following, the account's menu, scanning: what surrounds the chat."""

import pytest
from playwright.async_api import expect

from tests.web.conftest import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _menu(address: str) -> list[dict[str, object]]:
    more = [
        {"name": "联系人工", "type": "click", "key": "HUMAN"},
        {"name": "隐私说明", "type": "view", "url": address},
    ]
    return [{"name": "我要问诊", "type": "click", "key": "START"}, {"name": "更多", "sub_button": more}]


async def test_a_newcomer_follows_on_the_profile_page_and_comes_to_the_chat(desk: Desk) -> None:
    newcomer = await desk.sandbox.client.phone("患者 新来的")
    await desk.open()
    await desk.page.get_by_test_id("phones-open").click()
    await desk.page.get_by_test_id(f"pick-{newcomer.openid}").check()
    await desk.page.keyboard.press("Escape")
    await desk.part("follow-{openid}", newcomer).click()
    await expect(desk.part("chat-{openid}", newcomer)).to_be_visible()
    assert (await newcomer.describe())["following"] is True


async def test_unfollowing_asks_first_and_leads_back_to_the_profile(desk: Desk) -> None:
    await desk.open()
    await desk.part("profile-open-{openid}").click()
    await desk.part("unfollow-{openid}").click()
    await desk.part("unfollow-confirm-{openid}").click()
    await expect(desk.part("follow-{openid}")).to_be_visible()
    await desk.callback_with("<Event><![CDATA[unsubscribe]]></Event>")


async def test_the_menu_sends_its_key_and_turns_into_the_keyboard_and_back(desk: Desk) -> None:
    await desk.account.set_menu(_menu(f"{desk.sandbox.base_url}/api/clock"))
    await desk.open()
    await expect(desk.part("input-{openid}")).to_have_count(0)
    await desk.part("menu-button-START").click()
    await desk.callback_with("<Event><![CDATA[CLICK]]></Event>", "<EventKey><![CDATA[START]]></EventKey>")
    await desk.part("bar-toggle-{openid}").click()
    await expect(desk.part("input-{openid}")).to_be_focused()
    await desk.part("bar-toggle-{openid}").click()
    await expect(desk.part("menu-button-START")).to_be_visible()


async def test_a_sub_menu_opens_by_keyboard_closes_with_escape_and_sends_its_key(desk: Desk) -> None:
    await desk.account.set_menu(_menu(f"{desk.sandbox.base_url}/api/clock"))
    await desk.open()
    more = desk.part("menu-button-1")
    await more.focus()
    await desk.page.keyboard.press("Enter")
    await expect(desk.part("menu-button-HUMAN")).to_be_focused()
    await desk.page.keyboard.press("Escape")
    await expect(desk.part("menu-button-HUMAN")).to_have_count(0)
    await expect(more).to_be_focused()
    await more.click()
    await desk.part("menu-button-HUMAN").click()
    await desk.callback_with("<EventKey><![CDATA[HUMAN]]></EventKey>")


async def test_a_button_that_leads_to_a_page_opens_it_inside_the_phone(desk: Desk) -> None:
    target = f"{desk.sandbox.base_url}/api/clock"
    await desk.account.set_menu(_menu(target))
    await desk.open()
    await desk.part("menu-button-1").click()
    await desk.part("menu-button-1-1").click()
    await expect(desk.part("webview").locator("iframe")).to_have_attribute("src", target)
    await desk.part("webview-close").click()
    await expect(desk.part("menu-button-START")).to_be_visible()


async def test_a_menu_that_is_made_later_appears_by_itself(desk: Desk) -> None:
    await desk.open()
    await expect(desk.part("input-{openid}")).to_be_visible()
    await desk.account.set_menu(_menu("http://127.0.0.1/"))
    await expect(desk.part("menu-button-START")).to_be_visible()


async def test_a_follower_scans_a_code_from_the_list(desk: Desk) -> None:
    await desk.account.make_qr_code("doctor-7")
    await desk.open()
    await desk.part("plus-{openid}").click()
    await desk.part("plus-scan-{openid}").click()
    await desk.part("scan-doctor-7").click()
    await desk.callback_with("<Event><![CDATA[SCAN]]></Event>", "<EventKey><![CDATA[doctor-7]]></EventKey>")
    await expect(desk.part("chat-{openid}")).to_be_visible()


async def test_who_scans_before_following_follows_with_the_scene(desk: Desk) -> None:
    await desk.phone.unfollow()
    await desk.open()
    await desk.part("scan-open-{openid}").click()
    await desk.part("scan-input-{openid}").fill("expert-91")
    await desk.part("scan-submit-{openid}").click()
    await desk.part("follow-{openid}").click()
    await desk.callback_with("<Event><![CDATA[subscribe]]></Event>", "qrscene_expert-91")
    await expect(desk.part("chat-{openid}")).to_be_visible()


async def test_a_refusal_of_the_sandbox_is_shown_as_its_sentence(desk: Desk) -> None:
    await desk.account.make_qr_code("gone")
    code = desk.sandbox.world.account.qr_codes.by_scene["gone"]
    code.expires_at = 0
    await desk.open()
    await desk.part("plus-{openid}").click()
    await desk.part("plus-scan-{openid}").click()
    await expect(desk.part("scan-gone")).to_contain_text("已过期")
    await desk.part("scan-gone").click()
    await expect(desk.part("toast")).to_have_text("这个二维码已经过期了。")
    assert desk.problems.pop().startswith("Failed to load resource")
