"""What an administrator does in chat: cases for which no expert was found, and people who asked for a human being."""

from backend.charging import ChargeFilter
from backend.charging.words import REASONS
from backend.consultation.rules import Status
from backend.errors import Forbidden
from backend.security.policy import Role
from bot.cards.case import case_line
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_flow import StaffFlow
from bot.flows.staff_menus import home
from bot.messages import Choice, Menu
from bot.wording import clip, lines, moment

_WAITING_SHOWN = 8
_EXPERTS_SHOWN = 8


async def waiting(turn: Turn, _: str = "") -> None:
    """List the cases that still have no expert, the longest waiting last, and say which charges wait for a person."""
    turn.leave()
    require_administrator(turn)
    cases = await turn.services.consultations.list_for(turn.actor, status=Status.PENDING, limit=_WAITING_SHOWN)
    charges = await _charges(turn)
    if not cases:
        turn.say(home(turn.actor, lines("现在没有等待分配专家的会诊。", charges)))
        return
    now = turn.services.clock.now()
    shown = [f"· {case.number}　{case_line(case)}　{moment(case.opened_at, now)}发起" for case in cases]
    choices = tuple(Choice(f"administrator.experts:{case.id}", f"安排 {case.number[-6:]}") for case in cases)
    turn.say(Menu(lines("等待分配专家的会诊：", *shown, charges), choices))


async def _charges(turn: Turn) -> str:
    """Say which charges wait for a person; they are decided at the console, where their books are."""
    if turn.services.charging is None:
        return ""
    found = await turn.services.charging.search(turn.actor, ChargeFilter(waiting=True), limit=_WAITING_SHOWN)
    if not found.items:
        return ""
    shown = [f"· {one.number}　{REASONS[one.attention]}" for one in found.items]
    more = "· 还有更多" if found.next_cursor else ""
    return lines("等人处理的费用（在管理网页的“费用结算”里办）：", *shown, more)


async def experts(turn: Turn, consultation_id: str) -> None:
    """Offer the experts to whom a case may be given: those of its department, then those on call."""
    require_administrator(turn)
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    people = turn.services.people
    department = await people.practitioners(
        role=Role.EXPERT, department_code=view.department_code, joined_only=True, limit=_EXPERTS_SHOWN
    )
    on_call = await people.practitioners(role=Role.EXPERT, on_call=True, joined_only=True, limit=_EXPERTS_SHOWN)
    found = list({expert.id: expert for expert in (*department, *on_call)}.values())[:_EXPERTS_SHOWN]
    if not found:
        turn.say(home(turn.actor, f"{view.department_name}没有已加入的专家，也没有值班专家。请先邀请专家加入。"))
        return
    choices = tuple(
        Choice(f"administrator.assign:{view.id}:{expert.id}", f"{clip(expert.name, 6)} {clip(expert.title, 6)}".strip())
        for expert in found
    )
    shown = [f"· {one.name}{one.title}　{one.institution_name}{one.department_name}" for one in found]
    turn.say(Menu(lines(f"{case_line(view)}\n请选专家（请先电话确认）：", *shown), choices))


async def assign(turn: Turn, argument: str) -> None:
    """Give a case to an expert; `argument` is the case and the expert."""
    consultation_id, _, expert_id = argument.partition(":")
    view = await turn.services.consultations.assign_expert(turn.actor, consultation_id, expert_id)
    turn.say(home(turn.actor, f"{view.number} 已安排给{view.expert_name}，已通知专家、医生和患者。"))


class ReplyFlow(StaffFlow):
    """An administrator writes to a person who asked for help. Data: `person_id`."""

    name = "administrator_reply"
    farewell = "好的，没有发送。"

    async def begin(self, turn: Turn) -> None:
        turn.say("请写给对方的话，可以发多条；写完请回复“退出”。")

    async def told(self, turn: Turn, words: str) -> None:
        said = Menu(f"【人工客服】{words}", (Choice("help.human", "再找人工"),))
        await turn.services.outbox.send(None, turn.data["person_id"], said)
        turn.say("已发送。")


async def reply(turn: Turn, person_id: str) -> None:
    """Begin to write to a person who asked for help."""
    require_administrator(turn)
    await turn.enter(ReplyFlow.name, person_id=person_id)


def require_administrator(turn: Turn) -> None:
    """Let administrators pass; `Forbidden` for everybody else."""
    if Role.ADMINISTRATOR not in turn.actor.roles:
        raise Forbidden


def register(dialogue: Dialogue) -> None:
    """Let an administrator see what waits, and answer who asked for help."""
    dialogue.add_flow(ReplyFlow())
    dialogue.on_action("administrator.waiting", waiting)
    dialogue.on_action("administrator.experts", experts)
    dialogue.on_action("administrator.assign", assign)
    dialogue.on_action("administrator.reply", reply)
