"""What reaches somebody whose window is closed: what to look at, where to tap, and not a word that is clinical.

Fields of every kind: `title` (what it is), `time` (China's, 24 h), `status`, `action` (which button of the menu to tap,
because what was written waits for a tap; or that the template itself opens a page) and `guidance` (both in one). Of the
case, where there is one: `number`, `urgency`, and who and where: `patient` (masked), `expert`, `department`,
`institution`, `way`.
"""

from datetime import datetime

from backend.clock import local
from backend.consultation.views import ConsultationSummary
from backend.people import masked_name
from bot.messages import Notice

LONGEST = 20
"""WeChat's limit of a field of type `thing`, in characters."""

_BUTTONS = {"offer": "会诊邀请", "task": "我的任务"}
_MINE = "我的会诊"
_OPENS = "点开进入"


def notice(
    kind: str,
    title: str,
    case: ConsultationSummary | None,
    at: datetime,
    status: str = "",
    button: str = "",
    opens: bool = False,
) -> Notice:
    """Give the template form of a message.

    Args:
        kind: `task`, `offer`, `reminder`, `result` or `progress`.
        title: at most 20 characters.
        at: the moment that the reader should know: a deadline, an appointment, or when it happened.
        status: at most 5 characters; the status of the case where nothing else is said.
        button: of the reader's menu, where it is not the usual one of this kind.
        opens: whether it is the short form of a card, whose page it opens.
    """
    button = button or _BUTTONS.get(kind, _MINE)
    guidance = f"{title}，{_OPENS}" if opens else f"{title}，请点“{button}”"
    fields = {
        "title": title,
        "time": f"{local(at):%Y-%m-%d %H:%M}",
        "status": status,
        "action": _OPENS if opens else f"打开后点“{button}”",
        "guidance": guidance if len(guidance) <= LONGEST else title,
    }
    if case is not None:
        fields |= {
            "number": case.number,
            "status": status or case.status.label,
            "urgency": case.urgency.label,
            "patient": masked_name(case.patient_name).replace("*", "某")
            or "患者",  # a template's name is Chinese alone
            "expert": case.expert_name,
            "department": case.department_name,
            "institution": getattr(case, "institution_name", ""),
            "way": f"视频见面，{_OPENS}" if opens else "微信里会诊",
        }
    return Notice(kind, fields)
