"""What a report says on paper. Pure."""

from datetime import date

from backend.paper import Paper
from backend.people import PersonView, PractitionerView
from backend.people.rules import age_said
from backend.reporting.instances import ZONE
from backend.reporting.views import ReportView

TITLE = "影像诊断报告单"

_SEXES = {"male": "男", "female": "女"}
_NOTICES = (
    "本报告由医生在桥医平台上电子签发，请医生结合病情使用。看不懂的地方，请问给您看病的医生。",
    "用微信扫这一页的二维码，可以核对这份报告是不是真的、有没有新的版本。",
)


def paper_of(
    report: ReportView,
    author: PractitionerView,
    patient: PersonView,
    *,
    requester: str,
    consultation_number: str,
    study_date: str,
    address: str,
) -> Paper:
    """Give what is printed of a signed report.

    Args:
        requester: name of the institution that asked. study_date: YYYYMMDD as the images say it, or "".
        address: of the verification page.
    """
    if report.signed_at is None:
        raise ValueError("a draft is not printed")
    signed = report.signed_at.astimezone(ZONE)
    examined = _date(study_date)
    sections = [("检查所见", report.findings), ("诊断意见（印象）", report.impression)]
    if report.amendment_reason:
        sections.append(("修改原因", report.amendment_reason))
    return Paper(
        institution=author.institution_name,
        title=TITLE,
        number=report.number,
        version=f"第{report.version}版" + (f"（代替第{report.version - 1}版）" if report.version > 1 else ""),
        patient=patient.name,
        facts=(
            (
                ("姓名", patient.name),
                ("性别", _SEXES.get(patient.sex, "未说明")),
                ("年龄", age_said(patient.birth_date, examined or signed.date())),
            ),
            (("检查项目", report.examination), ("检查日期", examined.isoformat() if examined else "未说明")),
            (("申请单位", requester), ("会诊编号", consultation_number)),
        ),
        sections=tuple(sections),
        signature=(
            ("报告医生", f"{author.name}　{author.title}"),
            ("签发时间", f"{signed:%Y-%m-%d %H:%M}"),
            ("签发科室", f"{author.institution_name} {author.department_name}"),
        ),
        notices=_NOTICES,
        address=address,
    )


def _date(told: str) -> date | None:
    try:
        return date(int(told[:4]), int(told[4:6]), int(told[6:8])) if len(told) == 8 else None
    except ValueError:
        return None
