"""A patient says that a record is wrong: who wrote it writes an addendum or a new version of a report, or why not."""

from backend.consultation.rules import require_text
from backend.rights import AmendmentState, AmendmentView, Part
from backend.rights.amendment_rules import LONGEST
from bot.cards.amendments import DECLINE, WRITE
from bot.dialogue import Dialogue, Turn
from bot.flows import expert_report
from bot.flows.reason_flow import ReasonFlow
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.messages import Choice, Menu
from bot.wording import lines

_CHOICES = (
    Choice("amendment.send", "写进病历"),
    Choice("amendment.again", "重写"),
    Choice("amendment.leave", "先不写"),
)


class AddendumFlow(StaffFlow):
    """Data: `amendment_id`; `text` while it waits for a second look."""

    name = "addendum"
    farewell = "好的，没有写。患者还在等您答复。"

    async def begin(self, turn: Turn) -> None:
        asked = await turn.services.amendments.amendment(turn.actor, turn.data["amendment_id"])
        turn.say(
            lines(
                f"“{asked.name}”，患者说：{asked.text}",
                "请写更正，可以说话。原来写的不会改动，更正放在旁边，患者马上看得到。不写了请回复“退出”。",
            )
        )

    async def told(self, turn: Turn, words: str) -> None:
        turn.data["text"] = require_text(words, "更正", longest=LONGEST)
        turn.say(Menu(f"更正：{turn.data['text']}\n\n写进病历后不能再改。对吗？", _CHOICES))

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id == "amendment.leave":
            close(turn, self.farewell)
        elif item_id == "amendment.again":
            turn.data.pop("text", None)
            await self.begin(turn)
        elif item_id == "amendment.send" and "text" in turn.data:
            with ending_if_refused(turn):
                await turn.services.amendments.write(turn.actor, turn.data["amendment_id"], turn.data["text"])
            close(turn, "更正写进病历了，正在告诉患者。")
        else:
            await super().tapped(turn, item_id)


class DeclineFlow(ReasonFlow):
    """Data: `amendment_id`."""

    name = "amendment_decline"
    reasons = ("核对过了，原来写的没有错", "当时的情况就是这样", "请来卫生院当面说清楚")
    keep = "再想想"
    farewell = "好的，没有答复。患者还在等您。"

    async def question(self, turn: Turn) -> str:
        asked = await turn.services.amendments.amendment(turn.actor, turn.data["amendment_id"])
        return f"“{asked.name}”，患者说：{asked.text}\n不改吗？患者会看到原因，请说得让老人也听得懂。"

    async def act(self, turn: Turn, reason: str) -> str:
        await turn.services.amendments.decline(turn.actor, turn.data["amendment_id"], reason)
        return "好的，已告诉患者。"


async def _write(turn: Turn, amendment_id: str) -> None:
    asked = await _waiting(turn, amendment_id)
    if asked is None:
        return
    if asked.part is Part.REPORT:
        await expert_report.amend(turn, f"{asked.consultation_id}:{asked.report_id}")
    else:
        await turn.enter(AddendumFlow.name, amendment_id=amendment_id)


async def _decline(turn: Turn, amendment_id: str) -> None:
    if await _waiting(turn, amendment_id) is not None:
        await turn.enter(DeclineFlow.name, amendment_id=amendment_id)


async def _waiting(turn: Turn, amendment_id: str) -> AmendmentView | None:
    asked = await turn.services.amendments.amendment(turn.actor, amendment_id)
    if asked.state is AmendmentState.ASKED:
        return asked
    turn.say(f"这个更正请求已经处理过了（{asked.state.label}）。")
    return None


def register(dialogue: Dialogue) -> None:
    """Let requests be answered."""
    dialogue.add_flow(AddendumFlow())
    dialogue.add_flow(DeclineFlow())
    dialogue.on_action(WRITE, _write)
    dialogue.on_action(DECLINE, _decline)
