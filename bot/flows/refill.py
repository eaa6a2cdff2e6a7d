"""Prescribed once more: the patient says how they have been. What the doctor does with it is in `doctor_refill`."""

from bot.dialogue import Dialogue, Turn
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


async def _ask(turn: Turn, prescription_id: str) -> None:
    await turn.enter(AskFlow.name, prescription_id=prescription_id)


def register(dialogue: Dialogue) -> None:
    """Add asking for a refill."""
    dialogue.add_flow(AskFlow())
    dialogue.on_action("refill.ask", _ask)
