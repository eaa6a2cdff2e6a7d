"""What a patient may ask to be put right in a finished record, how a request goes, and when it is asked again. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from backend.errors import IllegalMove

LONGEST = 500
"""Characters of a request, an addendum, a reason."""

_UNTIL_REMINDED = (timedelta(days=3), timedelta(days=4))
_UNTIL_REMINDED_AGAIN = timedelta(days=7)
OVERDUE_REMINDERS = len(_UNTIL_REMINDED)
"""From this reminder on, after a week, administrators see the request too. GB/T 35273-2020, 8.7, asks for an answer
within thirty days; these are our own days within it."""


class Part(StrEnum):
    """What of a finished consultation is said to be wrong."""

    HISTORY = "history"
    EXAMINATION = "examination"
    OPINION = "opinion"
    REPORT = "report"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The words people read."""
        return _LABELS[self]

    @property
    def by_expert(self) -> bool:
        """Whether the expert wrote it, who alone can put it right; else the doctor."""
        return self in (Part.OPINION, Part.REPORT)


_LABELS = {
    Part.HISTORY: "病情经过",
    Part.EXAMINATION: "医生的检查",
    Part.OPINION: "专家的诊断和治法",
    Part.REPORT: "影像检查报告",
    Part.OTHER: "别的地方",
}


class AmendmentState(StrEnum):
    """Where a request stands."""

    ASKED = "asked"
    AMENDED = "amended"  # an addendum stands beside the old text, or a new version of the report
    DECLINED = "declined"  # with a reason
    TAKEN_BACK = "taken_back"

    @property
    def label(self) -> str:
        """The words people read."""
        return _STATE_LABELS[self]


_STATE_LABELS = {
    AmendmentState.ASKED: "等答复",
    AmendmentState.AMENDED: "已更正",
    AmendmentState.DECLINED: "没有改",
    AmendmentState.TAKEN_BACK: "患者撤回",
}


class AmendmentStep(StrEnum):
    """What can be done with a request."""

    WRITE = "write"  # an addendum
    SIGN = "sign"  # a new version of the report
    DECLINE = "decline"
    TAKE_BACK = "take_back"


MOVES: Mapping[tuple[AmendmentState, AmendmentStep], AmendmentState] = MappingProxyType(
    {
        (AmendmentState.ASKED, AmendmentStep.WRITE): AmendmentState.AMENDED,
        (AmendmentState.ASKED, AmendmentStep.SIGN): AmendmentState.AMENDED,
        (AmendmentState.ASKED, AmendmentStep.DECLINE): AmendmentState.DECLINED,
        (AmendmentState.ASKED, AmendmentStep.TAKE_BACK): AmendmentState.TAKEN_BACK,
    }
)


@dataclass(frozen=True)
class PartView:
    """A part of a finished consultation as its patient may have it put right.

    Args:
        patient_id: whose it is. standing: what it says now; "" where nothing is shown.
        report_id: the signed report, where it is one. waiting: the request about it that waits, "" where none does.
        answers: the name of who will answer.
    """

    part: Part
    patient_id: str
    standing: str = field(repr=False)
    report_id: str
    waiting: str
    answers: str


@dataclass(frozen=True)
class AmendmentView:
    """A request and its answer: an addendum, why a report was changed, or why nothing is.

    Args:
        name: what it is about, a report with its number.
        answers: the name of who has to answer, or has.
        version: of the report that put it right; 0 where an addendum does, or nothing.
    """

    id: str
    consultation_id: str
    patient_id: str
    part: Part
    name: str
    report_id: str
    text: str = field(repr=False)
    state: AmendmentState
    asked_by: str
    asked_at: datetime
    answerer_id: str
    answers: str
    answer: str = field(repr=False)
    version: int
    answered_at: datetime | None
    reminders: int

    @property
    def overdue(self) -> bool:
        """Whether it has waited so long that administrators see it."""
        return self.state is AmendmentState.ASKED and self.reminders >= OVERDUE_REMINDERS


@dataclass(frozen=True)
class WaitingAmendment:
    """A request as who watches over it sees it: not what is written; the patient's name is masked."""

    id: str
    consultation_id: str
    number: str
    part: Part
    patient_name: str = field(repr=False)
    answers: str
    institution_id: str
    asked_at: datetime
    overdue: bool


def move(state: AmendmentState, step: AmendmentStep) -> AmendmentState:
    """Give where a step leads.

    Raises:
        IllegalMove: nowhere: it is answered already, or taken back.
    """
    target = MOVES.get((state, step))
    if target is None:
        raise IllegalMove(f"这个更正请求已经处理过了（{state.label}）。")
    return target


def next_reminder(reminders: int) -> timedelta:
    """Give how long after the request, or after its last reminder, it is asked again."""
    return _UNTIL_REMINDED[reminders] if reminders < len(_UNTIL_REMINDED) else _UNTIL_REMINDED_AGAIN
