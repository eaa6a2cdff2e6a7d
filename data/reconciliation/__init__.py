"""What is done by rule about a difference between our books and others'; what no rule is for waits for a person."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from data.errors import DataError
from data.files import Row, read_rows

FOLDER = Path(__file__).parent

Book = Literal["insurer", "payment"]
DifferenceCode = Literal["missing_here", "missing_there", "amount", "state", "duplicate", "totals"]
Check = Literal["posted_other_day", "known_there", "fetched"]
"""What is looked at, in `backend/charging/reconciliation.py`: our ledger has it on another day; the other side says the
same of it when it is asked; the other side says so, and it is posted as if it had just told us."""


class DifferenceRule(Row):
    """One rule: a difference of this `kind` in this book, of which the check holds, has this outcome.

    Args:
        says: what is kept with the difference, for whoever reads it.
    """

    book: Book
    kind: DifferenceCode
    when: Check
    outcome: Literal["repaired", "other_day"]
    says: Annotated[str, Field(min_length=3, max_length=48)]

    @model_validator(mode="after")
    def _is_one_that_can_be(self) -> "DifferenceRule":
        if (self.when == "known_there") != (self.kind == "missing_there"):
            raise ValueError("the other side is asked about what is missing there, and about nothing else")
        if self.when != "known_there" and self.kind != "missing_here":
            raise ValueError("only what is missing here can have been posted, or be posted")
        if (self.when == "fetched") != (self.outcome == "repaired"):
            raise ValueError("what is fetched is repaired, and nothing else is")
        if self.when == "fetched" and self.book != "payment":
            raise ValueError("a settlement is never posted by what the insurer's list says alone")
        return self


def load_rules(path: Path = FOLDER / "rules.json") -> tuple[DifferenceRule, ...]:
    """Read the rules, in the order in which they are tried.

    Raises:
        DataError: the file is missing or wrong, or a rule stands there twice.
    """
    rules = read_rows(path, DifferenceRule)
    if len({(rule.book, rule.kind, rule.when) for rule in rules}) < len(rules):
        raise DataError(f"{path}: a rule twice")
    return rules


@cache
def rules_for(book: str, kind: str) -> tuple[DifferenceRule, ...]:
    """Give the shipped rules for one kind of difference in one book, in their order."""
    return tuple(rule for rule in load_rules() if (rule.book, rule.kind) == (book, kind))
