"""Somebody who taps and types whatever comes to mind, at any time: nothing breaks, and nothing they told is lost."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.clock import Clock
from bot.flows.intake_state import Intake
from nlu.embedded import EmbeddedProvider
from tests.bot.flows.conftest import Furnished, make_dialogue, open_house
from tests.bot.flows.diagnosis import no_diagnosis
from tests.support.conversation import Conversation

TELLING = [
    *("我咳嗽三天了", "还发烧，38.5度", "头晕", "肚子疼", "我妈70岁"),
    *("胸口疼，出冷汗", "青霉素过敏", "有高血压", "吃二甲双胍"),
]
BESIDE = [
    *("   ", "多少钱", "为什么", "转人工", "谢谢", "怎么用", "安全吗"),
    *("医保", "你好", "我的会诊", "😀", "今天天气不错"),
]
STEERING = ["返回", "跳过", "不知道", "重新开始", "不问了", "没有", "有", "撤回同意", "不是38.5度，是39度"]

BUTTONS = ["patient.start", "patient.mine", "help.more", "help.price", "nonsense"]

actions = st.one_of(
    st.tuples(st.just("tell"), st.sampled_from(TELLING)),
    st.tuples(st.just("beside"), st.sampled_from(BESIDE)),
    st.tuples(st.just("steer"), st.sampled_from(STEERING)),
    st.tuples(st.just("type"), st.text(max_size=40)),
    st.tuples(st.just("tap"), st.integers(0, 60)),
    st.tuples(st.just("click"), st.sampled_from(BUTTONS)),
    st.tuples(st.just("send"), st.sampled_from(["picture", "place", "sticker", "silence", "scan"])),
    st.tuples(st.just("wait"), st.integers(1, 100)),
)


def _told(chat: Conversation) -> set[str]:
    """What the held intake knows: symptoms, values and pictures."""
    held = chat.state.data.get("intake")
    if held is None:
        return set()
    intake = Intake.from_json(held)
    facts = intake.facts
    names = {mention.name for mention in facts.symptoms}
    names |= {statement.name for statement in (*facts.drugs, *facts.diseases, *facts.allergies)}
    return (
        names | {f"picture {file_id}" for file_id in intake.pictures} | {f"flag {flag.code}" for flag in intake.flags}
    )


async def _do(chat: Conversation, kind: str, what: str | int) -> None:
    if kind == "tap":
        choices = [choice for menu in chat.menus[-4:] for choice in menu.choices]
        if choices:
            await chat.tap_choice(choices[int(what) % len(choices)])
    elif kind == "click":
        await chat.click(str(what))
    elif kind == "wait":
        chat.house.clock.advance(timedelta(hours=int(what)))
    elif what == "picture":
        await chat.send_image()
    elif what == "place":
        await chat.send_location(30.2, 114.2)
    elif what == "sticker":
        await chat.send_sticker()
    elif what == "silence":
        await chat.speak("")
    elif what == "scan":
        await chat.scan("poster")
    else:
        await chat.say(str(what))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(actions, min_size=5, max_size=25))
def test_whatever_is_tapped_and_typed_there_is_an_answer_and_nothing_told_is_lost(
    furnished: Furnished, provider: EmbeddedProvider, steps: list[tuple[str, str | int]]
) -> None:
    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            house = open_house(furnished, Path(folder), Clock())
            try:
                chat = Conversation(house, make_dialogue(house, provider), await house.new_person())
                chat.checks.append(no_diagnosis(chat))
                await chat.follow()
                await chat.tap("同意")
                for kind, what in steps:
                    before = _told(chat)
                    await _do(chat, kind, what)
                    assert chat.text, (kind, what)
                    if kind in ("tell", "beside", "send", "wait", "click"):
                        assert before <= _told(chat), (kind, what, chat.text)
            finally:
                await house.database.close()

    with asyncio.Runner() as runner:
        runner.run(live())
