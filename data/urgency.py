"""When a case belongs to which of the four triage levels."""

from functools import cache
from pathlib import Path

from pydantic import Field

from data.clinical_language import FOLDER
from data.conditions import Condition, check_names
from data.files import Row, read_rows

PATH = FOLDER / "urgency.json"


class UrgencyRule(Row):
    """The level (1 most urgent) that any one condition of ``when`` calls for, the reason in Chinese, and the source."""

    level: int = Field(ge=1, le=3)
    reason: str
    when: tuple[Condition, ...] = Field(min_length=1)
    source: str = Field(min_length=4)


def load_urgency_rules(path: Path = PATH) -> tuple[UrgencyRule, ...]:
    """The rules in ``path``; ``DataError`` where the file is missing, wrong or names an unknown finding."""
    rules = read_rows(path, UrgencyRule)
    for rule in rules:
        check_names(path, rule.reason, rule.when)
    return rules


@cache
def urgency_rules() -> tuple[UrgencyRule, ...]:
    """The shipped rules."""
    return load_urgency_rules()
