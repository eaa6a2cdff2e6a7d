"""What patient and doctor get in their hands when a consultation is over."""

from backend.consultation.views import ConsultationView, OpinionView
from bot.wording import lines


def patient_result(view: ConsultationView, opinion: OpinionView) -> str:
    """Give the expert's opinion in a patient's words: whose opinion it is and what to do; no notes among doctors."""
    return lines(
        "会诊结束了，专家的意见在这里：",
        f"专家：{view.expert_name}",
        f"专家的看法：{opinion.diagnosis}",
        f"接下来这样做：{opinion.plan}",
        f"有不明白的，随时问{view.doctor_name}医生。要是突然加重，请马上打120。",
    )


def doctor_result(view: ConsultationView, opinion: OpinionView) -> str:
    """Give the whole opinion to the grassroots doctor."""
    code = f"（{opinion.icd10} {opinion.disease}）" if opinion.icd10 else ""
    return lines(
        f"会诊结果　{view.patient_name or '患者'}　{view.number}",
        f"专家：{view.expert_name}",
        f"诊断：{opinion.diagnosis}{code}",
        f"治疗方案：{opinion.plan}",
        f"注意事项：{opinion.notes}" if opinion.notes else "",
    )
