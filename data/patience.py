"""How long an answer of the insurer or the payment provider is waited for before a person is told, and why so long."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from data.errors import DataError
from data.files import ROOT, Row, read_object

PATH = ROOT / "patience.json"

Minutes = Annotated[int, Field(ge=1, le=60 * 24 * 30)]
Why = Annotated[str, Field(min_length=10)]


class Patience(Row):
    """The whole file; each number has its reason beside it.

    Attributes:
        answer_minutes: without any clear answer. processing_minutes: of the answer that it is still being done.
        slowest_minutes: the longest time between two questions, however long nothing has been heard.
    """

    answer_minutes: Minutes
    answer_reason: Why
    processing_minutes: Minutes
    processing_reason: Why
    slowest_minutes: Minutes
    slowest_reason: Why

    @property
    def answer(self) -> timedelta:
        """How long silence is borne."""
        return timedelta(minutes=self.answer_minutes)

    @property
    def processing(self) -> timedelta:
        """How long something may be under way."""
        return timedelta(minutes=self.processing_minutes)

    @property
    def slowest(self) -> timedelta:
        """How long it is at most until the next question."""
        return timedelta(minutes=self.slowest_minutes)


def load_patience(path: Path = PATH) -> Patience:
    """Read the file.

    Raises:
        DataError: it is missing or wrong, or what is under way is waited for less long than what is not heard of.
    """
    held = read_object(path, Patience)
    if held.processing_minutes < held.answer_minutes:
        raise DataError(f"{path}: what is being done is given up before what nobody has heard of")
    return held


@cache
def patience() -> Patience:
    """The shipped rules."""
    return load_patience()
