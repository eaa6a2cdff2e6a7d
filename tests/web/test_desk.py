"""The desk around the phones: which lie on it, the clock, the journal, and one phone in a narrow window."""

import pytest
from playwright.async_api import expect

from tests.web.conftest import NARROW, Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("size", [(1280, 720), (1440, 900), (1920, 1080)])
async def test_three_phones_lie_fully_visible_side_by_side(desk: Desk, size: tuple[int, int]) -> None:
    width, height = size
    await desk.page.set_viewport_size({"width": width, "height": height})
    await desk.open()
    boxes = [await desk.screen(phone).bounding_box() for phone in desk.phones]
    lefts = []
    for box in boxes:
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= height
        lefts.append(box["x"])
    assert lefts == sorted(lefts)


async def test_an_empty_sandbox_offers_three_phones(desk: Desk) -> None:
    await desk.sandbox.client.reset()
    await desk.open()
    await desk.page.get_by_test_id("start-three").click()
    await expect(desk.page.get_by_role("button", name="关注公众号")).to_have_count(3)
    assert len(await desk.sandbox.client.phones()) == 3


async def test_after_a_reset_of_the_sandbox_the_same_person_starts_with_an_empty_chat(desk: Desk) -> None:
    await desk.open()
    for word in ("一", "二", "三"):
        await desk.phone.say(word)
    await expect(desk.part("bubble-3")).to_be_visible()
    await desk.sandbox.client.reset()
    again = await desk.sandbox.client.phone("王秀英（患者）", desk.phone.openid, following=True)
    await again.say("重新来过")
    await expect(desk.part("bubble-1")).to_contain_text("重新来过")
    await expect(desk.part("bubble-2")).to_have_count(0)


async def test_phones_are_hidden_shown_again_and_added_and_the_choice_is_kept(desk: Desk) -> None:
    await desk.open()
    doctor = desk.phones[1]
    await desk.page.get_by_test_id(f"hide-{doctor.openid}").click()
    await expect(desk.screen(doctor)).to_have_count(0)
    await desk.page.reload()
    await expect(desk.screen()).to_be_visible()
    await expect(desk.screen(doctor)).to_have_count(0)
    await desk.page.get_by_test_id("phones-open").click()
    await desk.page.get_by_test_id(f"pick-{doctor.openid}").check()
    await expect(desk.screen(doctor)).to_be_visible()
    await desk.page.get_by_test_id("add-phone-name").fill("患者 老王")
    await desk.page.get_by_test_id("add-phone").click()
    await expect(desk.page.get_by_role("article", name="患者 老王的手机")).to_be_visible()


async def test_a_phone_beside_the_desk_that_gets_news_is_announced_and_swapped_in_for_its_role(desk: Desk) -> None:
    other = await desk.sandbox.client.phone("周立群 主任医师", following=True)
    await desk.open()
    await other.say("在")
    await desk.account.say(other.openid, "有一个会诊邀请")
    button = desk.page.get_by_test_id("phones-open")
    await expect(button.get_by_test_id("unread")).to_contain_text("1")
    await button.click()
    await expect(desk.page.get_by_test_id("picker").get_by_role("listitem").first).to_contain_text("有一个会诊邀请")
    await desk.page.get_by_test_id(f"swap-{other.openid}").click()
    await expect(desk.part("bubble-2", other)).to_be_visible()
    await expect(desk.screen(desk.phones[2])).to_have_count(0)
    await expect(desk.screen(desk.phones[1])).to_be_visible()
    await expect(button.get_by_test_id("unread")).to_have_count(0)


async def test_the_clock_moves_on_and_back_for_page_and_sandbox(desk: Desk) -> None:
    await desk.open()
    for step in ("10m", "1h", "1d"):
        await desk.page.get_by_test_id(f"clock-advance-{step}").click()
        await expect(desk.page.get_by_test_id("clock-reset")).to_be_enabled()
    await expect(desk.page.get_by_test_id("clock-ahead")).to_have_text("快了 1 天 1 小时 10 分钟")
    assert (await desk.sandbox.client.clock())["offset_seconds"] == 86_400 + 3600 + 600
    await desk.page.get_by_test_id("clock-reset").click()
    await expect(desk.page.get_by_test_id("clock-ahead")).to_have_count(0)
    assert (await desk.sandbox.client.clock())["offset_seconds"] == 0


async def test_a_clock_moved_by_somebody_else_is_followed(desk: Desk) -> None:
    await desk.open()
    await desk.sandbox.client.advance(7200)
    await expect(desk.page.get_by_test_id("clock-ahead")).to_have_text("快了 2 小时")


async def test_the_journal_lists_the_calls_newest_first(desk: Desk) -> None:
    await desk.phone.say("你好", wait_reply=True)
    await desk.account.say(desk.phone.openid, "您好")
    await desk.open()
    await desk.page.get_by_test_id("journal-open").click()
    entries = desk.page.get_by_test_id("journal-entry")
    await expect(entries.first).to_contain_text("/cgi-bin/message/custom/send")
    await entries.first.locator("summary").click()
    await expect(entries.first.locator("pre").first).to_contain_text("您好")


async def test_the_chat_list_shows_the_last_message_and_what_is_unread(desk: Desk) -> None:
    await desk.open()
    await desk.phone.say("在吗")
    await expect(desk.part("bubble-1")).to_be_visible()
    await desk.part("back").click()
    await desk.account.say(desk.phone.openid, "在的，您说")
    row = desk.part("chat-row-{openid}")
    await expect(row).to_contain_text("在的，您说")
    await expect(row.get_by_test_id("unread")).to_contain_text("1 个未读")
    async with desk.page.expect_response("**/read"):
        await row.click()
    await expect(desk.part("bubble-2")).to_be_visible()
    await expect(desk.page.get_by_test_id("unread")).to_have_count(0)
    assert (await desk.phone.describe())["unread"] == 0


async def test_a_narrow_window_shows_one_phone_and_counts_the_others_unread(pocket: Desk) -> None:
    await pocket.open()
    patient, doctor = pocket.phones[:2]
    box = await pocket.screen(patient).bounding_box()
    assert box is not None
    assert box["width"] == NARROW["width"]
    await expect(pocket.screen(doctor)).to_be_hidden()
    await doctor.say("在")
    await pocket.account.say(doctor.openid, "有新的任务")
    switch = pocket.page.get_by_test_id(f"switch-{doctor.openid}")
    await expect(switch.get_by_test_id("unread")).to_contain_text("1")
    await switch.click()
    await expect(pocket.part("bubble-2", doctor)).to_be_in_viewport()
    await expect(switch.get_by_test_id("unread")).to_have_count(0)
    width = await pocket.page.evaluate("document.documentElement.scrollWidth")
    assert width == NARROW["width"]


async def test_motion_is_left_out_where_people_ask_for_it(desk: Desk) -> None:
    await desk.open()
    await desk.part("plus-{openid}").click()
    await desk.part("plus-scan-{openid}").click()
    duration = await desk.screen().locator(".beam").evaluate("element => getComputedStyle(element).animationDuration")
    assert duration in ("0.001s", "1ms")


async def test_another_origin_can_neither_be_loaded_nor_called(desk: Desk) -> None:
    await desk.open()
    policy = await desk.page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert policy is not None
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy.split("; "))
    refused = await desk.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'answered', () => 'refused')")
    assert refused == "refused"
    assert any("Content Security Policy" in problem for problem in desk.problems)
    desk.problems.clear()
