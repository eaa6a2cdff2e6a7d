"""What the case library shows of its tables."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from backend.consultation.icd10 import disease_name
from backend.teaching_cases.rules import SECTIONS, CaseState, QuestionText, Tag


@dataclass(frozen=True)
class Content:
    """What a case says.

    Args:
        sections: by the keys of `rules.SECTIONS`. codes: ICD-10. signs: coded findings that the patient had.
    """

    title: str
    sections: Mapping[str, str] = field(repr=False)
    codes: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    signs: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, held: dict[str, Any]) -> "Content":
        """Give back what `to_json` wrote; what was thrown away is empty."""
        return cls(
            held.get("title", ""),
            {key: held["sections"][key] for key in SECTIONS if key in held.get("sections", {})},
            tuple(held.get("codes", ())),
            tuple(Tag(one) for one in held.get("tags", ())),
            tuple(held.get("signs", ())),
        )

    def to_json(self) -> dict[str, Any]:
        """Give it as a JSON value."""
        return asdict(self)

    @property
    def diseases(self) -> tuple[str, ...]:
        """The codes with their names."""
        return tuple(" ".join(filter(None, (code, disease_name(code)))) for code in self.codes)


@dataclass(frozen=True)
class Taken:
    """What was taken out of a part of a case, and what stands there. Of what is known to name somebody of the case,
    `text` is masked; `guessed`: the recogniser took it, it may be a word of medicine."""

    section: str
    kind: str
    text: str = field(repr=False)
    replacement: str = ""
    guessed: bool = False


@dataclass(frozen=True)
class Question:
    """A question of a case."""

    id: str
    text: QuestionText


@dataclass(frozen=True)
class Reviewed:
    """A recommended case as its reviewer sees it."""

    id: str
    number: str
    state: CaseState
    revision: int
    department_code: str
    proposed_at: datetime
    proposed_reason: str
    published_at: datetime | None
    decision_reason: str
    content: Content
    taken: tuple[Taken, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class ReviewedPage:
    """Cases in a list, the latest recommended first; `next_cursor` is empty at the end."""

    items: tuple[Reviewed, ...]
    next_cursor: str


@dataclass(frozen=True)
class Published:
    """A case of the library."""

    id: str
    department_code: str
    published_at: datetime
    content: Content
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Similar:
    """A published case that is similar to another, and what they share, in words."""

    case: Published
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Answered:
    """What came of an answer.

    Args:
        is_first: it is the first, which counts; else `points` are those of the first.
        next_id: the next question of the case that this person has not answered, None where there is none.
    """

    question: Question
    case_id: str
    chosen: int
    is_right: bool
    is_first: bool
    points: int
    next_id: str | None


@dataclass(frozen=True)
class Points:
    """What a practitioner has learned in a year."""

    practitioner_id: str
    year: int
    answered: int
    right: int
    points: int
