"""Lists of cases as tappable answers, a page at a time."""

from collections.abc import Sequence

from backend.consultation.rules import Status
from bot.cards.case import case_choice, timeline_text
from bot.cards.material import gather
from bot.dialogue import Turn
from bot.flows.photographs import offered
from bot.flows.staff_menus import home
from bot.messages import Choice, Menu, Picture
from bot.wording import lines

_PAGE = 8
_PICTURES_SHOWN = 2  # a tap lets the account send three messages: these and the menu


async def say_cases(
    turn: Turn,
    *,
    list_verb: str,
    case_verb: str,
    argument: str,
    head: str,
    empty: str,
    status: Status | None = None,
    first: Sequence[Choice] = (),
) -> None:
    """Say one page of the actor's cases, newest first.

    Args:
        list_verb: the action that shows the list; the button of the next page is `list_verb:offset`.
        case_verb: the action behind each case, called with its identifier.
        argument: what stands behind the colon of the tapped item: the offset, or nothing.
        empty: what is said where there are none.
        first: what else belongs on the list, at the top of its first page.
    """
    offset = int(argument) if argument.isdecimal() and len(argument) < 6 else 0
    cases = await turn.services.consultations.list_for(turn.actor, status=status, limit=_PAGE + 1, offset=offset)
    turn.leave()
    choices = [*(first if offset == 0 else ()), *(case_choice(case, case_verb) for case in cases[:_PAGE])]
    if not choices:
        turn.say(home(turn.actor, empty if offset == 0 else "没有更多了。"))
        return
    if len(cases) > _PAGE:
        choices.append(Choice(f"{list_verb}:{offset + _PAGE}", "下一页"))
    turn.say(Menu(head, tuple(choices)))


async def say_timeline(turn: Turn, consultation_id: str) -> None:
    """Say what has happened to a case so far, with time and person."""
    entries = await turn.services.consultations.timeline(turn.actor, consultation_id)
    turn.say(timeline_text(entries, turn.services.clock.now()))


async def say_pictures(turn: Turn, argument: str, verb: str) -> None:
    """Send the pictures of a case, a few at a time; `argument` is the case and how many to pass over."""
    consultation_id, _, passed = argument.partition(":")
    enclosures = (await gather(turn.services.consultations, turn.actor, consultation_id)).enclosures
    if not enclosures:
        turn.say("这例会诊还没有图片。")
        return
    offset = int(passed) if passed.isdecimal() and int(passed) < len(enclosures) else 0
    shown = enclosures[offset : offset + _PICTURES_SHOWN]
    turn.say(*(Picture(one.file_id) for one in shown))
    end = offset + len(shown)
    notes = [f"图{number}：{one.note}" for number, one in enumerate(shown, offset + 1) if one.note]
    part = "" if len(shown) == len(enclosures) else f"第{offset + 1}到{end}张，"
    head = lines(f"{part}共{len(enclosures)}张。", *notes)
    more = (Choice(f"{verb}:{consultation_id}:{end}", "看后面的"),) if end < len(enclosures) else ()
    role = verb.partition(".")[0]
    convert = await offered(turn, role, consultation_id, {one.file_id for one in shown})
    case = (Choice(f"{role}.case:{consultation_id}", "返回病例"),)
    turn.say(Menu(head, (*more, *convert, *case)))
