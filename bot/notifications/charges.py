"""Money: what is to be paid, what was received, how it was settled, what is given back."""

from datetime import datetime

from backend.charging import ChargeState, ChargeView, ChargingService, Reason
from backend.charging.rules import INSURANCE_STEPS, StepKind
from backend.charging.words import STEPS
from backend.consultation.views import ConsultationView
from backend.money import said, to_yuan
from backend.security.policy import SYSTEM
from bot.cards.booking import booked
from bot.cards.case import appointment
from bot.cards.charge import ARRIVES, no_answer, receipt, result, to_pay
from bot.cards.notices import notice
from bot.messages import Choice, Menu, Notice, Text
from bot.notifications.notifier import Notifier
from bot.wording import moment

_MENU = "药、设备、账单"
_QUIET_SECONDS = 3600
_WAITS = {
    StepKind.REFUND: "要退给您的钱，我们已经向微信支付提了，它还没有给准信。"
    "钱不会少您的，我们会一直查，到账了马上告诉您。",
    StepKind.CLOSE: "您先前那张付款单，微信支付还没有告诉我们到底付没付。"
    "付了的话会全部退给您，没付就不用管它。请不要再付那一张。",
    StepKind.SETTLE: "会诊的钱，医保那边还没有结算完，管理员已经知道了。"
    "您什么都不用做，也不会再多收您的钱，结算好了我告诉您。",
    StepKind.REVOKE_SETTLEMENT: "这次的医保报销要撤销，医保那边还没有给准信，管理员已经知道了。"
    "您什么都不用做，我们会一直查到办好。",
}
"""What a patient waits for, by the step that is not answered; of the others they feel nothing."""
_BILLS_CHOICE = Choice("charge.bills", "我的账单")


def _charging(notifier: Notifier) -> ChargingService:
    charging = notifier.services.charging
    if charging is None:
        raise LookupError("an event of charging where nothing is charged")
    return charging


async def _charge(notifier: Notifier) -> ChargeView:
    return await _charging(notifier).view(SYSTEM, notifier.payload["charge_id"])


def _notice(notifier: Notifier, view: ConsultationView, title: str, status: str) -> Notice:
    return notice("progress", title, view, notifier.now, status=status)


async def quoted(notifier: Notifier) -> None:
    """What is to be paid is known: the card, while it still waits to be paid."""
    view, charge = await notifier.case(), await _charge(notifier)
    if not charge.payable or charge.quote is None or not charge.quote.cash:
        return
    note = _notice(notifier, view, "会诊费用算好了，等您付钱", "等待付款")
    cards = to_pay(charge, notifier.services.links.pay(charge.id), note)
    await notifier.tell_speaker(view, *cards, expires_at=charge.expires_at)


async def delayed(notifier: Notifier) -> None:
    """Insurance gives no answer: the whole fee, and the choice to wait."""
    view, charge = await notifier.case(), await _charge(notifier)
    if charge.state is ChargeState.QUOTING:
        note = _notice(notifier, view, "医保还没有回话", "等待回话")
        await notifier.tell_speaker(view, no_answer(charge, note), expires_at=charge.expires_at)


async def confirmed(notifier: Notifier) -> None:
    """The receipt and the booking in one message."""
    view, charge = await notifier.case(), await _charge(notifier)
    booking = appointment(view)
    if booking is None:  # given up since: what is given back is told by its own event
        return
    note = _notice(notifier, view, "钱付好了，会诊约好了", "已约好")
    calendar = notifier.services.links.calendar(booking)
    await notifier.tell_speaker(view, *booked(booking, f"{receipt(charge)}\n约好了", calendar, note))


async def lapsed(notifier: Notifier) -> None:
    """A time that was held is given back and nothing was taken; who gave it up themselves knows."""
    view, charge = await notifier.case(), await _charge(notifier)
    words = {
        Reason.EXPIRED: "时间到了还没有付钱，留的时间先放回去了。没有扣您的钱。还想约的话，重新选个时间就行。",
        Reason.CARE_CANCELLED: "医生那边有变动，留的时间取消了。没有扣您的钱。",
    }.get(charge.reason)
    if words is None:
        return
    again = Choice(f"patient.book:{view.id}", "重新选时间")
    note = _notice(notifier, view, "留的会诊时间已放回", "未付款")
    await notifier.tell_speaker(view, Menu(words, (again, _BILLS_CHOICE), notice=note))


