"""Somebody with an open case tells of an illness: does it belong to that case, or is it another one?"""

import re
from dataclasses import replace

from backend.consultation.patient_notes import LONGEST_NOTE
from backend.consultation.views import ConsultationSummary
from bot.dialogue import Dialogue, Turn
from bot.flows import assistance, consent, intake, my
from bot.flows.intake import is_clinical, not_words
from bot.flows.thread import taken_over
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import short_day
from nlu.types import Command

_NAME = "change"
_QUESTION = "您说的是这次的情况有变化，还是新的不舒服？"
_SAME = re.compile(r"这次|上次|上回|那次|还是那|同一|一回事|变化|加重|更.{0,2}了|原来|补充|是的?$|对的?$")
_NEW = re.compile(r"新的|另外|别的|不一样|不是|没关系的?病|第一次|头一回")
_MOST_CASES = 3


async def ask(turn: Turn) -> None:
    """Hold the words of this message back and ask what they belong to."""
    await turn.enter(_NAME, held=turn.text, case=(await my.running(turn))[0].id)


class ChangeFlow:
    """Holds words until it is clear whether they are for the doctor of an open case."""

    name = _NAME

    async def begin(self, turn: Turn) -> None:
        """Ask what the words belong to."""
        await _ask(turn)

    async def receive(self, turn: Turn) -> None:
        """Take the answer in words; more of the illness is held back too."""
        if await _is_held(turn):
            return
        incoming = turn.incoming
        if incoming.kind is Kind.IMAGE and incoming.file_id:
            await turn.services.consultations.attach(turn.actor, turn.data["case"], incoming.file_id)
            await _ask(turn, "照片收到了，已经给您的医生了。")
        elif incoming.kind not in (Kind.TEXT, Kind.VOICE) or not turn.text:
            await _ask(turn, not_words(turn))
        else:
            await _take_words(turn)


async def _is_held(turn: Turn) -> bool:
    """Where the consultation has begun meanwhile, all that was said goes to those who are talking there."""
    case = turn.data["case"]
    if await turn.services.consultations.focus(turn.actor) != case:
        return False
    await turn.services.consultations.post(turn.actor, case, text=turn.data["held"])
    return await taken_over(turn, case)


async def _take_words(turn: Turn) -> None:
    said = await turn.understand()
    if said.command in (Command.CANCEL, Command.BACK):
        turn.leave()
        turn.say("好的，这句先不记。")
    elif is_clinical(said):
        turn.state.data = {**turn.data, "held": f"{turn.data['held']}。{turn.text}"[:LONGEST_NOTE]}
        await _ask(turn, "好的。")
    elif _NEW.search(turn.text):
        await _new(turn, "")
    elif _SAME.search(turn.text):
        await _note(turn, turn.data["case"])
    else:
        await _ask(turn, await assistance.digression(turn, said) or "")


async def _ask(turn: Turn, before: str = "") -> None:
    cases = await my.running(turn)
    choices = [Choice(f"patient.note:{case.id}", _label(case, len(cases))) for case in cases[:_MOST_CASES]]
    turn.say(Menu(f"{before}\n{_QUESTION}" if before else _QUESTION, (*choices, Choice("patient.new", "新的不舒服"))))


def _label(case: ConsultationSummary, count: int) -> str:
    return "这次的情况有变化" if count == 1 else f"{short_day(case.opened_at)}那次的变化"


async def _note(turn: Turn, consultation_id: str) -> None:
    """Give the held words to the doctor of the case."""
    if turn.state.flow != _NAME:
        turn.say("这句话已经记过了。")
        return
    if not await consent.require_consent(turn):
        return
    await turn.services.consultations.add_patient_note(turn.actor, consultation_id, turn.data["held"])
    case = await turn.services.consultations.get(turn.actor, consultation_id)
    turn.leave()
    words = f"好的，已经补充到病历里，也告诉{case.doctor_name}医生了。要是突然加重，请打120。"
    turn.say(Menu(words, (Choice(f"patient.case:{case.id}", "看进展"),)))


async def _new(turn: Turn, _argument: str) -> None:
    """Begin an intake with the held words."""
    if turn.state.flow != _NAME:
        turn.say("这句话已经记过了。")
        return
    held = turn.data["held"]
    await begin_with(turn, held, "好的，按新的一次来记。")


async def begin_with(turn: Turn, words: str, before: str = "") -> None:
    """Begin an intake whose first answer is `words` (or, where it has none, this message); `before` is said first."""
    turn.leave()
    await intake.start(turn)
    turn.replies.clear()
    if before:
        turn.say(before)
    await turn.forward(replace(turn.incoming, kind=Kind.TEXT, text=words, item_id="") if words else turn.incoming)


def register(dialogue: Dialogue) -> None:
    """Add the question what words belong to."""
    dialogue.add_flow(ChangeFlow())
    dialogue.on_action("patient.note", _note)
    dialogue.on_action("patient.new", _new)
