"""The chat on a phone: what is sent, what is shown, what can be tapped."""

import re

import pytest
from playwright.async_api import Route, expect

from tests.web.conftest import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

# 1 × 1 pixel
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


async def test_a_text_sent_with_enter_is_shown_once_and_reaches_the_account(desk: Desk) -> None:
    await desk.open()
    await desk.part("input-{openid}").fill("我咳嗽三天了")
    await desk.part("input-{openid}").press("Enter")
    await desk.callback_with("我咳嗽三天了")
    await expect(desk.screen().get_by_text("我咳嗽三天了")).to_have_count(1)
    await expect(desk.part("bubble-1")).to_contain_text("我咳嗽三天了")
    await expect(desk.part("input-{openid}")).to_have_value("")


async def test_shift_enter_makes_a_new_line_and_the_button_sends_it(desk: Desk) -> None:
    await desk.open()
    await desk.part("input-{openid}").fill("第一行")
    await desk.part("input-{openid}").press("Shift+Enter")
    await desk.page.keyboard.type("第二行")
    await desk.part("send-{openid}").click()
    await desk.callback_with("第一行\n第二行")
    await expect(desk.part("bubble-1")).to_contain_text("第二行")


async def test_a_text_on_its_way_shows_that_it_is_being_sent_and_can_be_sent_again_after_a_failure(desk: Desk) -> None:
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await desk.open()
    await desk.page.route("**/text", hold)
    await desk.part("input-{openid}").fill("喂")
    await desk.part("input-{openid}").press("Enter")
    await expect(desk.screen().get_by_label("正在发送")).to_be_visible()
    await expect(desk.screen().get_by_text("喂")).to_be_visible()
    await held[0].abort()
    failed = desk.screen().get_by_role("button", name=re.compile("重发"))
    await expect(failed).to_be_visible()
    assert desk.problems.pop().startswith("Failed to load resource")

    await desk.page.unroute("**/text")
    await failed.click()
    await expect(desk.part("bubble-1")).to_contain_text("喂")
    await expect(failed).to_have_count(0)
    await expect(desk.screen().get_by_text("喂")).to_have_count(1)


async def test_texts_written_in_quick_succession_arrive_in_their_order(desk: Desk) -> None:
    await desk.open()
    words = [f"第{number}句" for number in range(1, 9)]
    for word in words:
        await desk.part("input-{openid}").fill(word)
        await desk.part("input-{openid}").press("Enter")
    await expect(desk.part("bubble-8")).to_be_visible()
    assert [message.text for message in await desk.phone.messages()] == words
    await expect(desk.screen().get_by_label("正在发送")).to_have_count(0)


async def test_an_item_of_a_menu_message_can_be_tapped(desk: Desk) -> None:
    await desk.open()
    await desk.phone.say("在吗")
    await desk.account.offer(desk.phone.openid, "咳了多久？", {"d3": "三天以内", "d7": "一周左右"}, "也可以自己写")
    await expect(desk.part("bubble-2")).to_contain_text("也可以自己写")
    await desk.part("item-2-d7").click()
    await desk.callback_with("一周左右", "<bizmsgmenuid><![CDATA[d7]]></bizmsgmenuid>")
    await expect(desk.part("bubble-3")).to_contain_text("一周左右")


async def test_a_tappable_sentence_inside_a_text_can_be_tapped(desk: Desk) -> None:
    await desk.open()
    await desk.phone.say("在吗")
    anchor = '<a href="weixin://bizmsgmenu?msgmenucontent=没有发烧&msgmenuid=no-fever">没有发烧</a>'
    await desk.account.say(desk.phone.openid, f"发烧吗？\n{anchor}")
    await expect(desk.part("bubble-2")).not_to_contain_text("weixin://")
    await desk.part("item-2-no-fever").click()
    await desk.callback_with("没有发烧", "no-fever")


