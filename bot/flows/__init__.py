"""Conversations, one a file."""

from bot.dialogue import Dialogue
from bot.flows import (
    booking,
    consent,
    help,
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
    """Add everything that a patient can say and tap. The watch over danger signs comes before all other interceptors."""
    for module in (safety, welcome, words, consent, help, intake, review, place, booking, my, rating, patient):
        module.register(dialogue)
