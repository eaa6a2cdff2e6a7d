"""A case comes in: its doctor hears of it, at once where it is critical, again where it waits too long."""

from bot.cards.case import case_line, danger_line
from bot.cards.notices import notice
from bot.cards.task import task_card
from bot.messages import Choice, Menu, Text
from bot.notifications.notifier import Notifier
from bot.wording import lines


async def drafted(notifier: Notifier) -> None:
    """The doctor gets the task card; one who began the case themselves has it before them."""
    view = await notifier.case()
    if not notifier.payload.get("by_doctor"):
        await notifier.tell_practitioner(view.doctor_id, task_card(view, notifier.now))


async def critical(notifier: Notifier) -> None:
    """Everybody who treats hears that a case is critical."""
    view = await notifier.case()
    head = lines(f"⚠ 危急病例：{case_line(view)}", danger_line(view), "请马上处理，该叫救护车的立即叫120。")
    treating = ((view.doctor_id, "doctor.open", "我的任务"), (view.expert_id, "expert.case", "我的会诊"))
    for practitioner_id, verb, button in treating:
        alarm = Menu(
            head,
            (Choice(f"{verb}:{view.id}", "打开"),),
            notice=notice("task", "危急病例，请马上处理", view, notifier.now, button=button),
        )
        await notifier.tell_practitioner(practitioner_id, alarm)


async def overdue(notifier: Notifier) -> None:
    """A task was not opened in time: another doctor of the institution has it now, or its doctor is reminded."""
    view = await notifier.case()
    fresh = notifier.payload.get("reassigned_to")
    if fresh:
        await notifier.tell_practitioner(fresh, task_card(view, notifier.now, "转来的问诊任务"))
        await notifier.tell_practitioner(
            notifier.payload["doctor_id"], Text(f"{case_line(view)}：超时未打开，已转给同事处理。")
        )
        return
    await notifier.tell_practitioner(view.doctor_id, task_card(view, notifier.now, "任务超时，请尽快打开"))
    words = (
        f"{view.number}（{view.urgency.label}）超时没有医生打开，{view.institution_name}没有别的医生可转，请联系他们。"
    )
    note = notice("task", "任务超时无人处理", view, notifier.now, button="待处理事项")
    await notifier.tell_administrators(Text(words, notice=note))


HANDLERS = {"consultation.drafted": drafted, "consultation.critical": critical, "task.overdue": overdue}
