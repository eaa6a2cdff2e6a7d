"""Measured values that somebody sends outside of any other conversation: kept at once, read back, easy to correct.

A patient's values are their own or a relative's; a doctor is asked whose they are, unless a case is in focus.
"""

from typing import Any

from backend.consultation.rules import RUNNING
from bot.cards.case import case_choice
from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.flows import thread
from bot.flows.intake_questions import RELATION_CODES
from bot.flows.intake_state import Intake
from bot.flows.keeping import advice_of, correct, correct_last, keep, warning_of
from bot.flows.measured import Measured, Unclear, read_measured
from bot.flows.relatives import RELATION_NAMES, person_choices
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import lines
from nlu.facts import FEVER_FROM
from nlu.wording import OPENING

_WAITING = "measured"
_MOST_CASES = 8
_AGAIN = "请把量的数再发一次。"
_FORGET = Choice("measure.forget", "不用记")
_LEAVING = ("不改了", "取消", "算了", "返回", "退出")


async def hear(turn: Turn) -> bool:
    """Keep a message that holds measured values and nothing else; tell whether it was one."""
    if not _is_free(turn) or not await _may_speak(turn):
        return False
    try:
        measured = read_measured(await turn.understand())
    except Unclear as unclear:
        _ask(turn, unclear)
        return True
    if measured is None or _belongs_to_the_intake(turn, measured):
        return False
    if not (measured.corrects and await _correct(turn, measured)):
        await _take(turn, measured)
    await thread.relay(turn)  # whoever is talking to them hears it too
    return True


def _is_free(turn: Turn) -> bool:
    """Whether no conversation waits for an answer; an intake that has only asked what is wrong does not yet."""
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or not turn.text:
        return False
    intake = Intake.of(turn)
    untold = intake is not None and not intake.words and not intake.pictures and intake.asked in ([], [OPENING])
    return not turn.state.flow or (turn.state.flow == "intake" and untold)


def _belongs_to_the_intake(turn: Turn, measured: Measured) -> bool:
    """Whether it answers what is wrong: a fever does."""
    return turn.state.flow == "intake" and float(measured.vitals.get("temperature", 0)) >= FEVER_FROM


async def _may_speak(turn: Turn) -> bool:
    return is_practitioner(turn.actor) or await turn.services.people.has_consent(turn.actor.person_id)


def _ask(turn: Turn, unclear: Unclear) -> None:
    if unclear.answers:
        turn.say(Menu(unclear.question, tuple(Choice(f"measure.say:{one}", one) for one in unclear.answers)))
    else:
        turn.say(unclear.question)


async def _correct(turn: Turn, measured: Measured) -> bool:
    """Put the values in the place of those that wait to be told whose they are, else of those that were kept last."""
    waiting = turn.state.data.get(_WAITING)
    if waiting is not None and set(measured.vitals) <= set(waiting["vitals"]):
        turn.state.data = {**turn.state.data, _WAITING: {**waiting, "vitals": {**waiting["vitals"], **measured.vitals}}}
        turn.say("好的，改过来了。请点上面的按钮，告诉我这是谁的。")
        return True
    return await correct_last(turn, measured.vitals)


async def _take(turn: Turn, measured: Measured) -> None:
    focus = await turn.services.consultations.focus(turn.actor)
    if focus is not None and (measured.relation is None or is_practitioner(turn.actor)):
        await _keep_in_case(turn, focus, measured.vitals, measured.days_ago)
    elif is_practitioner(turn.actor):
        await _ask_which_case(turn, measured)
    else:
        await _take_from_patient(turn, measured)


async def _keep_in_case(turn: Turn, consultation_id: str, vitals: dict[str, Any], days_ago: int) -> None:
    case = await turn.services.consultations.get(turn.actor, consultation_id)
    await keep(turn, case.patient_id, vitals, days_ago, consultation_id)


async def _ask_which_case(turn: Turn, measured: Measured) -> None:
    cases = [case for case in await turn.services.consultations.list_for(turn.actor) if case.status in RUNNING]
    if not cases:
        turn.say("您现在没有在看的患者，这个数没有记。先发起或者打开一例会诊，再发一次。")
        return
    _let_wait(turn, measured)
    choices = [case_choice(case, "measure.case") for case in cases[:_MOST_CASES]]
    turn.say(Menu(lines(warning_of(measured.vitals), "这是哪位患者的？"), (*choices, _FORGET)))


async def _take_from_patient(turn: Turn, measured: Measured) -> None:
    relatives = await turn.services.people.relatives(turn.actor)
    if measured.relation is None and not relatives:
        await keep(turn, turn.actor.person_id, measured.vitals, measured.days_ago)
        return
    code = RELATION_CODES[measured.relation] if measured.relation else ""
    fitting = [one for one in relatives if code in ("", one.relation)]
    if code and len(fitting) == 1:
        await keep(turn, fitting[0].person.id, measured.vitals, measured.days_ago)
        return
    _let_wait(turn, measured)
    choices = person_choices(turn, "measure.of", fitting, own=not code)
    new = [Choice(f"measure.add:{code}", f"记到{RELATION_NAMES[code]}名下")] if code and not fitting else []
    asked = "这是谁的？点一下，我好记到对的人名下。"
    turn.say(Menu(lines(advice_of(measured.vitals), asked), (*choices, *new, _FORGET)))


