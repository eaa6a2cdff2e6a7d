"""An expert gives a case back before it begins, with the reason that its timeline will show."""

from bot.cards.case import case_line
from bot.dialogue import Dialogue, Turn
from bot.flows.reason_flow import ReasonFlow


class GiveBackFlow(ReasonFlow):
    """Data: `consultation_id`."""

    name = "expert_give_back"
    reasons = ("临时有手术", "不是我的专业", "时间有冲突", "与患者有利害关系")
    keep = "不退回了"
    farewell = "好的，没有退回，这例会诊还由您负责。"

    async def question(self, turn: Turn) -> str:
        view = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
        return f"确定退回 {case_line(view)} 吗？退回后会请其他专家。"

    async def act(self, turn: Turn, reason: str) -> str:
        await turn.services.consultations.give_back(turn.actor, turn.data["consultation_id"], reason)
        return "已退回，正在请其他专家。患者和医生会收到通知。"


async def _give_back(turn: Turn, consultation_id: str) -> None:
    await turn.enter(GiveBackFlow.name, consultation_id=consultation_id)


def register(dialogue: Dialogue) -> None:
    """Let an expert give a case back."""
    dialogue.add_flow(GiveBackFlow())
    dialogue.on_action("expert.give_back", _give_back)
