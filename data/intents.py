"""How people say what they want: patterns of intents, steering words, and the ways to say yes and no."""

import re
from functools import cache
from pathlib import Path

from pydantic import Field, field_validator

from data.clinical_language import FOLDER
from data.errors import DataError
from data.files import Row, read_object, read_rows, require_unique


class IntentPatterns(Row):
    """Patterns (searched in normalised text) of one intent; of several that match, the one that stands first counts."""

    intent: str
    patterns: tuple[str, ...] = Field(min_length=1)

    @field_validator("patterns")
    @classmethod
    def _compiles(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            _compile(pattern)
        return patterns


class ShortReplies(Row):
    """Patterns that a whole message must match: steering words, yes, no, and normal (还好 denies the symptom asked)."""

    commands: dict[str, str]
    yes: str
    no: str
    normal: str

    @field_validator("yes", "no", "normal")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        _compile(pattern)
        return pattern


class SpokenIntents(Row):
    """Everything about what people want."""

    intents: tuple[IntentPatterns, ...]
    short: ShortReplies


def load_spoken_intents(folder: Path = FOLDER) -> SpokenIntents:
    """The patterns in ``folder``; ``DataError`` where a file is missing or wrong."""
    intents = read_rows(folder / "intents.json", IntentPatterns)
    require_unique(folder / "intents.json", "intent", [row.intent for row in intents])
    short = read_object(folder / "commands.json", ShortReplies)
    for command, pattern in short.commands.items():
        try:
            re.compile(pattern)
        except re.error as error:
            raise DataError(f"{folder / 'commands.json'}: {command}: bad pattern ({error})") from error
    return SpokenIntents(intents=intents, short=short)


@cache
def spoken_intents() -> SpokenIntents:
    """The shipped patterns."""
    return load_spoken_intents()


def _compile(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"bad pattern {pattern!r}: {error}") from error
