"""How far an open case is and what comes next, for people who ask whether anybody is coming."""

import re
from datetime import datetime

from backend.consultation.rules import Status, Urgency
from backend.consultation.views import ConsultationView
from bot.cards.room import room_choices
from bot.dialogue import Turn
from bot.flows.booking import active_booking
from bot.flows.my import newest_running
from bot.messages import Choice, Menu
from bot.wording import moment, short_day
from nlu.types import Understanding

_WHO = "医生|大夫|专家|结果|会诊|我的病|您们|你们"
_WHEN = "什么时候|啥时候|啥时|几时|多久|多长时间|多会儿|几点"
_ASKS = re.compile(
    rf"(?:{_WHO}).{{0,6}}(?:{_WHEN}|(?:来|看|回|回复|出来?|接|收到)了?(?:没|吗|不)|在(?:吗|哪|不在)|到哪|怎么样|怎样)|"
    rf"(?:{_WHEN}).{{0,6}}(?:来|看|好|轮|到|有|回|能|轮到)|(?:好|完|看完|弄好|接|安排好?|联系)了?(?:没有?|吗|么)(?:[?？。]|$)|"
    r"到我了|轮到我|到谁了|排到|进度|进展|到哪一?步|到哪儿?了|(?:还|得)要?等?(?:多久|多长)|"
    r"怎么(?:还|没|一直|老).{0,6}(?:人|来|回|动静|消息|信|结果)|(?:有|没)(?:消息|信儿?|结果|动静|回音|人)(?:没|吗|了|理|管|回|看|来|啊)|"
    r"等了?(?:好久|半天|这么久|很久|多久|一天|几天)"
)
_LONGEST_QUESTION = 30
_IF_WORSE = "要是突然加重，请打120。"


def is_asked(text: str, said: Understanding) -> bool:
    """Tell whether a message asks how far things are; one that tells a symptom does not."""
    tells = bool(said.symptoms) or said.temperature is not None
    return not tells and len(text) <= _LONGEST_QUESTION and _ASKS.search(text) is not None


async def of_newest(turn: Turn) -> ConsultationView | None:
    """Give the newest of the person's open cases."""
    case = await newest_running(turn)
    return None if case is None else await turn.services.consultations.get(turn.actor, case.id)


def words(case: ConsultationView) -> str:
    """Say how far `case` is and what comes next."""
    if case.urgency is Urgency.CRITICAL:  # whatever feels better meanwhile
        return f"还没打120的，请现在就打，好一点了也要打，别光等这里的消息。\n{_stands(case)}"
    return f"您{short_day(case.opened_at)}交的病情：{_stands(case)}\n有消息我马上在这里告诉您。{_IF_WORSE}"


def card(case: ConsultationView, now: datetime, before: str = "") -> Menu:
    """Give `words` with what can be done now, `before` above them."""
    choices = [*room_choices(case, now), Choice(f"patient.case:{case.id}", "看这次会诊")]
    if case.status is Status.IN_PROGRESS:
        choices.insert(0, Choice(f"thread.focus:{case.id}", "进入会诊"))
    elif case.status is Status.ASSIGNED and active_booking(case) is None and not case.urgency.skips_booking:
        choices.insert(0, Choice(f"patient.book:{case.id}", "选时间"))
    choices += [Choice("patient.start", "是新的不舒服"), Choice("help.human", "找人工")]
    return Menu(f"{before}\n{words(case)}" if before else words(case), tuple(choices))


def _stands(case: ConsultationView) -> str:
    doctor = f"{case.institution_name}的{case.doctor_name}医生"
    if case.status is Status.DRAFT:
        return f"{doctor}正在看。" if case.acknowledged_at is not None else f"已经送到{doctor}那里，等他打开看。"
    if case.status is Status.PENDING:
        return f"{doctor}看过了，正在帮您找专家，一般十几分钟有人接。"
    if case.status is Status.IN_PROGRESS:
        return f"专家{case.expert_name}医生正在会诊，您在这里直接说话就行。"
    booking = active_booking(case)
    if booking is not None:
        return f"专家{case.expert_name}医生接了，约在{moment(booking.starts_at)}，到点前我会提醒您。"
    if case.urgency.skips_booking:
        return f"专家{case.expert_name}医生接了，马上就开始，请看着点手机。"
    return f"专家{case.expert_name}医生接了，请您选个方便的时间。"
