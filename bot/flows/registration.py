"""Every conversation of the house, in the order in which they look at a message."""

from bot.dialogue import Dialogue
from bot.flows import join, register_patient_flows, room
from bot.flows.staff import register_staff_flows


def register_flows(dialogue: Dialogue) -> None:
    """Add all conversations.

    Invitations come first, before a scan is greeted as any other; then the watch over danger signs and what else
    patients do; then the video room; then commands and the three-way thread, which would swallow every sentence.
    """
    join.register(dialogue)
    register_patient_flows(dialogue)
    room.register(dialogue)
    register_staff_flows(dialogue)
