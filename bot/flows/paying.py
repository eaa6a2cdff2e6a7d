"""Money before and after a consultation: what is to be paid and why, one's bills, receipts, and the way back."""

from backend.charging import CANCELLABLE, UNPAID, ChargeState, ChargeView, ChargingService
from backend.errors import NotFound
from backend.money import said
from bot.cards.charge import (
    asking,
    bill,
    bill_choices,
    bill_title,
    drop_choice,
    no_answer,
    to_pay,
)
from bot.dialogue import Dialogue, Turn
from bot.messages import Choice, Link, Menu
from bot.wording import moment

NOT_CHARGED = "在这里问诊、请专家会诊，现在不收您的钱，所以没有账单。"
_MOST_BILLS = 8
_AGAIN = "重新选时间"


def charging_of(turn: Turn) -> ChargingService:
    """Give the charging service; whoever comes here where nothing is charged is told so."""
    if turn.services.charging is None:
        raise NotFound(NOT_CHARGED)
    return turn.services.charging


async def shown_if_held(turn: Turn, consultation_id: str, slot_id: str) -> bool:
    """Say where the charge stands that holds this very time, and tell whether there is one: the same tap twice."""
    charge = await _unpaid(turn, consultation_id)
    if charge is None or charge.slot_id != slot_id:
        return False
    show(turn, charge)
    return True


async def hold(turn: Turn, consultation_id: str, slot_id: str) -> None:
    """Hold a time and ask insurance what it pays. What comes of it arrives by itself; what is known already is said."""
    charging = charging_of(turn)
    before = await charging.of_consultation(turn.actor, consultation_id)
    charge = await charging.begin(turn.actor, consultation_id, slot_id)
    same = before is not None and (before.id, before.state) == (charge.id, charge.state)
    if charge.state is ChargeState.QUOTING and not charge.slow:
        turn.say(asking(charge))
    elif same:
        show(turn, charge)
    else:
        turn.say(f"{moment(charge.starts_at)}的会诊先给您留着。")  # the card comes by itself


def show(turn: Turn, charge: ChargeView) -> None:
    """Say where a charge stands, with what can be done."""
    if charge.state is ChargeState.QUOTING:
        turn.say(no_answer(charge) if charge.slow else asking(charge))
    elif charge.payable and charge.quote is not None and charge.expires_at > turn.services.clock.now():
        turn.say(*to_pay(charge, turn.services.links.pay(charge.id)))
    else:
        turn.say(Menu(bill(charge, turn.services.clock.now()), bill_choices(charge)))


async def _show(turn: Turn, charge_id: str) -> None:
    show(turn, await charging_of(turn).view(turn.actor, charge_id))


async def _bills(turn: Turn, _: str) -> None:
    """List the newest charges of the person and of those for whom they speak."""
    if turn.services.charging is None:
        turn.say(NOT_CHARGED)
        return
    found = (await turn.services.charging.bills(turn.actor))[:_MOST_BILLS]
    if not found:
        turn.say("您还没有账单。约专家会诊的时候，我会先把要花多少钱说清楚。")
        return
    choices = tuple(Choice(f"charge.show:{one.id}", bill_title(one)) for one in found)
    words = "\n".join(f"{bill_title(one)}　{one.state.label}" for one in found)
    turn.say(Menu(f"您的账单（金额是您自己付的部分）：\n{words}\n点下面看每一笔：", choices))


async def _why(turn: Turn, charge_id: str) -> None:
    """Explain the amounts, line by line."""
    charge = await charging_of(turn).view(turn.actor, charge_id)
    split = charge.settled or charge.quote
    if split is None:
        show(turn, charge)
        return
    words = "\n".join(["这次的钱是这样算的：", *(f"· {line}" for line in split.lines)])
    back = Choice(f"charge.show:{charge.id}", "看这笔账单")
    turn.say(Menu(words, (back, Choice("help.human", "找人工"))))


