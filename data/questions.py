"""The questions of the pre-consultation interview."""

from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from data.clinical_language import FOLDER, clinical_language
from data.conditions import Condition, check_names
from data.errors import DataError
from data.files import Row, read_rows, require_unique

PATH = FOLDER / "questions.json"
SIGNS = "{signs}"


class QuestionRule(Row):
    """A question, when it can be asked (any condition of ``when`` and none of ``unless``), and why it is asked.

    Stages come in this order: ``danger`` looks for danger signs, ``measure`` for a value that decides how urgent it is
    (both in the order of the file), ``specific`` holds what tells causes apart, of which the interview chooses by
    expected gain, ``general`` what every record needs, ``optional`` what it can do without.

    ``{who}`` in a text stands for the patient (您, 孩子). A question after symptoms has ``values``, their names,
    where its text is fixed, or ``signs``, their names with the plain words for each, of which those that are still open
    take the place of ``{signs}`` in the text. ``also`` are further slots that the answer may fill;
    ``tells`` are symptoms that the answer to a question after something else decides (where it hurts).
    """

    id: str
    stage: Literal["danger", "measure", "specific", "general", "optional"]
    text: str = "{who}有没有" + SIGNS + "？"
    slot: str = "symptom"
    also: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    signs: dict[str, str] = Field(default_factory=dict, max_length=4)
    tells: tuple[str, ...] = ()
    expects: Literal["anything", "yes_no", "choice", "number", "duration", "text"] = "choice"
    quick_answers: tuple[str, ...] = Field(default=(), max_length=5)
    why: str = Field(min_length=6)
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()

    @cached_property
    def symptoms(self) -> tuple[str, ...]:
        """The symptoms that the question asks for by name."""
        return self.values or tuple(self.signs)

    @model_validator(mode="after")
    def _is_put_in_one_way(self) -> "QuestionRule":
        if (SIGNS in self.text) != bool(self.signs):
            raise ValueError(f"{SIGNS} in the text and the words for it belong together")
        if self.slot == "symptom" and bool(self.values) == bool(self.signs):
            raise ValueError("a question after symptoms has either values or signs")
        return self


def load_questions(path: Path = PATH) -> tuple[QuestionRule, ...]:
    """The questions in ``path``; ``DataError`` where the file is missing, wrong or names an unknown finding."""
    rules = read_rows(path, QuestionRule)
    require_unique(path, "id", [rule.id for rule in rules])
    known = {row.name for row in clinical_language().symptoms}
    for rule in rules:
        check_names(path, rule.id, (*rule.when, *rule.unless))
        for name in (*rule.symptoms, *rule.tells):
            if name not in known:
                raise DataError(f"{path}: {rule.id} asks for the unknown finding {name!r}")
    return rules


@cache
def questions() -> tuple[QuestionRule, ...]:
    """The shipped questions."""
    return load_questions()
