"""What an expert sees of a case: everything that was gathered, and what can be done with it now."""

from datetime import datetime

from backend.consultation.rules import RUNNING, Status
from backend.consultation.views import ConsultationView
from bot.cards.case import appointment, full_case
from bot.cards.history import history_choice
from bot.cards.material import Material, supplement_lines
from bot.cards.prescription import WRITE
from bot.cards.room import room_choices
from bot.cards.teaching_cases import propose_choice, similar_choice
from bot.messages import Choice, Menu, Notice
from bot.wording import lines

_MOST_STEPS = 10


def digest_card(
    view: ConsultationView,
    material: Material,
    now: datetime,
    notice: Notice | None = None,
    studies: int = 0,
    *,
    proposable: bool = False,
) -> Menu:
    """Give the digest of a case for its expert.

    Args:
        material: what was gathered beside the record.
        notice: how a notification of it is put where WeChat lets no more than a template through.
        studies: how many studies there are to report.
        proposable: whether it can be recommended for teaching.
    """
    count = len(material.enclosures)
    head = lines(full_case(view, now), *supplement_lines(material), f"图片：{count}张" if count else "")
    propose = (propose_choice(view.id),) if proposable else ()
    return Menu(head, (*_steps(view, count, studies, now), *propose), notice=notice)


def _steps(view: ConsultationView, pictures: int, studies: int, now: datetime) -> tuple[Choice, ...]:
    steps = [*room_choices(view, now)]
    if view.status is Status.ASSIGNED:
        steps += [Choice(f"expert.supplement:{view.id}", "需要补充资料"), Choice(f"expert.start:{view.id}", "开始会诊")]
        if appointment(view) is not None:
            steps.append(Choice(f"expert.no_show:{view.id}", "患者未到"))
        steps.append(Choice(f"expert.give_back:{view.id}", "退回"))
    if view.status is Status.IN_PROGRESS:
        steps += [
            Choice(f"thread.focus:{view.id}", "进入会诊"),
            Choice(f"expert.opinion:{view.id}", "填写意见"),
            Choice(f"expert.supplement:{view.id}", "需要补充资料"),
        ]
    steps.append(history_choice(view.id))
    if view.status in RUNNING:
        steps.append(similar_choice(view.id))
    if studies and view.status is not Status.CANCELLED:
        steps.append(Choice(f"expert.report:{view.id}", "写影像报告"))
    if view.status in (Status.IN_PROGRESS, Status.COMPLETED):
        steps.append(Choice(f"{WRITE}:{view.id}", "开处方"))
    if pictures:
        steps.append(Choice(f"expert.pictures:{view.id}", "看图片"))
    steps.append(Choice(f"expert.timeline:{view.id}", "看经过"))
    return tuple(steps[:_MOST_STEPS])
