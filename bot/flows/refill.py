"""Prescribed once more: the patient says how they have been, the doctor agrees or says why not."""

from bot.cards.order import refill_card
from bot.dialogue import Dialogue, Turn
from bot.flows import prescribing
from bot.flows.reason_flow import ReasonFlow
from bot.flows.staff_flow import LEAVING, ending_if_refused
from bot.incoming import Kind
from bot.messages import Choice, Menu


class AskFlow:
    """How the patient has been. Data: `prescription_id`."""

    name = "refill_ask"

    async def begin(self, turn: Turn) -> None:
        """Ask."""
        words = "最近吃药怎么样？血压、血糖多少，有没有不舒服，都可以告诉医生。"
        turn.say(Menu(words, (Choice("well", "都挺好"), Choice("nothing", "不写了，直接请医生开"))))

    async def receive(self, turn: Turn) -> None:
        """Send the request with what was said."""
        item_id = turn.incoming.item_id
        if item_id in ("well", "nothing"):
            await self._ask(turn, "都挺好" if item_id == "well" else "")
        elif turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or not turn.text:
            await self.begin(turn)
        elif turn.text in LEAVING:
            turn.leave()
            turn.say("好的，没有发出去。")
        else:
            await self._ask(turn, turn.text)

    async def _ask(self, turn: Turn, note: str) -> None:
        with ending_if_refused(turn):
            await turn.services.dispensing.ask_refill(turn.actor, turn.data["prescription_id"], note)
        turn.leave()
        turn.say("已经告诉医生了，医生看过会在这里回您。药没了又等不及的，请直接去卫生院。")


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


async def _ask(turn: Turn, prescription_id: str) -> None:
    await turn.enter(AskFlow.name, prescription_id=prescription_id)


async def _list(turn: Turn, _: str) -> None:
    waiting = await turn.services.dispensing.refills(turn.actor)
    if not waiting:
        turn.say("现在没有等您答复的续方请求。")
    for refill in waiting[:3]:
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
    """Add asking for a refill, and what a doctor does with it."""
    dialogue.add_flow(AskFlow())
    dialogue.add_flow(DeclineFlow())
    dialogue.on_action("refill.ask", _ask)
    dialogue.on_action("refill.list", _list)
    dialogue.on_action("refill.agree", _agree)
    dialogue.on_action("refill.decline", _decline)
