"""What giving up, refusing and giving back have in common: a reason, tapped or written, before it is done."""

from bot.dialogue import Turn
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.messages import Choice, Menu, suggestions


class ReasonFlow(StaffFlow):
    """Asks for a reason, then acts.

    Attributes:
        reasons: the usual ones, to tap.
        keep: what the answer reads that leaves everything as it is.
    """

    reasons: tuple[str, ...] = ()
    keep = ""

    async def question(self, turn: Turn) -> str:
        """Give the words that ask for the reason."""
        raise NotImplementedError

    async def act(self, turn: Turn, reason: str) -> str:
        """Do it for this reason and give the words that say so."""
        raise NotImplementedError

    async def begin(self, turn: Turn) -> None:
        choices = (*suggestions("reason", self.reasons), Choice("keep", self.keep))
        turn.say(Menu(f"{await self.question(turn)}\n请点原因，也可以直接写：", choices))

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id.startswith("reason:"):
            await self.told(turn, turn.text)
        elif item_id == "keep":
            close(turn, self.farewell)
        else:
            await super().tapped(turn, item_id)

    async def told(self, turn: Turn, words: str) -> None:
        with ending_if_refused(turn):
            said = await self.act(turn, words)
        close(turn, said)
