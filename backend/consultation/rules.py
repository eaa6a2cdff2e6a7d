"""The state machine of a consultation as data, and the time limits that urgency sets. Pure: no I/O, no present time."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from backend.errors import IllegalMove, InvalidInput


class Status(StrEnum):
    """Where a consultation stands."""

    DRAFT = "draft"
    PENDING = "pending"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """The word people read."""
        return _STATUS_LABELS[self]


_STATUS_LABELS = {
    Status.DRAFT: "草稿",
    Status.PENDING: "待分配",
    Status.ASSIGNED: "已分配专家",
    Status.IN_PROGRESS: "进行中",
    Status.COMPLETED: "已完成",
    Status.CANCELLED: "已取消",
}

RUNNING = frozenset({Status.DRAFT, Status.PENDING, Status.ASSIGNED, Status.IN_PROGRESS})
"""Statuses in which somebody still has work to do."""

EXPERT_RUNNING = frozenset({Status.ASSIGNED, Status.IN_PROGRESS})
"""Statuses that count as load of an expert."""


class Urgency(StrEnum):
    """The four levels of the Chinese emergency triage consensus (急诊预检分诊专家共识, 2018), most urgent first."""

    CRITICAL = "critical"
    URGENT = "urgent"
    SEMI_URGENT = "semi_urgent"
    ROUTINE = "routine"

    @property
    def label(self) -> str:
        """The word people read."""
        return _URGENCY_LABELS[self]

    @property
    def level(self) -> int:
        """1 (critical) to 4 (routine)."""
        return list(Urgency).index(self) + 1

    @property
    def skips_booking(self) -> bool:
        """Whether the expert begins at once instead of at a booked time."""
        return self in (Urgency.CRITICAL, Urgency.URGENT)


_URGENCY_LABELS = {
    Urgency.CRITICAL: "危急",
    Urgency.URGENT: "紧急",
    Urgency.SEMI_URGENT: "较急",
    Urgency.ROUTINE: "普通",
}


def urgency_of(value: str) -> Urgency:
    """Give the urgency with this code.

    Raises:
        InvalidInput: there is none.
    """
    try:
        return Urgency(value)
    except ValueError as error:
        raise InvalidInput("紧急程度只能是：危急、紧急、较急、普通。") from error


class Step(StrEnum):
    """What can be done with a consultation; some steps move its status, the others need it to stand somewhere."""

    SUBMIT = "submit"
    ASSIGN = "assign"
    GIVE_BACK = "give_back"
    START = "start"
    COMPLETE = "complete"
    CANCEL = "cancel"
    ACKNOWLEDGE = "acknowledge"
    ADD_FINDINGS = "add_findings"
    ATTACH = "attach"
    ADD_PATIENT_NOTE = "add_patient_note"
    BOOK = "book"
    RECORD_NO_SHOW = "record_no_show"
    REQUEST_SUPPLEMENT = "request_supplement"
    ANSWER_SUPPLEMENT = "answer_supplement"
    POST = "post"
    RECORD_OPINION = "record_opinion"
    RATE = "rate"

    @property
    def label(self) -> str:
        """The words people read."""
        return _STEP_LABELS[self]


_STEP_LABELS = {
    Step.SUBMIT: "提交会诊申请",
    Step.ASSIGN: "分配专家",
    Step.GIVE_BACK: "退回会诊",
    Step.START: "开始会诊",
    Step.COMPLETE: "结束会诊",
    Step.CANCEL: "取消会诊",
    Step.ACKNOWLEDGE: "接收任务",
    Step.ADD_FINDINGS: "补充检查结果",
    Step.ATTACH: "添加资料",
    Step.ADD_PATIENT_NOTE: "补充病情",
    Step.BOOK: "预约或改约时间",
    Step.RECORD_NO_SHOW: "登记未到",
    Step.REQUEST_SUPPLEMENT: "要求补充资料",
    Step.ANSWER_SUPPLEMENT: "回复补充资料",
    Step.POST: "在会诊里发消息",
    Step.RECORD_OPINION: "填写会诊意见",
    Step.RATE: "评价",
}

MOVES: Mapping[tuple[Status, Step], Status] = MappingProxyType(
    {
        (Status.DRAFT, Step.SUBMIT): Status.PENDING,
        (Status.PENDING, Step.ASSIGN): Status.ASSIGNED,
        (Status.ASSIGNED, Step.GIVE_BACK): Status.PENDING,
        (Status.ASSIGNED, Step.START): Status.IN_PROGRESS,
        (Status.IN_PROGRESS, Step.COMPLETE): Status.COMPLETED,
        (Status.DRAFT, Step.CANCEL): Status.CANCELLED,
        (Status.PENDING, Step.CANCEL): Status.CANCELLED,
        (Status.ASSIGNED, Step.CANCEL): Status.CANCELLED,
        (Status.IN_PROGRESS, Step.CANCEL): Status.CANCELLED,
    }
)
"""Every move of the status that there is."""

STAYS: Mapping[Step, frozenset[Status]] = MappingProxyType(
    {
        Step.ACKNOWLEDGE: frozenset({Status.DRAFT}),
        Step.ADD_FINDINGS: frozenset({Status.DRAFT, Status.PENDING, Status.ASSIGNED, Status.IN_PROGRESS}),
        Step.ATTACH: frozenset({Status.DRAFT, Status.PENDING, Status.ASSIGNED, Status.IN_PROGRESS}),
        Step.ADD_PATIENT_NOTE: RUNNING,
        Step.BOOK: frozenset({Status.ASSIGNED}),
        Step.RECORD_NO_SHOW: frozenset({Status.ASSIGNED}),
        Step.REQUEST_SUPPLEMENT: frozenset({Status.ASSIGNED, Status.IN_PROGRESS}),
        Step.ANSWER_SUPPLEMENT: frozenset({Status.ASSIGNED, Status.IN_PROGRESS}),
        Step.POST: frozenset({Status.IN_PROGRESS}),
        Step.RECORD_OPINION: frozenset({Status.IN_PROGRESS}),
        Step.RATE: frozenset({Status.COMPLETED}),
    }
)
"""Where a step that leaves the status alone may be done."""


def move(status: Status, step: Step) -> Status:
    """Give the status that `step` leads to from `status`.

    Raises:
        IllegalMove: no such move; the sentence names the state and the step.
    """
    target = MOVES.get((status, step))
    if target is None:
        raise _illegal(status, step, [source for source, moved in MOVES if moved is step])
    return target


def check(status: Status, step: Step) -> None:
    """Let `step` be done in `status`.

    Raises:
        IllegalMove: it cannot be done there; the sentence names the state and the step.
    """
    if step in STAYS and status not in STAYS[step]:
        raise _illegal(status, step, [source for source in Status if source in STAYS[step]])
    if step not in STAYS:
        move(status, step)


def _illegal(status: Status, step: Step, sources: list[Status]) -> IllegalMove:
    wanted = "、".join(f"“{source.label}”" for source in sources)
    return IllegalMove(
        f"这次会诊现在是“{status.label}”，不能{step.label}（要在{wanted}时才可以）。",
        status=status.value,
        step=step.value,
    )


OFFER_LIMITS: Mapping[Urgency, timedelta] = MappingProxyType(
    {
        Urgency.CRITICAL: timedelta(minutes=3),
        Urgency.URGENT: timedelta(minutes=5),
        Urgency.SEMI_URGENT: timedelta(minutes=10),
        Urgency.ROUTINE: timedelta(minutes=15),
    }
)
"""How long an expert may think about an invitation before the next are asked; the target is a mean of 15 minutes."""

TASK_LIMITS: Mapping[Urgency, timedelta] = MappingProxyType(
    {
        Urgency.CRITICAL: timedelta(minutes=3),
        Urgency.URGENT: timedelta(minutes=10),
        Urgency.SEMI_URGENT: timedelta(minutes=30),
        Urgency.ROUTINE: timedelta(hours=2),
    }
)
"""How long a grassroots doctor may leave a new task unopened before another doctor of the institution gets it."""

REMINDER_MINUTES = (1440, 60, 10, 0)
"""A booking is reminded of so many minutes before it begins, and when it does."""

START_REMINDER_VALID = timedelta(minutes=15)
"""So long after the booked time it is still worth saying that it has come."""

NO_SHOW_AFTER = timedelta(minutes=30)
"""So long after the booked time the expert of a consultation that has not begun is asked what happened."""


def require_text(text: str, name: str, *, longest: int, required: bool = True) -> str:
    """Give `text` without blanks around it.

    Args:
        text: what somebody wrote.
        name: what the field is called, in Chinese, for the sentence of the error.
        longest: how many characters it may have.
        required: whether it may not be empty.

    Raises:
        InvalidInput: it is empty, too long, or holds a NUL.
    """
    stripped = text.strip()
    if required and not stripped:
        raise InvalidInput(f"{name}不能是空的，请写几个字。")
    if len(stripped) > longest:
        raise InvalidInput(f"{name}太长了，最多{longest}个字（现在{len(stripped)}个），请分开写或缩短。")
    if "\x00" in stripped:
        raise InvalidInput(f"{name}里有无法识别的字符，请重新输入。")
    return stripped
