"""Reports and critical values for everybody: the card that opens the page, and the receipt of what cannot wait."""

from bot.cards.case import case_line
from bot.cards.report import OPEN, RECEIVED, patient_report_card, report_card
from bot.dialogue import Dialogue, Turn
from bot.messages import Choice, Menu
from bot.wording import moment


async def show(turn: Turn, consultation_id: str) -> None:
    """Give the card of a case's reports."""
    signed = await turn.services.reports.signed(turn.actor, consultation_id)
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    url = turn.services.links.reports(consultation_id)
    if view.speaker_id == turn.actor.person_id:
        turn.say(patient_report_card(view, url) if signed else "检查报告还没有出来。出来了我马上告诉您。")
    else:
        turn.say(report_card(view, "影像报告", "点这里打开。", url))


async def received(turn: Turn, critical_id: str) -> None:
    """Take a critical value in hand, or say who was first."""
    critical = await turn.services.critical_values.confirm(turn.actor, critical_id)
    view = await turn.services.consultations.get(turn.actor, critical.consultation_id)
    choices = (Choice(f"doctor.case:{view.id}", "查看病例"),)
    if critical.confirmed_by == turn.actor.practitioner_id:
        words = f"{case_line(view)}：好的，专家已经知道您在处理。\n请马上联系患者；情况危险，立即叫120。"
    else:
        first = await turn.services.people.practitioner(critical.confirmed_by or "")
        when = moment(critical.confirmed_at or turn.services.clock.now(), turn.services.clock.now())
        words = f"{case_line(view)}：{first.name}医生{when}已经接手了。您要是离患者近，请再联系一下。"
    turn.say(Menu(words, choices))


def register(dialogue: Dialogue) -> None:
    """Let reports be opened, and critical values be received."""
    dialogue.on_action(OPEN, show)
    dialogue.on_action(RECEIVED, received)
