"""What reaches somebody whose window is closed: what to look at, by its number, and not a word that is clinical.

Fields, the same for every kind: `title` (what it is), `number` (of the consultation), `time` (China's, 24 h), `status`.
"""

from datetime import datetime

from backend.clock import local
from backend.consultation.views import ConsultationSummary
from bot.messages import Notice


def notice(kind: str, title: str, case: ConsultationSummary | None, at: datetime, status: str = "") -> Notice:
    """Give the template form of a message.

    Args:
        kind: `task`, `offer`, `reminder`, `result` or `progress`.
        title: at most 20 characters.
        at: the moment that the reader should know: a deadline, an appointment, or when it happened.
        status: at most 5 characters; the status of the case where nothing else is said.
    """
    return Notice(
        kind,
        {
            "title": title,
            "number": case.number if case else "",
            "time": f"{local(at):%Y-%m-%d %H:%M}",
            "status": status or (case.status.label if case else ""),
        },
    )
