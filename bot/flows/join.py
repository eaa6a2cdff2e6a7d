"""Joining as a doctor, an expert, a pharmacist or an administrator, by scanning an invitation with a one-time scene."""

from dataclasses import replace

from backend.errors import DomainError
from backend.people.views import PractitionerView
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_menus import WHAT_THEY_CAN_DO, home
from bot.incoming import Kind

SCENE_PREFIX = "join-"


async def join(turn: Turn) -> bool:
    """Accept the invitation that was scanned; not ours where the scene is no invitation.

    A code that no longer works is told in clear words. Whoever began to follow with it hears the ordinary welcome too.
    """
    incoming = turn.incoming
    if incoming.kind not in (Kind.FOLLOW, Kind.SCAN) or not incoming.item_id.startswith(SCENE_PREFIX):
        return False
    try:
        practitioner = await turn.services.people.accept_invitation(incoming.person_id, incoming.item_id)
    except DomainError as refusal:
        turn.say(f"{refusal.sentence}\n如需加入，请联系管理员重新发一张邀请二维码。")
        turn.incoming = replace(incoming, item_id="")  # what is left is a follower like any other
        return incoming.kind is Kind.SCAN
    turn.leave()
    turn.actor = await turn.services.people.actor(incoming.person_id)
    turn.say(home(turn.actor, _welcome(practitioner)))
    return True


def _welcome(practitioner: PractitionerView) -> str:
    place = "·".join(part for part in (practitioner.institution_name, practitioner.department_name) if part)
    return (
        f"{practitioner.name}{practitioner.title or '老师'}，您好！欢迎加入桥医。\n"
        f"您的身份已确认：{place}。\n在这里：\n{WHAT_THEY_CAN_DO[practitioner.role]}"
    )


def register(dialogue: Dialogue) -> None:
    """Let scanned invitations be accepted; before whatever else answers scans and new followers."""
    dialogue.intercept([join])
