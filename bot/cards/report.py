"""Reports in a chat: the card that opens the page, the whole text as its author reads it back, and critical values."""

from typing import TYPE_CHECKING

from backend.consultation.views import ConsultationView
from backend.reporting import CriticalView, ReportView
from backend.security.policy import Actor
from bot.cards.case import case_line
from bot.messages import Choice, Link, Menu, Notice
from bot.wording import lines

if TYPE_CHECKING:
    from backend.reporting import ReportService

OPEN = "report.open"
"""The action that brings the card of a case's reports."""

RECEIVED = "report.received"
"""The action with which a doctor takes a critical value in hand."""


def report_card(view: ConsultationView, title: str, words: str, url: str, notice: Notice | None = None) -> Link:
    """Give the card of a case's reports to those who treat."""
    return Link(title, lines(case_line(view), words), url, notice=notice)


def patient_report_card(
    view: ConsultationView, url: str, notice: Notice | None = None, *, changed: bool = False
) -> Link:
    """Give the card of a case's reports to the patient: not a word of what is in them.

    Args:
        changed: a later version replaces one that the patient may have read.
    """
    if changed:
        words = (
            f"专家把报告改过了，请以新的这份为准。为什么改，点开就能看到。看不懂的地方可以问{view.doctor_name}医生。"
        )
        return Link("您的检查报告改过了", words, url, notice=notice)
    words = f"请点开看。看不懂的地方可以问{view.doctor_name}医生。"
    return Link("您的检查报告出来了", words, url, notice=notice)


def report_text(report: ReportView) -> str:
    """Give a report as it will be signed, part by part."""
    return lines(
        f"检查名称：{report.examination or '（还没写）'}",
        f"检查所见：\n{report.findings or '（还没写）'}",
        f"印象：\n{report.impression or '（还没写）'}",
        f"修改原因：{report.amendment_reason}" if report.amendment_reason else "",
    )


def critical_card(view: ConsultationView, critical: CriticalView, head: str, expert: str, notice: Notice) -> Menu:
    """Give a critical value to a doctor, with the button that takes it in hand.

    Args:
        head: how often it was told, and to whom. expert: the name of who saw it.
    """
    words = lines(
        head,
        case_line(view),
        f"专家{expert}看图发现：{critical.text}",
        "请马上联系患者处理，该送急诊的立即送，该叫120的马上叫。",
        "看到了请点下面，专家等着您的回音。",
    )
    return Menu(words, (Choice(f"{RECEIVED}:{critical.id}", "收到，马上处理"),), notice=notice)


async def report_choices(reports: "ReportService", actor: Actor, consultation_id: str) -> tuple[Choice, ...]:
    """Give the answer that leads to the reports of a case, where there are any."""
    if not await reports.signed(actor, consultation_id):
        return ()
    return (Choice(f"{OPEN}:{consultation_id}", "看检查报告"),)