async def test_tags_in_names_texts_and_cards_are_shown_as_text(desk: Desk) -> None:
    evil = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    other = await desk.sandbox.client.phone(evil[:64], following=True)
    await desk.phone.say(evil)
    await desk.account.say(desk.phone.openid, evil)
    await desk.account.offer(desk.phone.openid, evil, {"1": evil}, evil)
    await desk.account.send(desk.phone.openid, "news", {"articles": [{"title": evil, "description": evil}]})
    await desk.phone.send_location(1, 2, evil)
    await desk.phone.send_voice(evil)
    await desk.open()
    for seq in range(1, 7):
        await expect(desk.part(f"bubble-{seq}")).to_contain_text("<script>document.title='taken'</script>")
    await desk.page.get_by_test_id("phones-open").click()
    await expect(desk.page.get_by_test_id("picker")).to_contain_text("<img src=x onerror")
    await desk.page.get_by_test_id(f"pick-{other.openid}").check()
    await expect(desk.screen(other)).to_be_visible()
    assert await desk.page.title() == "桥医 · 本地微信"
    assert await desk.page.locator("img[src='x'], body script").count() == 0


async def test_only_web_addresses_become_links_and_they_open_inside_the_phone(desk: Desk) -> None:
    await desk.open()
    target = f"{desk.sandbox.base_url}/api/clock"
    await desk.phone.say("在吗")
    await desk.account.say(desk.phone.openid, f'<a href="javascript:alert(1)">坏的</a> <a href="{target}">说明</a>')
    bubble = desk.part("bubble-2")
    await expect(bubble).to_contain_text('<a href="javascript:alert(1)">坏的</a>')
    await expect(bubble.get_by_role("link")).to_have_count(1)
    # At once, not by pressing and letting go: the chat scrolls to a new message, and may do so in between.
    await bubble.get_by_role("link", name="说明").dispatch_event("click")
    sheet = desk.part("webview")
    await expect(sheet.locator("iframe")).to_have_attribute("src", target)
    # A page of the sandbox's own origin must not be able to reach out of its frame.
    await expect(sheet.locator("iframe")).not_to_have_attribute("sandbox", re.compile("allow-same-origin"))
    await desk.page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)


async def test_a_template_card_shows_its_fields_and_opens_its_page(desk: Desk) -> None:
    await desk.open()
    template = next(entry for entry in (await desk.sandbox.client.account())["templates"] if "进度" in entry["title"])
    data = {"character_string1": "HZ-7", "phrase2": "待分配", "thing3": "村医已收到", "time4": "2026年11月21日 20:10"}
    await desk.account.card(desk.phone.openid, template["template_id"], data, f"{desk.sandbox.base_url}/api/clock")
    card = desk.part("bubble-1")
    await expect(card.get_by_role("heading", name=template["title"])).to_be_visible()
    assert await card.locator("dd").all_inner_texts() == list(data.values())
    await desk.part("detail-1").click()
    await expect(desk.part("webview")).to_be_visible()


async def test_notifications_come_after_they_were_allowed_in_the_profile(desk: Desk) -> None:
    await desk.open()
    templates = (await desk.sandbox.client.account())["subscribe_templates"]
    template = next(entry for entry in templates if "预约" in entry["title"])
    await desk.part("profile-open-{openid}").click()
    await desk.part("notices-open-{openid}").click()
    await desk.part(f"consent-accept-{template['template_id']}").click()
    await expect(desk.screen().get_by_text("还能收 1 条")).to_be_visible()
    data = {"name1": "王秀英", "thing2": "陈主任", "time3": "2026年11月22日 09:00", "thing4": "请提前十分钟"}
    await desk.account.notify(desk.phone.openid, template["template_id"], data)
    await desk.page.keyboard.press("Escape")
    await desk.part("enter-chat-{openid}").click()
    await expect(desk.part("bubble-1")).to_contain_text("请提前十分钟")


async def test_a_picture_is_sent_shown_and_enlarged(desk: Desk) -> None:
    await desk.open()
    await desk.part("plus-{openid}").click()
    await desk.part("file-{openid}").set_input_files({"name": "舌苔.png", "mimeType": "image/png", "buffer": PNG})
    await desk.callback_with("<MsgType><![CDATA[image]]></MsgType>")
    await desk.part("bubble-1").get_by_role("button", name="放大图片").click()
    await expect(desk.part("image-viewer")).to_be_visible()
    await desk.page.keyboard.press("Escape")
    await expect(desk.part("image-viewer")).to_have_count(0)


async def test_a_picture_that_is_too_large_is_refused_with_a_sentence(desk: Desk) -> None:
    await desk.open()
    await desk.part("plus-{openid}").click()
    file = {"name": "大.png", "mimeType": "image/png", "buffer": bytes(10 * 1024 * 1024 + 1)}
    await desk.part("file-{openid}").set_input_files(file)  # type: ignore[arg-type]
    await expect(desk.part("toast")).to_have_text("图片太大了，最多 10 MB")
    assert await desk.phone.messages() == []


