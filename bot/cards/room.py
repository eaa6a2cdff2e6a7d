"""The card that opens a video room: no secret in it, the page asks who opens it."""

from datetime import datetime

from backend.consultation.views import ConsultationView
from backend.video.rules import RoomState, opening
from bot.cards.case import case_line
from bot.messages import Choice, Link, Notice

VERB = "room.open"
"""The action that brings the card of a case's room."""

_TO_PATIENT = "点这里进去，等医生请您就行。找个安静、亮一点的地方，让家人帮忙也可以。"
_TO_STAFF = "点这里进入视频会诊室。"


def room_card(view: ConsultationView, reader_id: str, title: str, url: str, notice: Notice | None = None) -> Link:
    """Give the card of the room of a case.

    Args:
        reader_id: the person who gets it: patients read what to do, the others which case it is.
        title: what is the matter now.
        url: of the room's page.
        notice: the form for somebody whose window is closed; it opens the page too.
    """
    if reader_id == view.speaker_id:
        return Link(title, f"{view.relative_name}跟{view.expert_name}医生视频会诊。\n{_TO_PATIENT}", url, notice=notice)
    return Link(title, f"{case_line(view)}\n{_TO_STAFF}", url, notice=notice)


def room_choices(view: ConsultationView, now: datetime) -> tuple[Choice, ...]:
    """Give the answer that leads into the room of a case, while that is open."""
    if opening(view.status, view.booking, view.started_at, now).state is not RoomState.OPEN:
        return ()
    return (Choice(f"{VERB}:{view.id}", "进视频会诊室"),)
