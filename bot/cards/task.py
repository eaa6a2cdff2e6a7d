"""A grassroots doctor's task."""

from datetime import datetime

from backend.consultation.views import ConsultationView
from bot.cards.case import full_case
from bot.cards.history import history_choice
from bot.cards.notices import notice
from bot.cards.teaching_cases import similar_choice
from bot.messages import Choice, Menu


def task_card(view: ConsultationView, now: datetime, title: str = "新的问诊任务") -> Menu:
    """Give a task with its summary, suggested department, urgency and danger signs."""
    choices = (Choice(f"doctor.open:{view.id}", "打开任务"), history_choice(view.id), similar_choice(view.id))
    return Menu(f"{title}\n{full_case(view, now)}", choices, notice=notice("task", title, view, now))
