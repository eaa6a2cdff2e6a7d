"""Whether the patient's images may be used for teaching: asked on the page about privacy, and when 教学用图 is written.

It is a consent of its own: who says no loses nothing.
"""

import re

from backend.people import ConsentKind
from bot.cards.teaching import PROMISES, TERMS, answers
from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.flows.consent import require_consent
from bot.incoming import Kind
from bot.messages import Choice, Menu

_TEACHING = ConsentKind.TEACHING
_QUESTION = f"您拍的检查图像（比如CT片子），可以给医生和学生上课用吗？\n{PROMISES}"
_AGREED = "您同意过把检查图像给医生和学生上课用。姓名、电话、日期都会先去掉。您随时可以收回。"
_WORDS = re.compile(r"(收回|撤回|取消)?教学用图(同意)?[。！!]?")


def register(dialogue: Dialogue) -> None:
    """Add the question and its answers."""
    dialogue.on_action("patient.teaching", _ask)
    dialogue.on_action("patient.teaching_terms", _terms)
    dialogue.on_action("patient.teaching_agree", _agree)
    dialogue.on_action("patient.teaching_refuse", _refuse)
    dialogue.intercept([_hear])


async def _ask(turn: Turn, _argument: str) -> None:
    if not await require_consent(turn):
        return
    people = turn.services.people
    if await people.has_consent(turn.actor.person_id, _TEACHING):
        back = (Choice("patient.teaching_refuse", "收回"), TERMS)
        turn.say(Menu(_AGREED, back))
        return
    turn.say(Menu(_QUESTION, (*_answers(turn), TERMS)))


def _answers(turn: Turn) -> tuple[Choice, ...]:
    return answers(turn.services.people.consent_document(_TEACHING).version)


async def _terms(turn: Turn, _argument: str) -> None:
    if not await require_consent(turn):
        return
    people = turn.services.people
    document = people.consent_document(_TEACHING)
    turn.say(f"《{document.title}》（第{document.version}版）\n\n{document.text}")
    if not await people.has_consent(turn.actor.person_id, _TEACHING):
        turn.say(Menu("看完了，可以吗？", _answers(turn)))


async def _agree(turn: Turn, version: str) -> None:
    if not await require_consent(turn):
        return
    people = turn.services.people
    if version != people.consent_document(_TEACHING).version:
        await _ask(turn, "")  # it has changed since it was asked
        return
    await people.give_consent(turn.actor, version, _TEACHING)
    turn.say("好的，谢谢您，记下了。以后想收回，发“教学用图”就行。")


async def _refuse(turn: Turn, _argument: str) -> None:
    if not await require_consent(turn):
        return
    people = turn.services.people
    if await people.has_consent(turn.actor.person_id, _TEACHING):
        await people.withdraw_consent(turn.actor, _TEACHING)
        turn.say("已经收回了，以后不会再把您的图像给别人上课用。不影响给您看病。")
        return
    await people.refuse_consent(turn.actor, people.consent_document(_TEACHING).version, _TEACHING)
    turn.say("好的，听您的，不会用。不影响给您看病。")


async def _hear(turn: Turn) -> bool:
    """Whoever writes 教学用图, as the document says, is heard in the middle of anything."""
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or _WORDS.fullmatch(turn.text) is None:
        return False
    if is_practitioner(turn.actor):
        return False
    await _ask(turn, "")
    return True
