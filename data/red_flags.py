"""Danger signs that interrupt everything, each with what to do at once and the guideline that it is taken from."""

from functools import cache
from pathlib import Path

from pydantic import Field

from data.clinical_language import FOLDER
from data.conditions import Condition, check_names
from data.files import Row, read_rows, require_unique

PATH = FOLDER / "red_flags.json"


class RedFlagRule(Row):
    """A danger sign: any one condition of ``when`` suffices. ``level`` is the triage level, 1 or 2."""

    code: str
    title: str
    level: int = Field(ge=1, le=2)
    when: tuple[Condition, ...] = Field(min_length=1)
    advice: str = Field(min_length=10)
    source: str = Field(min_length=4)


def load_red_flags(path: Path = PATH) -> tuple[RedFlagRule, ...]:
    """The rules in ``path``; ``DataError`` where the file is missing, wrong or names an unknown finding."""
    rules = read_rows(path, RedFlagRule)
    require_unique(path, "code", [rule.code for rule in rules])
    for rule in rules:
        check_names(path, rule.code, rule.when)
    return rules


@cache
def red_flags() -> tuple[RedFlagRule, ...]:
    """The shipped rules."""
    return load_red_flags()
