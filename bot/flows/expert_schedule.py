"""An expert's days: appointments and free times."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from backend.consultation.rules import Status
from backend.errors import Forbidden
from bot.cards.case import case_choice
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_menus import home
from bot.messages import Menu
from bot.wording import lines, moment, time_of_day

_AHEAD = timedelta(days=7)
_APPOINTMENTS_SHOWN = 8
_FREE_READ = 100
_DAYS_SHOWN = 5


async def schedule(turn: Turn, _: str = "") -> None:
    """Say the appointments of the coming week, and where there is room."""
    turn.leave()
    expert_id = turn.actor.practitioner_id
    if expert_id is None:
        raise Forbidden
    now = turn.services.clock.now()
    cases = await turn.services.consultations.list_for(turn.actor, status=Status.ASSIGNED, limit=50)
    booked = sorted(
        (case for case in cases if case.starts_at is not None and case.starts_at >= now - timedelta(hours=1)),
        key=lambda case: case.starts_at,
    )[:_APPOINTMENTS_SHOWN]
    free = await turn.services.scheduling.slots(expert_id, now, now + _AHEAD, limit=_FREE_READ)
    text = lines(
        "接下来的会诊：" if booked else "接下来一周没有约好的会诊。",
        *(f"· {moment(case.starts_at, now)}　{case_choice(case).text}" for case in booked),
        "空闲时间：" if free else "一周内没有空闲时间了。",
        *_free_days([slot.starts_at for slot in free], now),
    )
    choices = tuple(case_choice(case, "expert.case") for case in booked)
    turn.say(Menu(text, choices) if choices else home(turn.actor, text))


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
