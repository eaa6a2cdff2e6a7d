"""What is known of a case's patient, short enough for a chat; the whole is on the page that the card opens."""

from backend.consultation.views import ConsultationView
from backend.records.hospital.summary import HistorySummary, Line
from backend.records.hospital.trends import MeasurementLine, Trend
from bot.cards.case import case_line
from bot.messages import Choice, Link
from bot.wording import lines

OPEN = "history.open"
"""The action that brings the summary of a case's patient."""

_MOST = 5
_MARKS = {"H": "偏高", "L": "偏低", "A": "异常", "HH": "危急高", "LL": "危急低"}
_ARROWS = {Trend.UP: "↗", Trend.DOWN: "↘", Trend.SAME: "→", Trend.UNKNOWN: ""}


def history_choice(consultation_id: str) -> Choice:
    """Give the answer that brings the summary, for the cards of those who treat."""
    return Choice(f"{OPEN}:{consultation_id}", "病历摘要")


def history_card(view: ConsultationView, url: str) -> Link:
    """Give the card that opens the page."""
    return Link("病历摘要", lines(case_line(view), "过敏、病史、用药、化验都在一页上。点这里打开。"), url)


def history_text(summary: HistorySummary) -> str:
    """Give what is to be known first: allergies, diseases, medicines, what is abnormal, which hospital is missing."""
    odd = [one for one in (*summary.vitals, *summary.laboratory) if one.mark]
    return lines(
        f"过敏：{_allergies(summary)}",
        f"现在的病：{_listed(summary.conditions) or '没有查到'}",
        f"在用的药：{_listed(summary.medicines, detailed=True) or '没有查到'}",
        f"不正常的结果：{'；'.join(map(_measured, odd[:_MOST]))}" if odd else "",
        *(f"⚠ {one.name}：{one.sentence}" for one in summary.silent),
    )


def _allergies(summary: HistorySummary) -> str:
    if not summary.allergies:
        return summary.none_known or "不清楚，请问患者"
    return "；".join(
        f"{'⚠' if one.severe else ''}{one.text}{f'（{one.detail}）' if one.detail else ''}" for one in summary.allergies
    )


def _listed(known: tuple[Line, ...], *, detailed: bool = False) -> str:
    shown = [f"{one.text}（{one.detail}）" if detailed and one.detail else one.text for one in known[:_MOST]]
    more = f"等{len(known)}种" if len(known) > _MOST else ""
    return "；".join(shown) + more


def _measured(one: MeasurementLine) -> str:
    return f"{one.name} {one.value}{one.unit} {_MARKS[one.mark]}{_ARROWS[one.trend]}"
