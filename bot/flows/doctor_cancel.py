"""A doctor gives up a case, with the reason that its timeline will show."""

from bot.cards.case import case_line
from bot.dialogue import Dialogue, Turn
from bot.flows.reason_flow import ReasonFlow


class CancelFlow(ReasonFlow):
    """Data: `consultation_id`."""

    name = "doctor_cancel"
    reasons = ("患者要求取消", "已在本院处理", "重复申请", "患者已转院")
    keep = "不取消了"
    farewell = "好的，没有取消。"

    async def question(self, turn: Turn) -> str:
        view = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
        return f"确定取消 {case_line(view)} 吗？"

    async def act(self, turn: Turn, reason: str) -> str:
        await turn.services.consultations.cancel(turn.actor, turn.data["consultation_id"], reason)
        return "已取消，会通知相关的人。"


async def _cancel(turn: Turn, consultation_id: str) -> None:
    await turn.enter(CancelFlow.name, consultation_id=consultation_id)


def register(dialogue: Dialogue) -> None:
    """Let a doctor cancel a case."""
    dialogue.add_flow(CancelFlow())
    dialogue.on_action("doctor.cancel", _cancel)
