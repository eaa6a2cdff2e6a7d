"""The end: the opinion in everybody's hands, the rating, or why there was none."""

from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.cards.rating import rating_card
from bot.cards.result import doctor_result, patient_result
from bot.messages import Choice, Menu, Text
from bot.notifications.notifier import Notifier


async def completed(notifier: Notifier) -> None:
    """Patient and doctor get the result; the patient is asked how it was."""
    view = await notifier.case()
    if view.opinion is None:  # a consultation is not completed without one
        raise LookupError("a completed consultation without an opinion")
    note = notice("result", "会诊结果已出", view, notifier.now)
    result = Text(patient_result(view, view.opinion), notice=note)
    await notifier.tell_patient(view, result, rating_card(view.id))
    card = Menu(doctor_result(view, view.opinion), (Choice(f"doctor.case:{view.id}", "查看病例"),), notice=note)
    await notifier.tell_practitioner(view.doctor_id, card)


async def cancelled(notifier: Notifier) -> None:
    """Everybody who did not cancel it themselves hears that it is off."""
    view = await notifier.case()
    note = notice("progress", "会诊已取消", view, notifier.now)
    words = "这次会诊取消了。您要是还不舒服，随时可以再来问诊；情况急请打120。"
    await notifier.tell_patient(view, Menu(words, (Choice("patient.start", "我要问诊"),), notice=note))
    for practitioner_id in (view.doctor_id, view.expert_id):
        await notifier.tell_practitioner(practitioner_id, Text(f"{case_line(view)}：会诊已取消。", notice=note))


async def rated(notifier: Notifier) -> None:
    """Doctor and expert hear how the patient found it."""
    view = await notifier.case()
    if view.rating is None:
        return
    words = f"{case_line(view)}：患者评价 {'★' * view.rating.stars}{'☆' * (5 - view.rating.stars)}"
    if view.rating.comment:
        words += f"\n“{view.rating.comment}”"
    for practitioner_id in (view.doctor_id, view.expert_id):
        await notifier.tell_practitioner(practitioner_id, Text(words))


HANDLERS = {"consultation.completed": completed, "consultation.cancelled": cancelled, "consultation.rated": rated}