async def _self(turn: Turn, charge_id: str) -> None:
    """Ask whether the whole is really meant to be paid without insurance."""
    charge = await charging_of(turn).view(turn.actor, charge_id)
    if charge.state is not ChargeState.QUOTING:
        show(turn, charge)
        return
    words = (
        f"自己先付的话，这次医保不管，{said(charge.fee)}都由您付。以后能不能拿发票去报销，要问当地医保局，我们不能保证。\n"
        "确定自己先付吗？"
    )
    sure = Choice(f"charge.selfsure:{charge.id}", "确定自己付")
    turn.say(Menu(words, (sure, Choice(f"charge.wait:{charge.id}", "再等等"))))


async def _self_sure(turn: Turn, charge_id: str) -> None:
    charging = charging_of(turn)
    charge = await charging.view(turn.actor, charge_id)
    if charge.state is not ChargeState.QUOTING:
        show(turn, charge)
        return
    await charging.begin_without_insurance(turn.actor, charge.consultation_id, charge.slot_id)
    turn.say("好的，这次不等医保了。")  # the card comes by itself


async def _wait(turn: Turn, charge_id: str) -> None:
    charge = await charging_of(turn).view(turn.actor, charge_id)
    if charge.state is not ChargeState.QUOTING:
        show(turn, charge)
        return
    turn.say(
        Menu(
            "好的，我接着问医保，有回话马上告诉您。",
            (Choice(f"charge.self:{charge.id}", "自己先付"), drop_choice(charge)),
        )
    )


async def _drop(turn: Turn, charge_id: str) -> None:
    """Give back a time that is not paid for."""
    charge = await charging_of(turn).view(turn.actor, charge_id)
    if charge.state in UNPAID:
        await _dropped(turn, charge)
    else:
        show(turn, charge)


async def dropped_if_unpaid(turn: Turn, consultation_id: str) -> bool:
    """Give back the time of a consultation that is held and not paid for, and tell whether there was one."""
    charge = await _unpaid(turn, consultation_id)
    if charge is not None:
        await _dropped(turn, charge)
    return charge is not None


async def _unpaid(turn: Turn, consultation_id: str) -> ChargeView | None:
    if turn.services.charging is None:
        return None
    charge = await turn.services.charging.of_consultation(turn.actor, consultation_id)
    return charge if charge is not None and charge.state in UNPAID else None


async def _dropped(turn: Turn, charge: ChargeView) -> None:
    await charging_of(turn).cancel(turn.actor, charge.id)
    again = Choice(f"patient.book:{charge.consultation_id}", _AGAIN)
    turn.say(Menu("好的，这个时间不留了，没有扣您的钱。想再约，随时可以选时间。", (again,)))


async def _invoice(turn: Turn, charge_id: str) -> None:
    """Bring the receipt of a settled charge."""
    charge = await charging_of(turn).view(turn.actor, charge_id)
    if charge.settled is None or charge.settled_at is None:
        turn.say(Menu("会诊结束、结算好了才有电子发票。结算好了我会告诉您。", (Choice("charge.bills", "我的账单"),)))
        return
    words = f"一共{said(charge.settled.total)}，您付{said(charge.settled.cash)}。点开看，30天内有效。"
    turn.say(Link("电子发票", words, turn.services.links.invoice(charge.id)))


async def give_up(turn: Turn, consultation_id: str, reason: str) -> bool:
    """Take back what is charged for a booking, with the booking; tell whether there was anything."""
    charging = turn.services.charging
    charge = None if charging is None else await charging.of_consultation(turn.actor, consultation_id)
    if charging is None or charge is None or charge.state not in CANCELLABLE:
        return False
    await charging.cancel(turn.actor, charge.id, reason)
    money = f"您付的{said(charge.paid)}全部退给您，退到了我会告诉您。" if charge.paid else "没有扣您的钱。"
    again = Choice(f"patient.book:{consultation_id}", _AGAIN)
    turn.say(Menu(f"预约取消了，医生也会知道。{money}\n想再约，随时可以选时间。", (again,)))
    return True


def register(dialogue: Dialogue) -> None:
    """Add what a patient can ask and do about money."""
    dialogue.on_action("charge.bills", _bills)
    dialogue.on_action("charge.show", _show)
    dialogue.on_action("charge.why", _why)
    dialogue.on_action("charge.self", _self)
    dialogue.on_action("charge.selfsure", _self_sure)
    dialogue.on_action("charge.wait", _wait)
    dialogue.on_action("charge.drop", _drop)
    dialogue.on_action("charge.invoice", _invoice)
