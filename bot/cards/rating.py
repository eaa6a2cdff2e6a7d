"""The question how a consultation was, with its stars."""

from bot.messages import Choice, Menu

STARS = {5: "★★★★★ 很好", 4: "★★★★ 好", 3: "★★★ 一般", 2: "★★ 不太好", 1: "★ 不好"}
"""The words of each number of stars, the most first."""


def rating_card(consultation_id: str) -> Menu:
    """Ask a patient for stars."""
    choices = tuple(Choice(f"patient.rate:{consultation_id}:{count}", words) for count, words in STARS.items())
    return Menu("这次会诊，您觉得怎么样？点一下就行：", choices)
