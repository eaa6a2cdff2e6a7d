"""The rule that the bot never tells a patient a diagnosis, as a check of every message."""

from functools import cache

from bot.cards.possible_diseases import TITLE
from bot.messages import Message
from data.clinical_language import clinical_language
from data.questions import questions
from tests.support.conversation import Check, Conversation, words_of


@cache
def disease_names() -> tuple[str, ...]:
    """Every name of a disease that the language part knows."""
    return tuple(sorted({name for row in clinical_language().diseases for name in (row.name, *row.synonyms)}))


@cache
def history_questions() -> tuple[str, ...]:
    """The endings of questions that name diseases in order to ask whether the patient has had them."""
    return tuple(row.text.removeprefix("{who}") for row in questions() if row.slot == "past_history")


def diseases_in(text: str) -> set[str]:
    """Give the diseases that `text` names, other than in a question about the patient's history."""
    for question in history_questions():
        text = text.replace(question, "")
    return {name for name in disease_names() if name in text}


def no_diagnosis(chat: Conversation) -> Check:
    """Refuse every message that names a disease which neither the patient nor, in a result, the expert has named."""

    def check(message: Message) -> None:
        words = words_of(message)
        assert TITLE not in words, f"shows what is for doctors alone: {words}"
        if "医生的会诊意见：" in words:
            return
        said = "".join(chat.said)
        told = {
            row.name for row in clinical_language().diseases if any(name in said for name in (row.name, *row.synonyms))
        }
        own = {name for name in diseases_in(words) if name in said or name in told}
        assert not diseases_in(words) - own, f"names a disease: {words}"

    return check
