"""The history of a case's patient, for those who treat: a few lines in chat, and the card of the page."""

from bot.cards.history import OPEN, history_card, history_text
from bot.dialogue import Dialogue, Turn


async def show(turn: Turn, consultation_id: str) -> None:
    """Say the short text and give the card."""
    summary = await turn.services.history.summary(turn.actor, consultation_id)
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    turn.say(history_text(summary), history_card(view, turn.services.links.history(consultation_id)))


def register(dialogue: Dialogue) -> None:
    """Let histories be opened."""
    dialogue.on_action(OPEN, show)
