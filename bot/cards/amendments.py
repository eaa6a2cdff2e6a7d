"""Requests to put a record right, to who has to answer them; and addenda, beside the text that they put right."""

from collections.abc import Sequence
from dataclasses import replace

from backend.consultation.views import ConsultationView
from backend.rights import AmendmentView, Part
from bot.cards.case import case_line
from bot.messages import Choice, Menu, Notice
from bot.wording import lines, short_day

WRITE, DECLINE = "amend.write", "amend.decline"


def request_card(view: ConsultationView, asked: AmendmentView, head: str, notice: Notice | None = None) -> Menu:
    """Give a request to who has to answer it."""
    words = lines(
        head,
        f"{case_line(view)}（{view.number}）",
        f"哪一处：{asked.name}",
        f"患者说：{asked.text}",
        "原来写的不会被改动。"
        + ("点“写更正”会出新的一版报告。" if asked.part is Part.REPORT else "您写的更正放在旁边。"),
    )
    role = "expert" if asked.part.by_expert else "doctor"
    choices = (
        Choice(f"{WRITE}:{asked.id}", "写更正"),
        Choice(f"{DECLINE}:{asked.id}", "不改"),
        Choice(f"{role}.case:{view.id}", "看这例会诊"),
    )
    return Menu(words, choices, notice=notice)


def addenda_lines(addenda: Sequence[AmendmentView]) -> tuple[str, ...]:
    """Give what was put right, one a line, to stand below what it puts right."""
    return tuple(_line(one) for one in addenda)


def with_addenda(card: Menu, addenda: Sequence[AmendmentView]) -> Menu:
    """Give a card of a case with what was put right in it."""
    return replace(card, head=lines(card.head, *addenda_lines(addenda)))


def _line(one: AmendmentView) -> str:
    when = f"{short_day(one.answered_at)} " if one.answered_at else ""
    said = f"出了第{one.version}版，原因：{one.answer}" if one.version else one.answer
    return f"【更正】{when}{one.answers}医生，{one.name}：{said}"
