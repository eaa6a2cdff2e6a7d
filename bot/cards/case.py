"""A case in one line, as an answer to tap, and in full."""

from datetime import datetime

from pydantic import ValidationError

from backend.consultation.rules import Status
from backend.consultation.views import ConsultationSummary, ConsultationView, TimelineEntry
from backend.people import masked_name
from backend.scheduling import BookingState, BookingView
from bot.cards.possible_diseases import possible_diseases
from bot.messages import Choice
from bot.wording import clip, lines, moment
from nlu.conclusions import OutpatientRecord
from nlu.facts import CaseFacts
from nlu.summary import summarise

_LONGEST_TIMELINE = 20
_ENDED = (Status.COMPLETED, Status.CANCELLED)


def case_line(case: ConsultationSummary) -> str:
    """Name a case to those who treat: patient, department, urgency."""
    return f"{case.patient_name or '患者'}·{case.department_name}·{case.urgency.label}"


def case_choice(case: ConsultationSummary, verb: str, mark: str = "") -> Choice:
    """Give a case as an answer to tap, `mark` before its name."""
    urgent = "急 " if case.urgency.skips_booking and case.status not in _ENDED else ""
    status = "待处理" if case.status is Status.DRAFT else case.status.label
    return Choice(f"{verb}:{case.id}", f"{mark}{urgent}{clip(case.patient_name or '患者', 5)}·{status}")


def full_case(view: ConsultationView, now: datetime) -> str:
    """Give everything that is known of a case to those who treat, one subject a line; what is not known is left out."""
    is_new = view.status is Status.DRAFT
    booking = appointment(view)
    return lines(
        f"【{view.urgency.label}】{view.patient_name or '患者'}" + ("" if is_new else f"　{view.status.label}"),
        f"编号：{view.number}",
        record_text(view),
        danger_line(view),
        f"体征：{view.vitals_text}" if view.vitals_text else "",
        f"检查：{view.findings}" if view.findings else "",
        f"初步诊断：{view.icd10} {view.disease}" if view.icd10 else "",
        f"会诊目的：{view.question}" if view.question else "",
        f"科室：{view.department_name}",
        f"紧急程度：{view.urgency.label}",
        f"判断依据：{view.urgency_reason}" if view.urgency_reason else "",
        f"医生：{view.doctor_name}（{view.institution_name}）",
        f"专家：{view.expert_name}" if view.expert_name else "",
        f"预约：{moment(booking.starts_at, now)}" if booking else "",
        *_opinion(view),
        possible_diseases(view),
    )


def appointment(view: ConsultationView) -> BookingView | None:
    """Give the appointment that is still to come; None where there is none, or it was kept or missed."""
    return view.booking if view.booking is not None and view.booking.state is BookingState.ACTIVE else None


def anonymous_case(view: ConsultationView) -> str:
    """Give what an expert needs to decide on an invitation: nothing in it names the patient."""
    text = lines(
        record_text(view),
        danger_line(view),
        f"体征：{view.vitals_text}" if view.vitals_text else "",
        f"检查：{view.findings}" if view.findings else "",
        f"初步诊断：{view.icd10} {view.disease}" if view.icd10 else "",
        f"会诊目的：{view.question}" if view.question else "",
    )
    for name in _names(view):
        text = text.replace(name, masked_name(name))
    return text


def _names(view: ConsultationView) -> set[str]:
    """Give the names under which the patient goes: the account's, and the one that the record opens with."""
    try:
        facts = CaseFacts.from_json(view.facts)
    except ValidationError:
        facts = CaseFacts()
    opening = str(view.record.get("personal", "")).split("，")[0]
    unnamed = summarise(facts).personal.split("，")
    return {name for name in (view.patient_name, opening) if len(name) > 1 and name not in unnamed}


def record_text(view: ConsultationView) -> str:
    """Give the record in its sections; empty where the reader may not see it.

    A record of another shape is shown as it is: a card must never be what keeps a case from its doctor.
    """
    if not view.record:
        return ""
    try:
        return OutpatientRecord.from_json(view.record).as_text()
    except ValidationError:
        return lines(*(str(value) for value in view.record.values()))


def timeline_text(entries: list[TimelineEntry], now: datetime) -> str:
    """Give the latest entries of a timeline, oldest first."""
    told = [f"{moment(entry.at, now)}　{entry.actor_name}　{entry.text_zh}" for entry in entries[-_LONGEST_TIMELINE:]]
    return lines("经过：", *told)


def danger_line(view: ConsultationView) -> str:
    """Name the danger signs that were seen; empty where there are none."""
    titles = "、".join(flag["title"] for flag in view.red_flags if flag.get("title"))
    return f"⚠ 危险信号：{titles}" if titles else ""


def _opinion(view: ConsultationView) -> list[str]:
    if view.opinion is None:
        return []
    opinion = view.opinion
    code = f"（{opinion.icd10} {opinion.disease}）" if opinion.icd10 else ""
    return [
        f"专家诊断：{opinion.diagnosis}{code}" if opinion.diagnosis else "",
        f"治疗方案：{opinion.plan}" if opinion.plan else "",
        f"医生注意事项：{opinion.notes}" if opinion.notes else "",
    ]
