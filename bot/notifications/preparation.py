"""What is gathered for the expert: material that was added, asked for, and given."""

from backend.security.policy import SYSTEM
from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.messages import Choice, Menu
from bot.notifications.notifier import Notifier

_QUIET_SECONDS = 600


async def attachment_added(notifier: Notifier) -> None:
    """The expert hears of new material, once in ten minutes however many pictures come."""
    view = await notifier.case()
    if view.expert_id is None:
        return
    stretch = int(notifier.event.occurred_at.timestamp()) // _QUIET_SECONDS
    words = f"{case_line(view)}：有新的资料。"
    choices = (Choice(f"expert.pictures:{view.id}", "看图片"), Choice(f"expert.case:{view.id}", "查看资料"))
    card = Menu(words, choices, notice=notice("progress", "会诊有新资料", view, notifier.now))
    await notifier.tell_practitioner(view.expert_id, card, once=f"attachment:{view.id}:{stretch}")


async def supplement_requested(notifier: Notifier) -> None:
    """The doctor gets what the expert asks for as a task."""
    view = await notifier.case()
    asked = await notifier.services.consultations.supplements(SYSTEM, view.id)
    wanted = next(one.text for one in asked if one.id == notifier.payload["supplement_id"])
    head = f"{case_line(view)}\n专家{view.expert_name}请您补充：{wanted}"
    choices = (Choice(f"doctor.supplement:{view.id}", "现在补充"),)
    card = Menu(head, choices, notice=notice("task", "专家请您补充资料", view, notifier.now))
    await notifier.tell_practitioner(view.doctor_id, card)


async def supplement_answered(notifier: Notifier) -> None:
    """The expert hears that what they asked for is there."""
    view = await notifier.case()
    choices = (Choice(f"expert.pictures:{view.id}", "看图片"), Choice(f"expert.case:{view.id}", "查看资料"))
    card = Menu(
        f"{case_line(view)}：您要的资料，{view.doctor_name}医生已经补充。",
        choices,
        notice=notice("progress", "补充资料已到", view, notifier.now),
    )
    await notifier.tell_practitioner(view.expert_id, card)


HANDLERS = {
    "attachment.added": attachment_added,
    "supplement.requested": supplement_requested,
    "supplement.answered": supplement_answered,
}
