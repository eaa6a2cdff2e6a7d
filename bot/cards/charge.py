"""What a consultation costs, as the patient reads it: who pays what, why, and what can be done now."""

from datetime import datetime

from backend.charging import ChargeState, ChargeView, ChargingService
from backend.insurance.coverage import Split
from backend.money import said
from backend.security.policy import Actor
from bot.messages import Choice, Link, Menu, Message, Notice
from bot.wording import lines, moment, short_day, time_of_day

ARRIVES = "原路退回，一般几分钟就到；付钱用的是银行卡的，最晚3个工作日。"
_FREE = "这次您不用付钱。"


def split_lines(split: Split) -> str:
    """Say who pays what, one line each; who pays nothing is left out, but for the patient."""
    return lines(
        f"一共{said(split.total)}",
        f"医保付{said(split.insurance)}" if split.insurance else "",
        f"账户付{said(split.account)}" if split.account else "",
        f"补助付{said(split.subsidy)}" if split.subsidy else "",
        f"您要付{said(split.cash)}",
    )


def asking(charge: ChargeView) -> Menu:
    """Say that insurance is being asked, and that the time is held meanwhile."""
    return Menu(
        f"正在问医保能报多少，问到了马上告诉您。\n{_held(charge)}",
        (change_choice(charge), drop_choice(charge)),
    )


def to_pay(charge: ChargeView, url: str, notice: Notice | None = None) -> tuple[Message, ...]:
    """Give the card before paying: who pays what, and the way to the page on which it is paid.

    Args:
        charge: quoted. url: of the page that pays.
    """
    if charge.quote is None:
        raise ValueError("a card of what is not known yet")
    head = lines(
        "这次会诊的费用：",
        split_lines(charge.quote),
        charge.why_not,
        _held(charge),
    )
    choices = (why_choice(charge), change_choice(charge), drop_choice(charge))
    link = Link("去付钱", f"您要付{said(charge.quote.cash)}，点这里。", url)
    return Menu(head, choices, notice=notice), link


def no_answer(charge: ChargeView, notice: Notice | None = None) -> Menu:
    """Say that insurance does not answer: the fee as such, and the choice to wait or to pay oneself."""
    head = (
        f"医保那边还没有回话。这次会诊一共{said(charge.fee)}，医保能付多少现在还不知道。\n"
        f"您可以再等等；也可以不等医保，自己先付{said(charge.fee)}。\n{_held(charge)}"
    )
    choices = (
        Choice(f"charge.wait:{charge.id}", "再等等"),
        Choice(f"charge.self:{charge.id}", "自己先付"),
        drop_choice(charge),
    )
    return Menu(head, choices, notice=notice)


def receipt(charge: ChargeView) -> str:
    """Say what was received, for the message that also tells of the booking."""
    split = charge.quote
    if not charge.paid:
        return lines(split_lines(split) if split else "", _FREE)
    others = f"，剩下的{said(charge.fee - charge.paid)}由医保这些来付" if charge.fee > charge.paid else ""
    return f"收到您付的{said(charge.paid)}{others}。"


def result(charge: ChargeView, notice: Notice | None = None) -> Menu:
    """Give the card of the settlement: what each has paid, and why."""
    if charge.settled is None:
        raise ValueError("a card of what is not settled")
    given_back = charge.paid - charge.settled.cash
    head = lines(
        "这次会诊的钱结算好了：",
        paid_lines(charge.settled),
        f"比先前付的少{said(given_back)}，这些退给您，{ARRIVES}" if given_back > 0 else "",
        "怎么算的：",
        *(f"· {line}" for line in charge.settled.lines),
    )
    return Menu(head, (invoice_choice(charge), Choice("charge.bills", "我的账单")), notice=notice)


def paid_lines(split: Split) -> str:
    """Say who has paid what."""
    return split_lines(split).replace("您要付", "您付")


def bill(charge: ChargeView, now: datetime) -> str:
    """Give a charge as it stands now."""
    split = charge.settled or charge.quote
    return lines(
        f"账单 {charge.number}",
        f"会诊时间：{moment(charge.starts_at)}",
        f"进展：{charge.state.label}",
        _amounts(charge, split),
        f"您已经付了{said(charge.paid)}" if charge.paid else "",
        f"正在退给您{said(charge.refunding)}，{ARRIVES}" if charge.refunding else "",
        f"已经退给您{said(charge.refunded)}" if charge.refunded else "",
        f"没有来会诊，按规定收{said(charge.kept)}" if charge.kept else "",
        _held(charge) if charge.payable and charge.expires_at > now else "",
    )


def bill_title(charge: ChargeView) -> str:
    """Give a charge in the few words of a button."""
    split = charge.settled or charge.quote
    return f"{short_day(charge.starts_at)} {said(charge.fee if split is None else split.cash)}"


def bill_choices(charge: ChargeView) -> tuple[Choice, ...]:
    """Give what can be done with a charge that is not waiting to be paid."""
    found = [why_choice(charge)] if charge.settled or charge.quote else []
    if charge.settled is not None:
        found.append(invoice_choice(charge))
    return (*found, Choice(f"patient.case:{charge.consultation_id}", "看这次会诊"), Choice("charge.bills", "我的账单"))


def why_choice(charge: ChargeView) -> Choice:
    """Give the answer that explains the amounts."""
    return Choice(f"charge.why:{charge.id}", "怎么算的")


def invoice_choice(charge: ChargeView) -> Choice:
    """Give the answer that brings the receipt."""
    return Choice(f"charge.invoice:{charge.id}", "看电子发票")


def change_choice(charge: ChargeView) -> Choice:
    """Give the answer that leads to another time."""
    return Choice(f"patient.book:{charge.consultation_id}", "换个时间")


def drop_choice(charge: ChargeView) -> Choice:
    """Give the answer that gives the time back before anything is paid."""
    return Choice(f"charge.drop:{charge.id}", "不约了")


def _amounts(charge: ChargeView, split: Split | None) -> str:
    if split is None:
        return f"一共{said(charge.fee)}"
    over = charge.state in (ChargeState.SETTLED, ChargeState.CONFIRMED, ChargeState.SETTLING)
    return paid_lines(split) if over else split_lines(split)


def _held(charge: ChargeView) -> str:
    return f"{moment(charge.starts_at)}的会诊给您留到{time_of_day(charge.expires_at)}，到点没付就让给别人了。"


async def charge_choices(charging: ChargingService | None, actor: Actor, consultation_id: str) -> tuple[Choice, ...]:
    """Give the answer that leads to what a consultation costs, where anything is charged."""
    charge = None if charging is None else await charging.of_consultation(actor, consultation_id)
    if charge is None:
        return ()
    return (Choice(f"charge.show:{charge.id}", "去付钱" if charge.payable else "看账单"),)
