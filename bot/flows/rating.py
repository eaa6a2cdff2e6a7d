"""Stars for a finished consultation, and a few words for those who have them."""

from bot.cards.rating import STARS, rating_card
from bot.dialogue import Dialogue, Turn
from bot.flows.words import on_words
from bot.messages import Choice, Menu


async def _rate(turn: Turn, argument: str) -> None:
    """Ask for the stars, or take them."""
    consultation_id, _, stars = argument.partition(":")
    if not stars.isdecimal() or int(stars) not in STARS:
        turn.say(rating_card(consultation_id))
        return
    await turn.services.consultations.rate(turn.actor, consultation_id, int(stars))
    comment = Choice(f"patient.words:patient.rate:{consultation_id}/{stars}", "再说几句")
    turn.say(Menu("谢谢您！您的评价会帮到医生，也会帮到别的病人。", (comment,)))


async def _comment(turn: Turn, subject: str, words: str) -> None:
    consultation_id, _, stars = subject.partition("/")
    await turn.services.consultations.rate(turn.actor, consultation_id, int(stars), words)
    turn.say("记下了，谢谢您。")


def register(dialogue: Dialogue) -> None:
    """Add the rating."""
    dialogue.on_action("patient.rate", _rate)
    on_words(dialogue, "patient.rate", _comment)
