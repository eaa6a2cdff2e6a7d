"""What an administrator does in chat: cases for which no expert was found, and people who asked for a human being."""

from backend.consultation.rules import Status
from backend.errors import Forbidden
from backend.security.policy import Role
from bot.cards.case import case_line
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_flow import StaffFlow
from bot.flows.staff_menus import home
from bot.messages import Choice, Menu
from bot.wording import lines, moment

_WAITING_SHOWN = 8


async def waiting(turn: Turn, _: str = "") -> None:
    """List the cases that still have no expert, oldest first."""
    _require_administrator(turn)
    turn.leave()
    cases = await turn.services.consultations.list_for(turn.actor, status=Status.PENDING, limit=_WAITING_SHOWN)
    if not cases:
        turn.say(home(turn.actor, "现在没有等待分配专家的会诊。"))
        return
    now = turn.services.clock.now()
    shown = [f"· {case.number}　{case_line(case)}　{moment(case.opened_at, now)}发起" for case in reversed(cases)]
    turn.say(home(turn.actor, lines("等待分配专家的会诊：", *shown)))


class ReplyFlow(StaffFlow):
    """An administrator writes to a person who asked for help. Data: `person_id`."""

    name = "administrator_reply"
    farewell = "好的，没有发送。"

    async def begin(self, turn: Turn) -> None:
        turn.say("请写给对方的话，可以发多条；写完请回复“退出”。")

    async def told(self, turn: Turn, words: str) -> None:
        said = Menu(f"【人工客服】{words}", (Choice("help.human", "再找人工"),))
        key = f"reply:{turn.incoming.key}"
        await turn.services.outbox.send(None, turn.data["person_id"], said, key=key)
        turn.say("已发送。")


async def reply(turn: Turn, person_id: str) -> None:
    """Begin to write to a person who asked for help."""
    _require_administrator(turn)
    await turn.enter(ReplyFlow.name, person_id=person_id)


def _require_administrator(turn: Turn) -> None:
    if Role.ADMINISTRATOR not in turn.actor.roles:
        raise Forbidden


def register(dialogue: Dialogue) -> None:
    """Let an administrator see what waits, and answer who asked for help."""
    dialogue.add_flow(ReplyFlow())
    dialogue.on_action("administrator.waiting", waiting)
    dialogue.on_action("administrator.reply", reply)
