"""An administrator invites those who have not joined yet: each gets a QR code that works once."""

from backend.people.views import PractitionerView
from backend.security.policy import Role
from bot.dialogue import Dialogue, Turn
from bot.flows.administrator import require_administrator
from bot.flows.staff_menus import home
from bot.messages import Choice, Menu, QrCode
from bot.wording import clip, moment

_PAGE = 8
_LONGEST_NAME, _LONGEST_PLACE = 4, 8
_ROLES = {
    Role.GRASSROOTS_DOCTOR: "基层医生",
    Role.EXPERT: "会诊专家",
    Role.PHARMACIST: "审方药师",
    Role.ADMINISTRATOR: "管理员",
}


async def candidates(turn: Turn, argument: str = "") -> None:
    """List whoever has not joined yet, a page at a time; `argument` is how many to pass over."""
    turn.leave()
    require_administrator(turn)
    offset = int(argument) if argument.isdecimal() and len(argument) < 6 else 0
    found = await turn.services.people.practitioners(not_joined=True, limit=_PAGE + 1, offset=offset)
    if not found:
        turn.say(home(turn.actor, "没有更多了。" if offset else "名录里的人都已经加入了。"))
        return
    choices = [Choice(f"administrator.invite_one:{one.id}", _label(one)) for one in found[:_PAGE]]
    if len(found) > _PAGE:
        choices.append(Choice(f"administrator.invite:{offset + _PAGE}", "下一页"))
    turn.say(Menu("还没有加入的人，点一位生成邀请二维码：", tuple(choices)))


async def invite(turn: Turn, practitioner_id: str) -> None:
    """Make a one-time invitation and send its QR code; an earlier one of the same person still works until it ends."""
    require_administrator(turn)
    invitation = await turn.services.people.create_invitation(turn.actor, practitioner_id)
    one = await turn.services.people.practitioner(practitioner_id)
    until = moment(invitation.expires_at, turn.services.clock.now())
    title = f"邀请{one.name}加入桥医（{_ROLES[one.role]}）"
    words = f"点开是二维码，请{one.name}本人用微信扫一扫。只能用一次，{until}前有效。"
    turn.say(QrCode(title, words, invitation.scene, invitation.expires_at.isoformat()))
    turn.say(Menu("二维码可以转发给本人。", (Choice("administrator.invite", "继续邀请"),)))


def _label(one: PractitionerView) -> str:
    return f"{clip(one.name, _LONGEST_NAME)}·{clip(one.institution_name, _LONGEST_PLACE)}"


def register(dialogue: Dialogue) -> None:
    """Let an administrator invite."""
    dialogue.on_action("administrator.invite", candidates)
    dialogue.on_action("administrator.invite_one", invite)
