"""Rank the diseases of the symptom sets (mz4, mz10, dxy) from all findings that a row names."""

from typing import Any

from nlu.learned_ranking import learned_ranking
from nlu.training.names import our_findings

_CANDIDATES = {
    "mz4": ("上呼吸道感染", "小儿支气管炎", "小儿消化不良", "小儿腹泻"),
    "mz10": (
        "上呼吸道感染",
        "小儿便秘",
        "小儿发热",
        "小儿咳嗽",
        "小儿感冒",
        "小儿支气管炎",
        "小儿支气管肺炎",
        "小儿消化不良",
        "小儿腹泻",
        "新生儿黄疸",
    ),
}
"""The diseases of a set that the model has learned."""


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """``diseases``, the likeliest first, among those of the row's set."""
    told = our_findings(row["explicit"])
    probabilities = learned_ranking().by_findings({**our_findings(row["implicit"]), **told}, told)
    candidates = _CANDIDATES.get(row["source"], tuple(probabilities))
    return {"diseases": sorted(candidates, key=lambda name: -probabilities[name])}
