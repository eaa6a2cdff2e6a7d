"""Conversations, one a file."""

from bot.dialogue import Dialogue
from bot.flows import (
    assistance,
    booking,
    consent,
    intake,
    my,
    patient,
    place,
    rating,
    review,
    safety,
    welcome,
    words,
)


def register_patient_flows(dialogue: Dialogue) -> None:
    """Add everything that a patient can say and tap; the watch over danger signs is the first to hear it."""
    for module in (safety, welcome, words, consent, assistance, intake, review, place, booking, my, rating, patient):
        module.register(dialogue)
