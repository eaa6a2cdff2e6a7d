"""The record that came of the intake: shown, confirmed, or changed section by section."""

from bot.dialogue import Dialogue, Turn
from bot.flows import assistance
from bot.flows.intake import asks_only, away_too_long, is_clinical, not_words, take_enclosure
from bot.flows.intake_questions import repeat
from bot.flows.intake_state import Intake
from bot.flows.record import SECTIONS, record_of
from bot.flows.wording import told
from bot.incoming import Kind
from bot.messages import Choice, Menu, Text
from nlu.types import Command, Understanding

_LONGEST_IN_MENU = 500
"""A longer record is sent as words of its own, so that the tappable answers stay on the screen."""

_LONGEST_SECTION = 1000
_CONFIRM = (Choice("review:ok", "对，没问题"), Choice("review:change", "要修改"), Choice("patient.restart", "重新开始"))


class ReviewFlow:
    """Shows the record until the patient says that it is right."""

    name = "review"

    async def begin(self, turn: Turn) -> None:
        """Show the record; `before` in the data comes first."""
        before = turn.state.data.pop("before", "")
        intake = Intake.of(turn)
        if intake is None:
            await turn.enter("intake")
            return
        _show(turn, intake, before)

    async def receive(self, turn: Turn) -> None:
        """Confirm, choose a section, or take words for one."""
        intake = Intake.of(turn)
        if intake is None:
            await turn.enter("intake")
        elif turn.incoming.item_id.startswith("review:"):
            await _choose(turn, intake, turn.incoming.item_id.removeprefix("review:"))
        elif take_enclosure(turn, intake):
            pass
        elif turn.incoming.kind not in (Kind.TEXT, Kind.VOICE, Kind.TAP) or not turn.text:
            _show(turn, intake, not_words(turn))
        elif not away_too_long(turn, intake):
            await _take_words(turn, intake)


def _show(turn: Turn, intake: Intake, before: str = "") -> None:
    intake.editing = ""
    intake.save(turn)
    record = record_of(intake).as_text()
    opening = f"{before}\n\n" if before else ""
    if len(record) > _LONGEST_IN_MENU:
        turn.say(Text(f"{opening}{record}"), Menu("我记得对不对？", _CONFIRM))
    else:
        turn.say(Menu(f"{opening}我整理好了，请您看看：\n\n{record}\n\n我记得对不对？", _CONFIRM))


async def _choose(turn: Turn, intake: Intake, what: str) -> None:
    if what == "ok":
        intake.editing = ""
        intake.save(turn)
        await turn.enter("place", **turn.data)
    elif what == "change":
        choices = [Choice(f"review:{field}", f"改{title}") for field, title in SECTIONS.items()]
        turn.say(Menu("要改哪一项？", (*choices, Choice("review:none", "不改了"))))
    elif what in SECTIONS:
        intake.editing = what
        intake.save(turn)
        now = getattr(record_of(intake), what) or "（还没有）"
        turn.say(
            Menu(
                f"{SECTIONS[what]}现在写的是：{now}\n\n请把对的直接告诉我，我就换成您说的。只想补几句，请先点“补充”。",
                (Choice(f"review:add.{what}", "补充"), Choice("review:none", "不改了")),
            )
        )
    elif what.removeprefix("add.") in SECTIONS:
        intake.editing = what
        intake.save(turn)
        turn.say(f"好的，要在{SECTIONS[what.removeprefix('add.')]}里补充什么？")
    else:
        _show(turn, intake)


async def _take_words(turn: Turn, intake: Intake) -> None:
    said = await turn.understand(intake.context)
    if said.command is Command.BACK:
        await _go_back(turn, intake)
    elif said.command is Command.CANCEL:
        turn.say(
            Menu(
                "好的。您说的我先帮您留着。",
                (Choice("patient.continue", "接着说"), Choice("patient.drop", "删掉不要了")),
            )
        )
    elif intake.editing:
        _edit(turn, intake, said)
    elif is_clinical(said) and not asks_only(turn.text, said):
        _take_more(turn, intake, said)
    else:
        answer = await assistance.digression(turn, said)
        intake.save(turn)
        turn.say(
            Menu(f"{answer or '好的。'}\n\n上面记的要是都对，请点“对，没问题”；有不对的，请点“要修改”。", _CONFIRM)
        )


def _edit(turn: Turn, intake: Intake, said: Understanding) -> None:
    """Put the words into the chosen section, and what they say of the illness into the facts."""
    if len(turn.text) > _LONGEST_SECTION:
        turn.say(f"这一段太长了，最多{_LONGEST_SECTION}个字，请说短一点。")
        return
    section = intake.editing.removeprefix("add.")
    shown = getattr(record_of(intake), section)
    intake.remember_step()
    intake.absorb(said, turn.text)
    adding = intake.editing.startswith("add.") and shown
    intake.edits[section] = f"{shown.rstrip('。')}。{turn.text}" if adding else turn.text
    _show(turn, intake, "好的，改好了。")


def _take_more(turn: Turn, intake: Intake, said: Understanding) -> None:
    """Words that nobody asked for, such as 不是38度，是39度, change the facts that the record is made of."""
    before = intake.facts
    intake.remember_step()
    intake.absorb(said, turn.text)
    rewritten = intake.edits.get("present_illness")
    if rewritten is not None:  # the section no longer follows the facts, so the words themselves go there
        intake.edits["present_illness"] = f"{rewritten.rstrip('。')}。{turn.text}"
    _show(turn, intake, told(before, intake.facts, said) or "好的，记下了。")


async def _go_back(turn: Turn, intake: Intake) -> None:
    if intake.editing or not intake.go_back():
        _show(turn, intake)
        return
    intake.save(turn)
    if intake.question is None:
        _show(turn, intake, "好的，退回一步。")
        return
    turn.state.flow = "intake"
    repeat(turn, intake, "好的，退回一步。")


def register(dialogue: Dialogue) -> None:
    """Add the review of the record."""
    dialogue.add_flow(ReviewFlow())
