"""Rank the 17 diseases of DialMed from what a patient wrote, by the trained model that ranks for doctors."""

from typing import Any

from nlu.learned_ranking import learned_ranking


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """``diseases``, the likeliest first."""
    probabilities = learned_ranking().by_text("\n".join(row["patient_turns"]))
    return {"diseases": sorted(probabilities, key=lambda name: -probabilities[name])}
