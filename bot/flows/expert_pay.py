"""我的劳务费: what an expert is paid for a month, and how every amount came about."""

from backend.errors import Forbidden
from backend.remuneration import RemunerationService
from backend.remuneration.rules import month_of
from bot.cards.pay import explained, statement_card
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_menus import home
from bot.messages import Choice, Menu

_EXPLAINED = 4
_MONTHS_OFFERED = 4
_NONE = "平台现在不向患者收费，所以没有劳务费可以算。"


async def pay(turn: Turn, month: str = "") -> None:
    """Say what the named month brings, the running one where none is named."""
    turn.leave()
    expert_id = _expert(turn)
    service = turn.services.remuneration
    if service is None:
        turn.say(home(turn.actor, _NONE))
        return
    statement = await service.statement(turn.actor, expert_id, month or month_of(turn.services.clock.now()))
    months = await service.months(turn.actor, expert_id)
    turn.say(statement_card(statement, tuple(months[:_MONTHS_OFFERED])))


async def _lines(turn: Turn, argument: str) -> None:
    """Explain some amounts of a month, `argument` being the month and how many to pass over."""
    month, _, passed = argument.partition(":")
    service: RemunerationService | None = turn.services.remuneration
    if service is None:
        turn.say(home(turn.actor, _NONE))
        return
    entries = (await service.statement(turn.actor, _expert(turn), month)).entries
    offset = int(passed) if passed.isdecimal() and int(passed) < len(entries) else 0
    shown = entries[offset : offset + _EXPLAINED]
    words = "\n\n".join(explained(entry) for entry in shown) or "这个月还没有。"
    more = (Choice(f"expert.paylines:{month}:{offset + _EXPLAINED}", "后面的"),)
    back = Choice(f"expert.pay:{month}", "返回这个月")
    turn.say(Menu(words, (*(more if offset + _EXPLAINED < len(entries) else ()), back)))


def _expert(turn: Turn) -> str:
    if turn.actor.practitioner_id is None:
        raise Forbidden
    return turn.actor.practitioner_id


def register(dialogue: Dialogue) -> None:
    """Let an expert see what they are paid."""
    dialogue.on_action("expert.pay", pay)
    dialogue.on_action("expert.paylines", _lines)
