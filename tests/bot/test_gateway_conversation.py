"""Somebody writes, and is answered."""

from bot.dialogue import ConversationState
from bot.incoming import Incoming
from bot.messages import Choice, Menu, Message, Text
from tests.support.sandbox import RunningSandbox
from tests.support.transport import RunningTransport, ScriptedDialogue


async def test_a_text_is_answered_in_the_callback(wechat: RunningSandbox, transport: RunningTransport) -> None:
    phone = await wechat.client.phone("王阿姨")
    await phone.follow(wait_reply=True)
    await phone.say("我咳嗽", wait_reply=True)
    message = await phone.wait_for("2:text:我咳嗽")
    assert message.raw["via"] == "reply"


async def test_a_menu_is_pushed_behind_the_direct_answer_and_its_tap_comes_back(
    wechat: RunningSandbox, transport: RunningTransport, dialogue: ScriptedDialogue
) -> None:
    async def script(incoming: Incoming, state: ConversationState) -> list[Message]:
        if incoming.item_id:
            return [Text(f"您选了{incoming.item_id}{incoming.text}")]
        return [Text("好的。"), Menu("发烧吗？", (Choice("fever:yes", "发烧"), Choice("fever:no", "不发烧")))]

    dialogue.script = script
    phone = await wechat.client.phone("王阿姨", following=True)
    await phone.say("我咳嗽", wait_reply=True)
    menu = await phone.wait_for(lambda message: message.kind == "menu")
    said = [message for message in await phone.messages() if message.sender == "account"]
    assert [message.text for message in said] == ["好的。", "发烧吗？"]
    assert [message.raw["via"] for message in said] == ["reply", "push"]
    await phone.tap("不发烧", menu.seq, wait_reply=True)
    await phone.wait_for("您选了fever:no不发烧")