async def settled(notifier: Notifier) -> None:
    """What each has paid in the end, and why."""
    view, charge = await notifier.case(), await _charge(notifier)
    if charge.settled is not None:
        note = notice("result", "会诊费用已结算", view, notifier.now, status="已结算", button=_MENU)
        await notifier.tell_speaker(view, result(charge, note))


async def disputed(notifier: Notifier) -> None:
    """A person has to look: administrators hear it; the patient hears that nothing more is taken meanwhile."""
    view, charge = await notifier.case(), await _charge(notifier)
    note = notice("task", "有一笔费用要人核对", view, notifier.now, status="待核对", button="待处理事项")
    words = f"费用 {charge.number} 要人核对：{_why(charge)}。会诊 {view.number}，一共{said(charge.fee)}。"
    await notifier.tell_administrators(Menu(words, (Choice("administrator.waiting", "待处理事项"),), notice=note))
    if charge.state is ChargeState.DISPUTED:
        own = _notice(notifier, view, "会诊费用正在核对", "核对中")
        patient = "会诊的钱，医保算的跟先前说的不一样，正在请人核对。这段时间不会再多收您的钱，核对好了我告诉您。"
        await notifier.tell_speaker(view, Text(patient, notice=own))


async def stalled(notifier: Notifier) -> None:
    """Insurer or WeChat Pay have not answered for long: administrators hear it, once in an hour of the same side,
    however many charges wait for it; the patient hears once what that means for their money."""
    view, charge, kind = await notifier.case(), await _charge(notifier), StepKind(notifier.payload["step"])
    side = "医保" if kind in INSURANCE_STEPS else "微信支付"
    since = moment(datetime.fromisoformat(notifier.payload["since"]), notifier.now)
    note = notice(
        "task", f"{side}一直没有回话，有费用办不下去", view, notifier.now, status="待处理", button="待处理事项"
    )
    words = (
        f"{side}从{since}起一直没有给准信，费用 {charge.number} 停在“{STEPS[kind]}”。系统会一直再问，间隔越来越长。"
        "现在再问一次，或者人工决定，请到管理网页的“费用结算”，点“只看等人处理的”。"
    )
    stretch = int(notifier.event.occurred_at.timestamp()) // _QUIET_SECONDS
    await notifier.tell_administrators(
        Menu(words, (Choice("administrator.waiting", "待处理事项"),), notice=note), once=f"stalled:{side}:{stretch}"
    )
    if kind in _WAITS:
        own = _notice(notifier, view, "会诊费用还在办", "办理中")
        told = Menu(_WAITS[kind], (_BILLS_CHOICE,), notice=own)
        await notifier.tell_speaker(view, told, once=f"stalled:{notifier.payload['step_number']}")


def _why(charge: ChargeView) -> str:
    return {
        Reason.SETTLED_OTHERWISE: "医保结算的金额跟预结算不一样",
        Reason.SETTLEMENT_REFUSED: "医保没有同意结算",
        Reason.REFUND_FAILED: "退款没有成功",
        Reason.UNDOING_REFUSED: "医保没有同意撤销",
        Reason.WRONG_AMOUNT: "收到的金额跟账单不一样",
    }.get(charge.attention, "请看账单")


async def refunding(notifier: Notifier) -> None:
    """Money is on its way back: how much, where to, until when."""
    view, amount = await notifier.case(), said(to_yuan(notifier.payload["amount"]))
    note = _notice(notifier, view, "正在给您退钱", "退款中")
    await notifier.tell_speaker(view, Menu(f"正在退给您{amount}。{ARRIVES}", (_BILLS_CHOICE,), notice=note))


async def refunded(notifier: Notifier) -> None:
    """It has arrived."""
    view, amount = await notifier.case(), said(to_yuan(notifier.payload["amount"]))
    note = _notice(notifier, view, "钱已退到您付款的地方", "已退款")
    words = f"{amount}已经退到您付钱的地方了（微信零钱或银行卡），请看一下。"
    await notifier.tell_speaker(view, Menu(words, (_BILLS_CHOICE,), notice=note))


HANDLERS = {
    "charge.quoted": quoted,
    "charge.delayed": delayed,
    "charge.confirmed": confirmed,
    "charge.lapsed": lapsed,
    "charge.settled": settled,
    "charge.disputed": disputed,
    "charge.stalled": stalled,
    "charge.refunding": refunding,
    "charge.refunded": refunded,
}
