"""What reaches somebody whose window is closed: what to look at, by its number, and not a word that is clinical.

Fields of every kind: `title` (what it is), `number` (of the consultation), `time` (China's, 24 h), `status`; and of the
case, where there is one, who and where: `patient` (masked), `expert`, `department`, `institution`, `way`.
"""

from datetime import datetime

from backend.clock import local
from backend.consultation.views import ConsultationSummary
from bot.messages import Notice
from bot.wording import masked


def notice(kind: str, title: str, case: ConsultationSummary | None, at: datetime, status: str = "") -> Notice:
    """Give the template form of a message.

    Args:
        kind: `task`, `offer`, `reminder`, `result` or `progress`.
        title: at most 20 characters.
        at: the moment that the reader should know: a deadline, an appointment, or when it happened.
        status: at most 5 characters; the status of the case where nothing else is said.
    """
    fields = {"title": title, "time": f"{local(at):%Y-%m-%d %H:%M}", "status": status}
    if case is not None:
        fields |= {
            "number": case.number,
            "status": status or case.status.label,
            "patient": masked(case.patient_name).replace("*", "某"),  # a template's name is Chinese alone
            "expert": case.expert_name,
            "department": case.department_name,
            "institution": getattr(case, "institution_name", ""),
            "way": "微信里会诊",
        }
    return Notice(kind, fields)
