"""An expert's cases: the digest before the appointment, the start, the end, and who did not come."""

from bot.cards.amendments import with_addenda
from bot.cards.case import case_line
from bot.cards.digest import digest_card
from bot.cards.material import gather
from bot.dialogue import Dialogue, Turn
from bot.flows.case_lists import say_cases, say_pictures, say_timeline
from bot.flows.staff_menus import home
from bot.messages import Choice, Menu


async def mine(turn: Turn, argument: str = "") -> None:
    """List all cases of this expert."""
    await say_cases(
        turn,
        list_verb="expert.mine",
        case_verb="expert.case",
        argument=argument,
        head="您的会诊：",
        empty="您还没有会诊。有合适的邀请会发到这里。",
    )


async def show(turn: Turn, consultation_id: str) -> None:
    """Show the digest of a case with what the expert can do with it now."""
    turn.leave()
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    material = await gather(turn.services.consultations, turn.actor, consultation_id)
    studies = await turn.services.imaging.studies_of(turn.actor, consultation_id)
    may_propose, _ = await turn.services.teaching_cases.proposal(turn.actor, consultation_id)
    now = turn.services.clock.now()
    card = digest_card(view, material, now, studies=len(studies), proposable=may_propose)
    turn.say(with_addenda(card, await turn.services.amendments.addenda(turn.actor, consultation_id)))


async def start(turn: Turn, consultation_id: str) -> None:
    """Start a consultation; from now on the expert speaks in its thread."""
    turn.leave()
    await turn.services.consultations.start(turn.actor, consultation_id)
    await turn.services.consultations.set_focus(turn.actor, consultation_id)
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    turn.say(
        Menu(
            f"会诊开始：{case_line(view)}。\n您现在发的文字、语音、图片，医生和患者都能看到。",
            (Choice(f"expert.opinion:{consultation_id}", "填写意见"), Choice("thread.switch", "切换会诊")),
        )
    )


async def no_show(turn: Turn, consultation_id: str) -> None:
    """Ask before recording that the patient did not come; `ID:sure` records it."""
    consultation_id, _, answer = consultation_id.partition(":")
    turn.leave()
    if answer != "sure":
        view = await turn.services.consultations.get(turn.actor, consultation_id)
        choices = (
            Choice(f"expert.no_show:{consultation_id}:sure", "确定未到"),
            Choice(f"expert.case:{consultation_id}", "再等等"),
        )
        turn.say(Menu(f"{case_line(view)}：确定登记患者未到吗？", choices))
        return
    await turn.services.consultations.record_no_show(turn.actor, consultation_id)
    turn.say(home(turn.actor, "已登记患者未到，会请患者重新约时间。"))


async def pictures(turn: Turn, argument: str) -> None:
    """Send the pictures of a case."""
    await say_pictures(turn, argument, "expert.pictures")


def register(dialogue: Dialogue) -> None:
    """Let cases be listed, read, started and recorded as missed."""
    dialogue.on_action("expert.mine", mine)
    dialogue.on_action("expert.case", show)
    dialogue.on_action("expert.start", start)
    dialogue.on_action("expert.no_show", no_show)
    dialogue.on_action("expert.timeline", say_timeline)
    dialogue.on_action("expert.pictures", pictures)
