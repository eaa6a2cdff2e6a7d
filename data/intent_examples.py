"""Messages that people might send, by what they want with them: what the recognition of intents learns from.

Every sentence is written for this project; none comes from a patient.
"""

from functools import cache
from pathlib import Path

from pydantic import Field, field_validator

from data.clinical_language import FOLDER
from data.errors import DataError
from data.files import Row, read_rows

PATH = FOLDER / "intent_examples.json"


class IntentExamples(Row):
    """Messages of one intent; with ``asked``, as answers to a question for that slot (and these ``symptoms``)."""

    intent: str = Field(min_length=1)
    asked: str | None = None
    symptoms: tuple[str, ...] = ()
    texts: tuple[str, ...] = Field(min_length=1)

    @field_validator("texts")
    @classmethod
    def _no_blank(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            if not text.strip():
                raise ValueError("a message is empty")
        return texts


def load_intent_examples(path: Path = PATH) -> tuple[IntentExamples, ...]:
    """The examples in ``path``.

    Raises ``DataError`` where the file is missing or wrong, where a group or a message after the same question comes
    twice (upper and lower case and spaces around do not count), or where symptoms are asked for without a question.
    """
    rows = read_rows(path, IntentExamples)
    groups: set[tuple[str, str | None, tuple[str, ...]]] = set()
    intents: dict[tuple[str | None, tuple[str, ...], str], str] = {}
    for row in rows:
        if row.symptoms and row.asked != "symptom":
            raise DataError(f"{path}: {row.intent}: symptoms without the question for them")
        if (row.intent, row.asked, row.symptoms) in groups:
            raise DataError(f"{path}: the group {row.intent} {row.asked or ''} comes twice")
        groups.add((row.intent, row.asked, row.symptoms))
        for text in row.texts:
            message = (row.asked, row.symptoms, text.strip().lower())
            if message in intents:
                raise DataError(f"{path}: {text!r} is both {intents[message]} and {row.intent}")
            intents[message] = row.intent
    return rows


@cache
def intent_examples() -> tuple[IntentExamples, ...]:
    """The shipped examples."""
    return load_intent_examples()
