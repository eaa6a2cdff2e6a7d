"""An invitation of an expert."""

from datetime import datetime

from backend.consultation.views import ConsultationView, OfferView
from bot.cards.case import anonymous_case
from bot.cards.notices import notice
from bot.cards.teaching_cases import similar_choice
from bot.messages import Choice, Menu
from bot.wording import lines, moment


def offer_card(offer: OfferView, view: ConsultationView, now: datetime) -> Menu:
    """Give an invitation: what it is about without the patient's name, why this expert, and until when."""
    head = lines(
        f"会诊邀请【{offer.urgency.label}】",
        f"来自：{view.institution_name}　{view.doctor_name}医生",
        f"科室：{offer.department_name}",
        anonymous_case(view),
        # Expertise and time; how fast they answer, how much they have to do and their own title they know.
        f"为什么请您：{'；'.join(offer.reasons[:2])}" if offer.reasons else "",
        f"请在{moment(offer.expires_at, now)}前回复。",
    )
    choices = (
        Choice(f"expert.accept:{offer.id}", "接受"),
        Choice(f"expert.decline:{offer.id}", "婉拒"),
        similar_choice(offer.consultation_id),
    )
    return Menu(head, choices, notice=notice("offer", "会诊邀请待回复", view, offer.expires_at))