def _let_wait(turn: Turn, measured: Measured) -> None:
    waiting = {"vitals": measured.vitals, "days_ago": measured.days_ago}
    turn.state.data = {**turn.state.data, _WAITING: waiting}


def _take_waiting(turn: Turn) -> tuple[dict[str, Any], int] | None:
    """Give the values that wait to be told whose they are, and forget them; say so where there are none any more."""
    waiting = turn.state.data.get(_WAITING)
    turn.state.data = {key: value for key, value in turn.state.data.items() if key != _WAITING}
    if waiting is None:
        turn.say(_AGAIN)
        return None
    return waiting["vitals"], waiting["days_ago"]


async def _of(turn: Turn, person_id: str) -> None:
    if waiting := _take_waiting(turn):
        await keep(turn, person_id, *waiting)


async def _add(turn: Turn, code: str) -> None:
    """Let a relative be a patient of their own from now on, and keep what was measured of them."""
    if waiting := _take_waiting(turn):
        relation = code if code in RELATION_NAMES else "other"
        person_id = await turn.services.people.add_relative(turn.actor, relation=relation)
        turn.actor = await turn.services.people.actor(turn.actor.person_id)  # for whom they speak has changed
        await keep(turn, person_id, *waiting)


async def _of_case(turn: Turn, consultation_id: str) -> None:
    if waiting := _take_waiting(turn):
        await _keep_in_case(turn, consultation_id, *waiting)


async def _forget(turn: Turn, _argument: str) -> None:
    turn.state.data = {key: value for key, value in turn.state.data.items() if key != _WAITING}
    turn.say("好的，没有记。")


async def _say(turn: Turn, words: str) -> None:
    """Take an offered answer for the words that it says."""
    measured = read_measured(await turn.understand())
    if measured is None:
        turn.say(_AGAIN)
    else:
        await _take(turn, measured)


class CorrectionFlow:
    """Waits for the right values of what was kept, and puts back what it interrupted.

    Data: `correcting` with the `batch` and the flow that it goes `back_to`, beside what that flow remembers.
    """

    name = "measuring"

    async def begin(self, turn: Turn) -> None:
        """Ask for the right values."""
        remove = Choice(f"measure.remove:{turn.data['correcting']['batch']}", "删掉这条")
        turn.say(Menu("正确的是多少？直接发给我，比如“血压150/95”。", (remove, Choice("measure.keep", "不改了"))))

    async def receive(self, turn: Turn) -> None:
        """Correct, or ask again."""
        if turn.text in _LEAVING:
            await _leave_it(turn, "")
        elif turn.incoming.kind in (Kind.TEXT, Kind.VOICE) and turn.text:
            await self._told(turn, turn.data["correcting"]["batch"])
        else:
            await self.begin(turn)

    async def _told(self, turn: Turn, batch_id: str) -> None:
        try:
            measured = read_measured(await turn.understand())
        except Unclear as unclear:
            turn.say(unclear.question)
            return
        if measured is None:
            await self.begin(turn)
            return
        _put_back(turn)
        if not await correct(turn, batch_id, measured.vitals):
            turn.say("这条记录里没有这一项，所以没有改。要记新的，直接再发一次就行。")


async def _wrong(turn: Turn, batch_id: str) -> None:
    await turn.services.records.batch(turn.actor, batch_id)  # refuses whoever may not read it
    _put_back(turn)
    correcting = {"batch": batch_id, "back_to": turn.state.flow}
    await turn.enter(CorrectionFlow.name, **turn.state.data, correcting=correcting)


async def _remove(turn: Turn, batch_id: str) -> None:
    _put_back(turn)
    for one in await turn.services.records.batch(turn.actor, batch_id):
        await turn.services.records.withdraw(turn.actor, one.id)
    turn.say("好的，删掉了。")


async def _leave_it(turn: Turn, _argument: str) -> None:
    _put_back(turn)
    turn.say("好的，没有改。")


def _put_back(turn: Turn) -> None:
    correcting = turn.state.data.get("correcting")
    if turn.state.flow == CorrectionFlow.name:
        turn.state.flow, turn.state.offered = correcting["back_to"] if correcting else "", []
    turn.state.data = {key: value for key, value in turn.state.data.items() if key != "correcting"}


def register(dialogue: Dialogue) -> None:
    """Hear measured values, and let them be corrected; before the watch over danger signs, which it stands in for."""
    dialogue.add_flow(CorrectionFlow())
    dialogue.intercept([hear])
    dialogue.on_action("measure.of", _of)
    dialogue.on_action("measure.add", _add)
    dialogue.on_action("measure.case", _of_case)
    dialogue.on_action("measure.forget", _forget)
    dialogue.on_action("measure.say", _say)
    dialogue.on_action("measure.wrong", _wrong)
    dialogue.on_action("measure.remove", _remove)
    dialogue.on_action("measure.keep", _leave_it)
