"""Medicines that somebody is to take, in plain words."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from backend.clock import LOCAL_ZONE, local
from backend.dispensing import Item
from backend.dispensing.reminders import DoseView, LineView
from backend.dispensing.reminders_rules import PlanLine
from backend.security.policy import Actor
from bot.cards.notices import notice
from bot.messages import Choice, Menu
from bot.wording import lines, short_day, time_of_day

if TYPE_CHECKING:
    from bot.services import Services

TAKEN, LATER, STOP = "medicine.taken", "medicine.later", "medicine.stop"
HAVE, BEGIN, BEGIN_MOVED = "medicine.have", "medicine.begin", "medicine.begin_moved"
REFUSE, HOURS = "medicine.refuse", "medicine.hours"

_ANY_DAY = date(2000, 1, 1)
_EVERY = {2: "，隔天一次", 7: "，每周一次"}


def dose_card(dose: DoseView, now: datetime, *, again: bool) -> Menu:
    """Give the reminder of everything that is to be taken at a moment.

    Args:
        again: the person had put it off.
    """
    head = "您刚才说晚点吃，现在该吃药了：" if again else f"{time_of_day(dose.due_at)}，该吃药了："
    choices = (Choice(f"{TAKEN}:{dose.id}", "已吃"), Choice(f"{LATER}:{dose.id}", "晚点提醒"))
    stop = Choice(f"{STOP}:{dose.id}", "停")
    note = notice("task", "到时间吃药了", None, now, status="请查看", button="我的会诊")
    return Menu(lines(head, *(f"· {_taken(line)}" for line in dose.lines)), (*choices, stop), notice=note)


def offer_card(proposed: Iterable[PlanLine], prescription_id: str, only: Collection[int] | None) -> Menu:
    """Ask whether somebody wants to be reminded of prescribed medicines, and at which hours.

    Args:
        only: indices of the lines that the patient has; None for all of them.
    """
    chosen = f"{prescription_id}:{'.'.join(map(str, sorted(only or ())))}"
    listed = (f"· {line.name}：{times_said(line.times)}{_EVERY.get(line.every, '')}" for line in proposed)
    choices = (
        Choice(f"{BEGIN}:{chosen}", "好，到点提醒我"),
        Choice(f"{BEGIN_MOVED}:{chosen}", "提醒我，时间要改"),
        Choice(REFUSE, "不用提醒"),
    )
    return Menu(lines("要不要我到点提醒您吃药？时间是：", *listed), choices)


async def offered(
    services: "Services", actor: Actor, prescription_id: str, only: Collection[int] | None = None
) -> Menu | None:
    """Give the offer to be reminded of what was prescribed; None where there is nothing to remind of any more."""
    proposed = await services.reminders.proposal(actor, prescription_id, only)
    return offer_card(proposed, prescription_id, only) if proposed else None


def handed(items: Iterable[Item]) -> frozenset[int]:
    """Give which lines of its prescription an order has brought."""
    return frozenset(item.index for item in items)


def times_said(times: Iterable[time]) -> str:
    """Say times of day: 上午8:00、晚上6:00."""
    return "、".join(time_of_day(datetime.combine(_ANY_DAY, one, LOCAL_ZONE)) for one in times)


def plan_text(found: Sequence[LineView], now: datetime) -> str:
    """Give what somebody is reminded of, one medicine a line."""
    today = local(now).date()
    return lines("您的吃药提醒：", *(_line(line, today) for line in found))


def _line(line: LineView, today: object) -> str:
    last = datetime.combine(line.last, line.times[-1], LOCAL_ZONE)
    until = "今天是最后一天" if line.last == today else f"到{short_day(last)}为止"
    return f"· {_taken(line)}：{times_said(line.times)}，{until}"


def _taken(line: LineView) -> str:
    return f"{line.name}，{line.how}" if line.how else line.name
