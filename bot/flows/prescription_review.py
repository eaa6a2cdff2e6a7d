"""A pharmacist's work: what waits, one prescription in full, approved or returned with a reason."""

from backend.prescription import BrokenDocument, FindingsLeft, PrescriptionView, QueueItem
from bot.cards.prescription import APPROVE, RETURN, TAKE, document_blocks, finding_text
from bot.dialogue import Dialogue, Turn
from bot.flows.pages import last_page, paged
from bot.flows.reason_flow import ReasonFlow
from bot.flows.staff_menus import home
from bot.messages import Choice, Menu
from bot.wording import clip, elapsed, lines

QUEUE = "pharmacist.queue"

_PAGE = 8
_LONGEST_CHOICE = 16


async def queue(turn: Turn, _: str = "") -> None:
    """List what waits, the longest waiting first."""
    turn.leave()
    waiting = await turn.services.prescriptions.queue(turn.actor)
    if not waiting:
        turn.say(home(turn.actor, "现在没有等您审核的处方。来了新的我马上告诉您。"))
        return
    choices = tuple(Choice(f"{TAKE}:{one.id}", _label(one)) for one in waiting[:_PAGE])
    now = turn.services.clock.now()
    listed = [
        f"{one.patient_name}　{one.medicines}种药　{one.prescriber_name}医生　{elapsed(now - one.signed_at)}"
        + (f"　{one.taken_by_name}药师正在审" if one.taken_by and one.taken_by != turn.actor.practitioner_id else "")
        for one in waiting[:_PAGE]
    ]
    more = f"还有{len(waiting) - _PAGE}张，审完这些再看。" if len(waiting) > _PAGE else ""
    turn.say(Menu(lines("等您审核的处方：", *listed, more), choices))


async def take(turn: Turn, argument: str) -> None:
    """Show a prescription in full; from now on colleagues hear that this pharmacist has it. The answer that approves
    stands on the last page alone.

    Args:
        argument: the prescription, and the page behind a colon.
    """
    turn.leave()
    prescription_id, _, page_said = argument.partition(":")
    page = int(page_said) if page_said.isdecimal() else 0
    view = await turn.services.prescriptions.take(turn.actor, prescription_id)
    blocks, head = _whole(view), f"处方 {view.number}（{view.document['category']}）"
    choices = _steps(view) if page >= last_page(blocks, head) else _steps(view)[1:]
    turn.say(*paged(blocks, head, choices, page, Choice(f"{TAKE}:{view.id}:{page + 1}", "接着看")))


async def approve(turn: Turn, prescription_id: str) -> None:
    """Ask once more, then approve; `ID:sure` approves."""
    prescription_id, _, answer = prescription_id.partition(":")
    turn.leave()
    if answer != "sure":
        view = await turn.services.prescriptions.take(turn.actor, prescription_id)
        choices = (
            Choice(f"{APPROVE}:{view.id}:sure", "确定通过，签名"),
            Choice(f"{TAKE}:{view.id}", "再看一遍"),
        )
        head = f"{view.document['patient']['name']}的处方，通过以后患者马上能拿去取药。确定通过吗？"
        turn.say(Menu(head, choices))
        return
    try:
        await turn.services.prescriptions.approve(turn.actor, prescription_id)
    except (FindingsLeft, BrokenDocument) as refusal:
        choices = (Choice(f"{RETURN}:{prescription_id}", "退回给医生"), Choice(QUEUE, "先不审"))
        turn.say(Menu(refusal.sentence, choices))
        return
    turn.say(home(turn.actor, "通过了，已经签名，正在告诉医生和患者。"))


class ReturnFlow(ReasonFlow):
    """Data: `prescription_id`."""

    name = "prescription_return"
    reasons = ("用量请再核对", "天数太长", "和诊断不相符", "药物之间有影响", "请换一种药")
    keep = "不退了"
    farewell = "好的，没有退回。"

    async def question(self, turn: Turn) -> str:
        view = await turn.services.prescriptions.take(turn.actor, turn.data["prescription_id"])
        return f"{view.document['patient']['name']}的处方要退回给医生，为什么？"

    async def act(self, turn: Turn, reason: str) -> str:
        await turn.services.prescriptions.give_back(turn.actor, turn.data["prescription_id"], reason)
        return "退回了，已经把原因告诉医生。"


async def give_back(turn: Turn, prescription_id: str) -> None:
    """Ask for the reason of a return."""
    await turn.enter(ReturnFlow.name, prescription_id=prescription_id)


def _whole(view: PrescriptionView) -> list[str]:
    """Give everything that was signed, and what the checks find by what is known now."""
    answered = {(one["rule"], one["subject"]) for one in view.document["overrides"]}
    found = [one for one in view.findings if (one.rule, one.subject) not in answered]
    return [*document_blocks(view.document), *map(finding_text, found)]


def _steps(view: PrescriptionView) -> tuple[Choice, ...]:
    return (
        Choice(f"{APPROVE}:{view.id}", "审核通过"),
        Choice(f"{RETURN}:{view.id}", "退回"),
        Choice(QUEUE, "先不审"),
    )


def _label(one: QueueItem) -> str:
    return clip(f"{one.patient_name} {one.medicines}种药", _LONGEST_CHOICE)


def register(dialogue: Dialogue) -> None:
    """Let pharmacists review."""
    dialogue.add_flow(ReturnFlow())
    dialogue.on_action(QUEUE, queue)
    dialogue.on_action(TAKE, take)
    dialogue.on_action(APPROVE, approve)
    dialogue.on_action(RETURN, give_back)
