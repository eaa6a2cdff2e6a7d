"""Conversations, one a file."""

from bot.dialogue import Dialogue
from bot.flows import (
    amending,
    assistance,
    booking,
    buttons,
    change,
    consent,
    devices,
    erasure,
    identity,
    intake,
    measuring,
    medicines,
    my,
    order,
    patient,
    paying,
    place,
    profile,
    rating,
    refill,
    research,
    review,
    rights,
    safety,
    slips,
    teaching,
    trends,
    welcome,
    words,
)

PATIENT_FLOWS = (
    measuring,
    safety,
    slips,
    trends,
    welcome,
    words,
    consent,
    rights,
    erasure,
    amending,
    teaching,
    research,
    devices,
    medicines,
    buttons,
    assistance,
    intake,
    review,
    place,
    change,
    booking,
    paying,
    identity,
    my,
    order,
    refill,
    profile,
    rating,
    patient,
)
"""The modules of the patients' conversations. The watch over danger signs is the first to hear a message, but for one
that holds measured values alone, whose dangers `measuring` tells."""


def register_patient_flows(dialogue: Dialogue) -> None:
    """Add everything that a patient can say and tap."""
    for module in PATIENT_FLOWS:
        module.register(dialogue)
