"""Medicines on their way: the pharmacy hears of orders, the patient of each step; a doctor of requests for a refill."""

from backend.dispensing import Method, OrderView
from backend.security.policy import SYSTEM, Role
from bot.cards.medicines import handed, offered
from bot.cards.notices import notice
from bot.cards.order import patient_choices, patient_order, pharmacy_order, refill_card
from bot.messages import Choice, Menu, Text
from bot.notifications.notifier import Notifier
from bot.wording import lines

_MOST_PHARMACISTS = 20
_SHORT_AND_ASKED = 2


async def _order(notifier: Notifier) -> OrderView:
    return await notifier.services.dispensing.order(SYSTEM, notifier.payload["order_id"])


async def _tell_pharmacy(notifier: Notifier, title: str) -> None:
    order = await _order(notifier)
    note = notice("task", title, await notifier.case(), notifier.now, order.state.label, button="取药单")
    pharmacists = await notifier.services.people.practitioners(
        role=Role.PHARMACIST,
        institution_id=order.pharmacy_id,
        joined_only=True,
        limit=_MOST_PHARMACISTS,
        offset=0,
    )
    for one in pharmacists:
        await notifier.tell_practitioner(one.id, pharmacy_order(order, title, note))


async def _tell_patient(notifier: Notifier, words: str, title: str, *more: Choice, below: str = "") -> None:
    view, order = await notifier.case(), await _order(notifier)
    note = notice("progress", title, view, notifier.now, order.state.label)
    choices = (*patient_choices(order), *more)
    body = lines(words, patient_order(order), below)
    await notifier.tell_patient(view, Menu(body, choices, notice=note) if choices else Text(body, notice=note))


async def placed(notifier: Notifier) -> None:
    """The pharmacy has something to do."""
    await _tell_pharmacy(notifier, "新的取药单")


async def accepted(notifier: Notifier) -> None:
    """The patient hears that it is being prepared."""
    await _tell_patient(notifier, "药店接单了，正在配药。", "药店正在配药")


async def refused(notifier: Notifier) -> None:
    """The patient chooses another pharmacy."""
    await _tell_patient(notifier, "对不起，这家药店配不了，请换一家。", "请换一家药店取药")


async def packed(notifier: Notifier) -> None:
    """The patient fetches it, or waits for it; what is missing is had elsewhere."""
    order = await _order(notifier)
    words = "药配好了，马上发出来。" if order.method is Method.DELIVERY else "药配好了，请带上身份证去取。"
    more = []
    if notifier.payload.get("short"):
        words += f"\n有{notifier.payload['short']}种药这家缺货，请点下面到别家取。"
        more = [Choice(f"order.start:{order.prescription_id}", "缺的到别家取")]
    await _tell_patient(notifier, words, "药配好了", *more)


async def sent(notifier: Notifier) -> None:
    """It is on its way."""
    await _tell_patient(notifier, "药发出来了，请留意电话。收到以后，请点“药收到了”。", "药发出来了")


async def received(notifier: Notifier) -> None:
    """The pharmacy hears that it came; a patient at whose counter it was handed out has it in the chat too."""
    order = await _order(notifier)
    if order.method is Method.DELIVERY:
        await _tell_pharmacy(notifier, "患者已签收")
    else:
        offer = await offered(notifier.services, SYSTEM, order.prescription_id, handed(order.items))
        choices, below = (offer.choices, offer.head) if offer is not None else ((), "")
        await _tell_patient(notifier, "您的药已经取走了。", "药已取走", *choices, below=below)


async def cancelled(notifier: Notifier) -> None:
    """Who prepares it stops; where the doctor revoked the prescription, the patient hears of it."""
    await _tell_pharmacy(notifier, "取药单取消了，不用配了")
    if notifier.payload.get("revoked"):
        await _tell_patient(notifier, "医生作废了这张处方，取药单也取消了。请听医生的安排。", "取药单取消了")


async def unaccepted(notifier: Notifier) -> None:
    """Nobody took the order: the pharmacy again, then the patient."""
    await _tell_pharmacy(notifier, "取药单还没有人接")
    if notifier.payload["asked"] >= _SHORT_AND_ASKED:
        order = await _order(notifier)
        other = Choice(f"order.cancel:{order.id}", "不等了，换一家")
        view = await notifier.case()
        note = notice("progress", "药店还没有接单", view, notifier.now, order.state.label)
        words = f"{order.pharmacy_name}一小时了还没有接单。您可以再等等，也可以换一家。"
        await notifier.tell_patient(view, Menu(words, (other,), notice=note))


async def unreceived(notifier: Notifier) -> None:
    """It was sent days ago: has it come?"""
    await _tell_patient(notifier, "药发出来几天了，您收到了吗？没有收到的话，请打药店电话问一问。", "药收到了吗")


async def refill_requested(notifier: Notifier) -> None:
    """The doctor who prescribed it is asked."""
    refill = await notifier.services.dispensing.refill(SYSTEM, notifier.payload["refill_id"])
    note = notice("task", "患者请求续方", await notifier.case(), notifier.now)
    await notifier.tell_practitioner(notifier.payload["practitioner_id"], refill_card(refill, note))


async def refill_answered(notifier: Notifier) -> None:
    """The patient hears what the doctor says."""
    view = await notifier.case()
    refill = await notifier.services.dispensing.refill(SYSTEM, notifier.payload["refill_id"])
    if refill.agreed:
        words = "医生同意给您续方，正在开。药师审核通过以后，我马上发给您。"
        note = notice("progress", "医生同意续方", view, notifier.now)
        await notifier.tell_patient(view, Text(words, notice=note))
    else:
        words = f"医生说这次先不续：{refill.reason}\n有不明白的，请问医生。"
        note = notice("progress", "医生答复了续方", view, notifier.now)
        await notifier.tell_patient(view, Menu(words, (Choice("patient.start", "我要问诊"),), notice=note))


HANDLERS = {
    "dispensing.placed": placed,
    "dispensing.accepted": accepted,
    "dispensing.refused": refused,
    "dispensing.packed": packed,
    "dispensing.sent": sent,
    "dispensing.received": received,
    "dispensing.cancelled": cancelled,
    "dispensing.unaccepted": unaccepted,
    "dispensing.unreceived": unreceived,
    "refill.requested": refill_requested,
    "refill.answered": refill_answered,
}
