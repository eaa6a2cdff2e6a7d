"""Prescriptions that were written: the patient's card, the doctor's view of them, and taking one back."""

import asyncio

from backend.prescription import PrescriptionView, State, draw_code
from bot.cards.prescription import (
    CODE,
    OPEN,
    REVOKE,
    WRITE,
    code_words,
    document_blocks,
    last_day,
    medicines_text,
    patient_card,
    patient_steps,
    patient_text,
    revocable,
)
from bot.dialogue import Dialogue, Turn
from bot.flows.pages import paged
from bot.flows.reason_flow import ReasonFlow
from bot.messages import Choice, Menu, Picture, Text
from bot.wording import clip, lines

_LONGEST_CHOICE = 16
_SHOWN = 6
_FETCHABLE = (State.VALID, State.PARTLY_DISPENSED)


async def show(turn: Turn, argument: str) -> None:
    """Show the prescriptions of a case, or the one that `argument` names behind the case, and the page of it."""
    consultation_id, prescription_id, page = (*argument.split(":"), "", "")[:3]
    found = await turn.services.prescriptions.prescriptions_of(turn.actor, consultation_id)
    signed = [one for one in found if one.version and one.document][-_SHOWN:]
    chosen = [one for one in signed if one.id == prescription_id] or (signed if len(signed) == 1 else [])
    if chosen:
        _show_one(turn, chosen[0], int(page) if page.isdecimal() else 0)
    elif signed:
        choices = tuple(Choice(f"{OPEN}:{consultation_id}:{one.id}", _label(one)) for one in reversed(signed))
        turn.say(Menu("看哪一张处方？", choices))
    else:
        turn.say("还没有开好的处方。开好了我马上告诉您。")


def _show_one(turn: Turn, view: PrescriptionView, page: int) -> None:
    url = turn.services.links.prescription(view.id)
    if turn.actor.owns(view.patient_id):
        if view.state in (State.VALID, State.PARTLY_DISPENSED, State.DISPENSED):
            words = patient_text(view.document, view)
            turn.say(Menu(words, patient_steps(view)), patient_card(view, url))
        else:
            said = f"这张处方（{medicines_text(view)}）{view.state.label}，不能再拿去取药。有疑问请问医生。"
            turn.say(Text(said), patient_card(view, url))
        return
    head = lines(
        f"处方 {view.number}　{view.state.label}",
        f"药师退回：{view.return_reason}" if view.return_reason else "",
        f"作废原因：{view.revocation_reason}" if view.revocation_reason else "",
        f"最晚{last_day(view)}取药。" if view.state is State.VALID else "",
    )
    onward = Choice(f"{OPEN}:{view.consultation_id}:{view.id}:{page + 1}", "接着看")
    turn.say(*paged(document_blocks(view.document), head, _steps(turn, view), page, onward))


def _steps(turn: Turn, view: PrescriptionView) -> tuple[Choice, ...]:
    mine = view.prescriber_id == turn.actor.practitioner_id
    back = (Choice(f"{OPEN}:{view.consultation_id}", "这次会诊的处方"),)
    if mine and revocable(view):
        return (Choice(f"{REVOKE}:{view.id}", "作废这张处方"), *back)
    if mine and view.state is State.DRAFT:
        return (Choice(f"{WRITE}:{view.consultation_id}", "接着改"), *back)
    return back


async def show_code(turn: Turn, prescription_id: str) -> None:
    """Give the code for the counter as a picture, and its digits to be read aloud."""
    view = await turn.services.prescriptions.prescription(turn.actor, prescription_id)
    if view.state not in _FETCHABLE or view.code is None or view.pickup_number is None:
        turn.say(f"这张处方{view.state.label}，不用再出示取药码。")
        return
    address = turn.services.links.verification(view.code)
    picture = await asyncio.to_thread(draw_code, address, view.pickup_number, last_day(view))
    file_id = await turn.services.files.put_picture(picture, turn.actor.person_id, own_of=view.patient_id)
    turn.say(Picture(file_id), f"到了药店，把上面的图给店里的人扫一扫。\n{code_words(view)}")


class RevokeFlow(ReasonFlow):
    """Data: `prescription_id`."""

    name = "prescription_revoke"
    reasons = ("开错了药", "患者情况有变化", "患者要住院", "患者不想用了")
    keep = "不作废"
    farewell = "好的，处方没有作废。"

    async def question(self, turn: Turn) -> str:
        view = await turn.services.prescriptions.prescription(turn.actor, turn.data["prescription_id"])
        return f"处方 {view.number}（{medicines_text(view)}）作废以后就不能取药了，不能恢复。为什么作废？"

    async def act(self, turn: Turn, reason: str) -> str:
        view = await turn.services.prescriptions.revoke(turn.actor, turn.data["prescription_id"], reason)
        told = "，正在告诉患者" if view.approved_at else ""
        return f"这张处方作废了{told}。"


async def revoke(turn: Turn, prescription_id: str) -> None:
    """Ask why a prescription is taken back."""
    await turn.enter(RevokeFlow.name, prescription_id=prescription_id)


def _label(view: PrescriptionView) -> str:
    return clip(f"{view.state.label} {medicines_text(view)}", _LONGEST_CHOICE)


def register(dialogue: Dialogue) -> None:
    """Let prescriptions be looked at and taken back."""
    dialogue.add_flow(RevokeFlow())
    dialogue.on_action(OPEN, show)
    dialogue.on_action(CODE, show_code)
    dialogue.on_action(REVOKE, revoke)
