"""What doctors, experts and administrators can begin from anywhere."""

from backend.security.policy import Actor, Role
from bot.messages import Choice, Menu

_CHOICES = {
    Role.EXPERT: (
        Choice("expert.offers", "会诊邀请"),
        Choice("expert.mine", "我的会诊"),
        Choice("expert.schedule", "我的日程"),
    ),
    Role.GRASSROOTS_DOCTOR: (
        Choice("doctor.tasks", "我的任务"),
        Choice("doctor.new", "发起会诊"),
        Choice("doctor.mine", "我的会诊"),
    ),
    Role.ADMINISTRATOR: (Choice("administrator.waiting", "待处理事项"),),
}
_IDLE = {Role.EXPERT: "expert", Role.GRASSROOTS_DOCTOR: "doctor", Role.ADMINISTRATOR: "administrator"}


def staff_role(actor: Actor) -> Role | None:
    """Give the role in which a practitioner is spoken to, None for whoever is a patient only."""
    return next((role for role in _CHOICES if role in actor.roles), None)


def idle_flow(actor: Actor) -> str:
    """Give the name of the flow that hears the actor while none is running."""
    role = staff_role(actor)
    return _IDLE[role] if role else "patient"


def home(actor: Actor, head: str = "您可以点下面的按钮：") -> Menu:
    """Give the first menu of a practitioner, by all the roles that they have, with `head` above it."""
    choices = tuple(choice for role in _CHOICES if role in actor.roles for choice in _CHOICES[role])
    return Menu(head, choices)
