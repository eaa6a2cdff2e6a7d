"""The questions of the pre-consultation interview."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from data.clinical_language import FOLDER, clinical_language
from data.conditions import Condition, check_names
from data.errors import DataError
from data.files import Row, read_rows, require_unique

PATH = FOLDER / "questions.json"


class QuestionRule(Row):
    """A question, when it is worth asking (any condition of ``when``; none: always), and why it is asked.

    ``{who}`` in a text stands for the patient (您, 孩子, 老人家). ``also`` are further slots that the answer may fill.
    Stages are asked in this order: danger, specific, general, optional; within a stage in the order of the file.
    """

    id: str
    stage: Literal["danger", "specific", "general", "optional"]
    text: str
    slot: str
    also: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    expects: Literal["anything", "yes_no", "choice", "number", "duration", "text"]
    quick_answers: tuple[str, ...] = Field(default=(), max_length=5)
    why: str
    when: tuple[Condition, ...] = ()


def load_questions(path: Path = PATH) -> tuple[QuestionRule, ...]:
    """The questions in ``path``; ``DataError`` where the file is missing, wrong or names an unknown finding."""
    rules = read_rows(path, QuestionRule)
    require_unique(path, "id", [rule.id for rule in rules])
    known = {row.name for row in clinical_language().symptoms}
    for rule in rules:
        check_names(path, rule.id, rule.when)
        for name in rule.values:
            if name not in known:
                raise DataError(f"{path}: {rule.id} asks for the unknown finding {name!r}")
    return rules


@cache
def questions() -> tuple[QuestionRule, ...]:
    """The shipped questions."""
    return load_questions()
