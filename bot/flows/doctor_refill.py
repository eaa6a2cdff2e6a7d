"""A request to prescribe once more: the doctor goes on with the same lines, or says why not."""

from bot.cards.order import refill_card
from bot.dialogue import Dialogue, Turn
from bot.flows import prescribing
from bot.flows.reason_flow import ReasonFlow

_MOST_SHOWN = 3


class DeclineFlow(ReasonFlow):
    """Data: `refill_id`."""

    name = "refill_decline"
    reasons = ("需要先复查", "请来卫生院面诊", "药要调整，请重新问诊")
    keep = "再想想"
    farewell = "好的，没有答复。"

    async def question(self, turn: Turn) -> str:
        refill = await turn.services.dispensing.refill(turn.actor, turn.data["refill_id"])
        return f"不给{refill.patient_name}续方吗？患者会看到原因。"

    async def act(self, turn: Turn, reason: str) -> str:
        await turn.services.dispensing.answer_refill(turn.actor, turn.data["refill_id"], agreed=False, reason=reason)
        return "好的，已告诉患者。"


async def _list(turn: Turn, _: str) -> None:
    waiting = await turn.services.dispensing.refills(turn.actor)
    if not waiting:
        turn.say("现在没有等您答复的续方请求。")
    for refill in waiting[:_MOST_SHOWN]:
        turn.say(refill_card(refill))


async def _agree(turn: Turn, refill_id: str) -> None:
    """Tell the patient, and let the doctor go on with the same lines: every check runs on what is known now."""
    refill = await turn.services.dispensing.answer_refill(turn.actor, refill_id, agreed=True)
    prescriptions = turn.services.prescriptions
    draft = await prescriptions.draft(turn.actor, refill.consultation_id)
    if not draft.lines:
        await prescriptions.copy_last(turn.actor, draft.id, of=refill.prescription_id)
    await prescribing.write(turn, refill.consultation_id)


async def _decline(turn: Turn, refill_id: str) -> None:
    await turn.enter(DeclineFlow.name, refill_id=refill_id)


def register(dialogue: Dialogue) -> None:
    """Add what a doctor does with requests."""
    dialogue.add_flow(DeclineFlow())
    dialogue.on_action("refill.list", _list)
    dialogue.on_action("refill.agree", _agree)
    dialogue.on_action("refill.decline", _decline)
