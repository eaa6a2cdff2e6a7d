"""Medicines that somebody is to take, in plain words."""

from datetime import datetime

from backend.clock import LOCAL_ZONE, local
from backend.dispensing.reminders import DoseView, LineView
from bot.cards.notices import notice
from bot.messages import Choice, Menu
from bot.wording import lines, short_day, time_of_day

TAKEN, LATER, STOP = "medicine.taken", "medicine.later", "medicine.stop"


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


def plan_text(found: list[LineView], now: datetime) -> str:
    """Give what somebody is reminded of, one medicine a line."""
    today = local(now).date()
    return lines("您的吃药提醒：", *(_line(line, today) for line in found))


def _line(line: LineView, today: object) -> str:
    times = "、".join(time_of_day(datetime.combine(line.first, one, LOCAL_ZONE)) for one in line.times)
    last = datetime.combine(line.last, line.times[-1], LOCAL_ZONE)
    until = "今天是最后一天" if line.last == today else f"到{short_day(last)}为止"
    return f"· {_taken(line)}：{times}，{until}"


def _taken(line: LineView) -> str:
    return f"{line.name}，{line.how}" if line.how else line.name
