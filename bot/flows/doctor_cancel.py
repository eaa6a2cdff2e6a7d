"""A doctor gives up a case, with the reason that its timeline will show."""

from bot.cards.case import case_line
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.messages import Choice, Menu, suggestions

_REASONS = ("患者要求取消", "已在本院处理", "重复申请", "患者已转院")


class CancelFlow(StaffFlow):
    """Data: `consultation_id`."""

    name = "doctor_cancel"
    farewell = "好的，没有取消。"

    async def begin(self, turn: Turn) -> None:
        view = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
        choices = (*suggestions("reason", _REASONS), Choice("keep", "不取消了"))
        turn.say(Menu(f"确定取消 {case_line(view)} 吗？\n请选原因，也可以直接写：", choices))

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id.startswith("reason:"):
            await self.told(turn, turn.text)
        elif item_id == "keep":
            close(turn, self.farewell)
        else:
            await super().tapped(turn, item_id)

    async def told(self, turn: Turn, words: str) -> None:
        consultation_id = turn.data["consultation_id"]
        with ending_if_refused(turn):
            await turn.services.consultations.cancel(turn.actor, consultation_id, words)
        close(turn, "已取消，会通知相关的人。")


async def _cancel(turn: Turn, consultation_id: str) -> None:
    await turn.enter(CancelFlow.name, consultation_id=consultation_id)


def register(dialogue: Dialogue) -> None:
    """Let a doctor cancel a case."""
    dialogue.add_flow(CancelFlow())
    dialogue.on_action("doctor.cancel", _cancel)
