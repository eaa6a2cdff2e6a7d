"""Lists of cases as tappable answers, a page at a time."""

from backend.consultation.rules import Status
from bot.cards.case import case_choice, timeline_text
from bot.dialogue import Turn
from bot.flows.staff_menus import home
from bot.messages import Choice, Menu, Picture

_PAGE = 8
_PICTURES_SHOWN = 9


async def say_cases(
    turn: Turn, *, list_verb: str, case_verb: str, argument: str, head: str, empty: str, status: Status | None = None
) -> None:
    """Say one page of the actor's cases, newest first.

    Args:
        list_verb: the action that shows the list; the button of the next page is `list_verb:offset`.
        case_verb: the action behind each case, called with its identifier.
        argument: what stands behind the colon of the tapped item: the offset, or nothing.
        empty: what is said where there are none.
    """
    offset = int(argument) if argument.isdecimal() and len(argument) < 6 else 0
    cases = await turn.services.consultations.list_for(turn.actor, status=status, limit=_PAGE + 1, offset=offset)
    turn.leave()
    if not cases:
        turn.say(home(turn.actor, empty if offset == 0 else "没有更多了。"))
        return
    choices = [case_choice(case, case_verb) for case in cases[:_PAGE]]
    if len(cases) > _PAGE:
        choices.append(Choice(f"{list_verb}:{offset + _PAGE}", "下一页"))
    turn.say(Menu(head, tuple(choices)))


async def say_timeline(turn: Turn, consultation_id: str) -> None:
    """Say what has happened to a case so far, with time and person."""
    entries = await turn.services.consultations.timeline(turn.actor, consultation_id)
    turn.say(timeline_text(entries, turn.services.clock.now()))


async def say_pictures(turn: Turn, consultation_id: str) -> None:
    """Send the pictures of a case, the latest ones where there are many, each with its note."""
    attachments = await turn.services.consultations.attachments(turn.actor, consultation_id)
    if not attachments:
        turn.say("这例会诊还没有图片。")
        return
    notes = [f"图{number}：{one.note}" for number, one in enumerate(attachments, 1) if one.note]
    if notes:
        turn.say("\n".join(notes))
    turn.say(*(Picture(one.file_id) for one in attachments[-_PICTURES_SHOWN:]))
