"""An expert's invitations: accept, or decline with a reason; exactly one expert gets each case."""

from dataclasses import replace

from backend.errors import Conflict
from bot.cards.digest import digest_card
from bot.cards.material import gather
from bot.cards.offer import offer_card
from bot.dialogue import Dialogue, Turn
from bot.flows.reason_flow import ReasonFlow
from bot.flows.staff_menus import home

_OFFERS_SHOWN = 3


async def show_offers(turn: Turn, _: str = "") -> None:
    """Show the invitations that wait for an answer, the latest first."""
    turn.leave()
    offers = await turn.services.consultations.offers_for(turn.actor, limit=_OFFERS_SHOWN)
    if not offers:
        turn.say(home(turn.actor, "现在没有等您回复的会诊邀请。"))
        return
    now = turn.services.clock.now()
    for offer in offers:
        view = await turn.services.consultations.get(turn.actor, offer.consultation_id)
        turn.say(offer_card(offer, view, now))


async def accept(turn: Turn, offer_id: str) -> None:
    """Accept an invitation; whoever comes second hears who has it."""
    turn.leave()
    try:
        view = await turn.services.consultations.accept_offer(turn.actor, offer_id)
    except Conflict as too_late:
        turn.say(home(turn.actor, too_late.sentence))
        return
    next_step = "病情紧急，请尽快开始会诊。" if view.urgency.skips_booking else "患者选好时间后会通知您。"
    material = await gather(turn.services.consultations, turn.actor, view.id)
    digest = digest_card(view, material, turn.services.clock.now())
    turn.say(replace(digest, head=f"您已接受会诊，谢谢！{next_step}\n{digest.head}"))


class DeclineFlow(ReasonFlow):
    """Data: `offer_id`."""

    name = "offer_decline"
    reasons = ("正在门诊或手术", "不是我的专业", "今天没有时间", "不说明原因")
    keep = "再想想"
    farewell = "好的，没有婉拒，邀请还在等您回复。"

    async def question(self, turn: Turn) -> str:
        return "请问为什么不方便接？"

    async def act(self, turn: Turn, reason: str) -> str:
        await turn.services.consultations.decline_offer(turn.actor, turn.data["offer_id"], reason=reason)
        return "已婉拒，我们会请其他专家。谢谢您的回复。"


async def decline(turn: Turn, offer_id: str) -> None:
    """Begin to decline an invitation."""
    await turn.enter(DeclineFlow.name, offer_id=offer_id)


def register(dialogue: Dialogue) -> None:
    """Let invitations be listed, accepted and declined."""
    dialogue.add_flow(DeclineFlow())
    dialogue.on_action("expert.offers", show_offers)
    dialogue.on_action("expert.accept", accept)
    dialogue.on_action("expert.decline", decline)
