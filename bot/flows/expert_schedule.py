"""An expert's days: appointments and free times."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from backend.clock import local
from backend.consultation.rules import Status
from backend.consultation.views import ConsultationSummary
from backend.errors import Forbidden
from backend.scheduling import BookingState
from backend.security.policy import Role
from bot.cards.case import case_choice, case_line
from bot.cards.schedule import days_off
from bot.dialogue import Dialogue, Turn
from bot.flows.expert_hours import hours_choice, view_of
from bot.flows.staff_menus import home
from bot.messages import Menu
from bot.wording import lines, moment, time_of_day

_AHEAD = timedelta(days=7)
_APPOINTMENTS_SHOWN = 8
_CASES_READ = 30
_FREE_READ = 100
_DAYS_SHOWN = 5


async def schedule(turn: Turn, _: str = "") -> None:
    """Say the appointments of the coming week, and where there is room."""
    turn.leave()
    expert_id = turn.actor.practitioner_id
    if expert_id is None:
        raise Forbidden
    now = turn.services.clock.now()
    booked = (await _appointments(turn, now))[:_APPOINTMENTS_SHOWN]
    view = await view_of(turn)
    off = days_off(view, local(now).date(), _AHEAD.days)
    free = await turn.services.scheduling.slots(expert_id, now, now + _AHEAD, limit=_FREE_READ)
    text = lines(
        "接下来的会诊：" if booked else "接下来一周没有约好的会诊。",
        *(f"· {moment(at, now)}　{case_line(case)}" for at, case in booked),
        "空闲时间：" if free else "一周内没有空闲时间了。",
        *_free_days([slot.starts_at for slot in free], now),
        *(f"· {line}" for line in off),
    )
    choices = tuple(case_choice(case, "expert.case") for _, case in booked)
    turn.say(Menu(text, (*choices, hours_choice(), *(() if choices else home(turn.actor).choices))))


async def _appointments(turn: Turn, now: datetime) -> list[tuple[datetime, ConsultationSummary]]:
    """Give the expert's appointments that are not over, the next first."""
    cases = await turn.services.consultations.list_for(
        turn.actor, status=Status.ASSIGNED, role=Role.EXPERT, limit=_CASES_READ
    )
    found = []
    for case in cases:
        booking = await turn.services.scheduling.booking(case.id)
        if booking is not None and booking.state is BookingState.ACTIVE and booking.ends_at > now:
            found.append((booking.starts_at, case))
    return sorted(found, key=lambda pair: pair[0])


def _free_days(starts: Sequence[datetime], now: datetime) -> list[str]:
    """Give one line a day: the day, and its first free times."""
    days: dict[str, list[str]] = {}
    for at in starts:
        day = moment(at, now).removesuffix(time_of_day(at))
        days.setdefault(day, []).append(time_of_day(at))
    shown = [
        f"· {day}　{'、'.join(times[:3])}{f' 等{len(times)}个' if len(times) > 3 else ''}"
        for day, times in days.items()
    ]
    return shown[:_DAYS_SHOWN]


def register(dialogue: Dialogue) -> None:
    """Let an expert see the schedule."""
    dialogue.on_action("expert.schedule", schedule)