async def test_a_voice_message_shows_what_was_recognised(desk: Desk) -> None:
    await desk.open()
    await desk.part("voice-open-{openid}").click()
    await desk.part("voice-input-{openid}").fill("有一点黄痰")
    await desk.part("voice-send-{openid}").click()
    await desk.callback_with("<Recognition><![CDATA[有一点黄痰]]></Recognition>")
    await expect(desk.part("bubble-1")).to_contain_text("有一点黄痰")


async def test_a_place_is_sent_from_the_list_and_a_wrong_one_is_refused(desk: Desk) -> None:
    await desk.open()
    await desk.part("plus-{openid}").click()
    await desk.part("plus-location-{openid}").click()
    await desk.part("lat-{openid}").fill("91")
    await desk.part("lon-{openid}").fill("115")
    await desk.part("lon-{openid}").press("Enter")
    await expect(desk.part("toast")).to_contain_text("纬度")
    await desk.part("place-liushu-{openid}").click()
    await desk.callback_with("<Label><![CDATA[柳树村村口]]></Label>")
    await expect(desk.part("bubble-1")).to_contain_text("柳树村村口")


async def test_the_typing_sign_shows_until_the_answer_comes(desk: Desk) -> None:
    await desk.open()
    title = desk.part("chat-{openid}").get_by_role("heading", level=2)
    await desk.phone.say("在吗")
    await desk.account.show_typing(desk.phone.openid)
    await expect(title).to_have_text("对方正在输入…")
    await desk.account.say(desk.phone.openid, "在")
    await expect(title).to_have_text("桥医")


async def test_a_new_message_is_announced_to_screen_readers(desk: Desk) -> None:
    await desk.phone.say("在吗")
    await desk.open()
    await expect(desk.part("bubble-1")).to_be_visible()
    await expect(desk.part("live-{openid}")).to_be_empty()
    await desk.account.offer(desk.phone.openid, "咳了多久？", {"d3": "三天以内"})
    await expect(desk.part("live-{openid}")).to_have_text("桥医：咳了多久？；三天以内")


async def test_a_long_chat_opens_at_its_end_and_gives_older_messages_on_demand(desk: Desk) -> None:
    phone = desk.sandbox.world.account.phones.get(desk.phone.openid)
    for number in range(400):
        desk.sandbox.world.account.phones.add_message(phone, "account", "text", {"text": f"第 {number + 1} 条"})
    await desk.open()
    await expect(desk.part("bubble-400")).to_be_in_viewport()
    await expect(desk.part("bubble-250")).to_have_count(0)
    await desk.screen().get_by_role("button", name="查看更早的消息").click()
    await expect(desk.part("bubble-101")).to_have_count(1)
    await expect(desk.part("bubble-251")).to_be_in_viewport()


async def test_reading_further_up_is_not_disturbed_by_a_new_message(desk: Desk) -> None:
    phone = desk.sandbox.world.account.phones.get(desk.phone.openid)
    for number in range(60):
        desk.sandbox.world.account.phones.add_message(phone, "account", "text", {"text": f"第 {number + 1} 条"})
    await desk.open()
    await desk.part("bubble-60").hover()
    await desk.page.mouse.wheel(0, -1500)
    await expect(desk.part("bubble-60")).not_to_be_in_viewport()
    desk.sandbox.world.account.phones.add_message(phone, "account", "text", {"text": "新的"})
    more = desk.screen().get_by_role("button", name="1 条新消息")
    await expect(more).to_be_visible()
    await expect(desk.part("bubble-61")).not_to_be_in_viewport()
    await more.click()
    await expect(desk.part("bubble-61")).to_be_in_viewport()


async def test_what_was_missed_while_the_stream_was_down_is_fetched(desk: Desk) -> None:
    await desk.open()
    await desk.phone.say("第一句")
    await expect(desk.part("bubble-1")).to_be_visible()
    desk.sandbox.world.stream.close()
    await desk.phone.say("断线时说的")
    await expect(desk.part("bubble-2")).to_contain_text("断线时说的", timeout=15_000)
    await expect(desk.page.get_by_test_id("connection")).to_contain_text("已连接")
