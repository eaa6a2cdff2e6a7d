"""Danger signs: heard in every word of a patient, at any moment, answered at once with what to do."""

import re
from datetime import datetime, timedelta

from backend.consultation.patient_notes import LONGEST_NOTE
from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.flows import assistance, my
from bot.flows.intake_questions import answer_in_place
from bot.flows.intake_state import Intake
from bot.incoming import Kind
from bot.messages import Choice, Menu
from nlu.facts import CaseFacts
from nlu.red_flags import assess_red_flags
from nlu.types import Intent, RedFlag, Understanding

REPEAT_AFTER = timedelta(minutes=30)
"""In a running consultation the same advice is not given twice within this time: people are reading it already."""

_CRITICAL = 1
_CALLED = Choice("patient.called", "已打120")
_GO_ON = Choice("patient.continue", "继续问诊")
_HAS_CALLED = re.compile(
    r"(?:我|已经?|刚刚?|都|在|正在)*(?:打|拨|叫)(?:了|过|完|通)*(?:120|电话|救护车|急救)?了?[。!！]?"
)
_CRY_FOR_HELP = "要是很危险，请马上打120，电话别挂，听接线员的。\n出了什么事？一句话告诉我就行。"


async def watch(turn: Turn) -> bool:
    """Look for danger signs in what a patient says; tell whether the message is answered by that."""
    spoken = turn.incoming.kind in (Kind.TEXT, Kind.VOICE) or turn.incoming.item_id.startswith("answer:")
    intake = Intake.of(turn)
    if not spoken or not turn.text or (intake is None and is_practitioner(turn.actor)):
        return False
    if intake is not None:
        return await _watch_intake(turn, intake)
    said = await turn.understand()
    flags = tuple(assess_red_flags(CaseFacts().merge(said)))
    in_thread = await turn.services.consultations.focus(turn.actor)
    if not flags:
        return await _hear_cry(turn, said) and in_thread is None  # a cry in a thread goes to the doctors too
    if in_thread is not None:
        await _warn_running(turn, in_thread, flags, in_thread=True)
        return False  # the words themselves still go to the doctors
    running = await my.newest_running(turn)
    if running is not None:
        await _warn_running(turn, running.id, flags, in_thread=False)
    else:
        await _warn_newcomer(turn, said, flags)
    return True


async def _watch_intake(turn: Turn, intake: Intake) -> bool:
    if intake.is_critical and intake.question is None and _HAS_CALLED.fullmatch(turn.text):
        await _called(turn, "")
        return True
    context = intake.context_of(turn.incoming.item_id)
    said = await turn.understand(context)
    flags = tuple(assess_red_flags(intake.facts.merge(said, context)))
    known = {flag.code for flag in intake.flags}
    if all(flag.code in known for flag in flags):
        return not flags and await _hear_cry(turn, said)
    intake.remember_step()
    intake.absorb(said, turn.text, context)
    new = intake.add_flags(flags)
    intake.withdraw_question()  # it may be answered by now; going on chooses anew
    intake.save(turn)
    turn.say(_advice(tuple(new)))
    return True


async def _hear_cry(turn: Turn, said: Understanding) -> bool:
    """Answer a cry for help that names no danger."""
    if said.symptoms or not assistance.wants(Intent.EMERGENCY, said):
        return False
    answer_in_place(turn, _CRY_FOR_HELP)
    return True


async def _warn_running(turn: Turn, consultation_id: str, flags: tuple[RedFlag, ...], *, in_thread: bool) -> None:
    """Tell the doctors of a case that is open already, and the patient what to do."""
    now = turn.services.clock.now()
    warned: dict[str, str] = dict(turn.data.get("warned", {}))
    new = tuple(flag for flag in flags if _is_due(warned.get(flag.code), now))
    choices = (_CALLED, Choice(f"patient.case:{consultation_id}", "看进展"))
    if new:
        await turn.services.consultations.raise_alarm(turn.actor, consultation_id, [flag.to_json() for flag in new])
        warned.update({flag.code: now.isoformat() for flag in new})
        turn.state.data = {**turn.state.data, "warned": warned}
        turn.say(Menu(f"{_words(new)}\n我已经告诉您的医生了。", choices))
    if in_thread:
        return  # there the doctors read the words themselves
    await _pass_on(turn, consultation_id)
    if not new:
        turn.say(Menu("您的医生已经知道了。还没打120的，请现在就打。", choices))


async def _pass_on(turn: Turn, consultation_id: str) -> None:
    """Let the doctors of a case read what the patient said; without consent nothing is kept."""
    if await turn.services.people.has_consent(turn.actor.person_id):
        await turn.services.consultations.add_patient_note(turn.actor, consultation_id, turn.text[:LONGEST_NOTE])


def _is_due(warned_at: str | None, now: datetime) -> bool:
    return warned_at is None or now - datetime.fromisoformat(warned_at) > REPEAT_AFTER


async def _warn_newcomer(turn: Turn, said: Understanding, flags: tuple[RedFlag, ...]) -> None:
    """Somebody who was saying nothing yet: advice at once; an intake that knows of it only with their consent."""
    if not await turn.services.people.has_consent(turn.actor.person_id):
        turn.say(Menu(_words(flags), (Choice("patient.start", "我要问诊"),)))
        return
    intake = Intake(touched_at=turn.services.clock.now())
    intake.absorb(said, turn.text)
    intake.add_flags(flags)
    turn.state.flow, turn.state.data = "intake", {}
    intake.save(turn)
    turn.say(_advice(flags))


def _advice(flags: tuple[RedFlag, ...]) -> Menu:
    choices = (_CALLED, _GO_ON) if any(flag.level == _CRITICAL for flag in flags) else (_GO_ON,)
    return Menu(_words(flags), choices)


def _words(flags: tuple[RedFlag, ...]) -> str:
    """What to do, each advice once, the most urgent first."""
    return "\n".join(dict.fromkeys(flag.advice for flag in flags))


async def _called(turn: Turn, _argument: str) -> None:
    words = "好。别走动，把门打开，等救护车来。身边最好有人陪着。"
    if Intake.of(turn) is None:
        turn.say(words)
        return
    turn.say(Menu(f"{words}\n要是方便，再答几个问题，我把情况告诉医生。", (_GO_ON,)))


def register(dialogue: Dialogue) -> None:
    """Add the watch over what patients say; before every other interceptor that answers words."""
    dialogue.intercept([watch])
    dialogue.on_action("patient.called", _called)
