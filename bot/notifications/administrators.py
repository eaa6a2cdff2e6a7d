"""Calls for a human being reach those who keep the platform running."""

from backend.security.policy import SYSTEM
from bot.cards.notices import notice
from bot.messages import Choice, Menu
from bot.notifications.notifier import Notifier

_QUIET_SECONDS = 600


async def help_requested(notifier: Notifier) -> None:
    """Every administrator hears who asks for help, with the way to answer; once in ten minutes of the same person."""
    person = await notifier.services.people.person(SYSTEM, notifier.payload["person_id"])
    names = await notifier.services.people.practitioner_names([person.id])
    words = f"{names.get(person.id) or person.name or '一位用户'}请求人工帮助。"
    choices = (Choice(f"administrator.reply:{person.id}", "回复"),)
    note = notice("task", "有人请求人工帮助", None, notifier.now, status="待处理", button="待处理事项")
    stretch = int(notifier.event.occurred_at.timestamp()) // _QUIET_SECONDS
    await notifier.tell_administrators(Menu(words, choices, notice=note), once=f"help:{person.id}:{stretch}")


HANDLERS = {"help.requested": help_requested}
