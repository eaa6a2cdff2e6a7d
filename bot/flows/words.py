"""Free words for a reason or a comment. Asking for them interrupts whatever runs, and puts it back afterwards."""

from collections.abc import Awaitable, Callable

from bot.dialogue import Dialogue, Turn
from bot.incoming import Kind
from bot.messages import Choice, Menu

LONGEST = 200
REASONS = {"busy": "时间不合适", "better": "好多了", "elsewhere": "去别处看了"}
"""Reasons that can be tapped, by the code that stands in the action's id."""

Receiver = Callable[[Turn, str, str], Awaitable[None]]
"""Gets the turn, what the words are about (an id), and the words."""

_NAME = "words"


def ask_reason(turn: Turn, verb: str, subject: str, head: str) -> None:
    """Offer reasons; a tapped one comes back as the action `verb:subject:CODE`, other words through `on_words`."""
    choices = [Choice(f"{verb}:{subject}:{code}", words) for code, words in REASONS.items()]
    own = Choice(f"patient.words:{verb}:{subject}", "别的原因")
    turn.say(Menu(head, (*choices, own, Choice("patient.keep", "先不取消"))))


def on_words(dialogue: Dialogue, verb: str, receiver: Receiver) -> None:
    """Let `receiver` have the words that are asked for under `verb`."""
    flow = dialogue.flows.get(_NAME)
    if not isinstance(flow, WordsFlow):
        raise TypeError("words.register comes before the modules that ask for words")
    flow.receivers[verb] = receiver


def put_back(turn: Turn) -> None:
    """Put back what was interrupted, if anything was."""
    ask = turn.state.data.get("ask")
    if turn.state.flow != _NAME:
        return
    if ask is None:
        turn.leave()
        return
    turn.state.flow = ask["back_to"]
    turn.state.data = {key: value for key, value in turn.state.data.items() if key != "ask"}
    turn.state.offered = []


class WordsFlow:
    """Waits for one message of words."""

    name = _NAME

    def __init__(self) -> None:
        self.receivers: dict[str, Receiver] = {}

    async def begin(self, turn: Turn) -> None:
        """Ask for the words."""
        turn.say(Menu("好的，请写几个字，或者说一句话。", (Choice("patient.keep", "不写了"),)))

    async def receive(self, turn: Turn) -> None:
        """Hand the words on."""
        ask = turn.data.get("ask")
        if ask is None or ask["verb"] not in self.receivers:  # a newer version of the product has dropped it
            put_back(turn)
            turn.say("好的。")
        elif turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or not turn.text:
            await self.begin(turn)
        elif len(turn.text) > LONGEST:
            turn.say(f"太长了，请在{LONGEST}个字以内说。")
        else:
            await self.receivers[ask["verb"]](turn, ask["subject"], turn.text)
            put_back(turn)


async def _ask(turn: Turn, argument: str) -> None:
    verb, _, subject = argument.partition(":")
    put_back(turn)
    kept = dict(turn.state.data)
    await turn.enter(_NAME, **kept, ask={"verb": verb, "subject": subject, "back_to": turn.state.flow})


async def _keep(turn: Turn, _argument: str) -> None:
    put_back(turn)
    turn.say("好的。")


def register(dialogue: Dialogue) -> None:
    """Add the wait for words; before the modules that ask for them."""
    dialogue.add_flow(WordsFlow())
    dialogue.on_action("patient.words", _ask)
    dialogue.on_action("patient.keep", _keep)
