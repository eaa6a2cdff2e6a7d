"""What a prescription says, what a check finds, and the states a prescription goes through. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from backend.errors import IllegalMove


@dataclass(frozen=True)
class Line:
    """One medicine of a prescription.

    Args:
        preparation: its code in `data/drugs`.
        dose: for one time, in the unit of the preparation's strength (mg, g, ml, IU …).
        frequency: a code of `data/drugs` ("tid"); route: one that the preparation allows ("oral").
        days: how long it is taken.
        note: what the patient should mind, in the doctor's words.
    """

    preparation: str
    dose: Decimal
    frequency: str
    route: str
    days: int
    note: str = field(default="", repr=False)


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Args:
        diagnoses: what the lines are for (ICD-10).
        chronic: the course is one of a chronic disease, which may be longer.
        in_person: a doctor has the patient before them; from afar the law forbids more. None where it is not known.
    """

    lines: tuple[Line, ...]
    diagnoses: tuple[str, ...] = field(repr=False)
    chronic: bool = False
    in_person: bool | None = None


@dataclass(frozen=True)
class Prescriber:
    """Who prescribes, as far as the law asks: their title, and the grades of antibiotics they may use
    (卫生部令第84号 抗菌药物临床应用管理办法: non_restricted, restricted, special)."""

    practitioner_id: str
    title: str
    antibiotic_grades: frozenset[str]


class Severity(StrEnum):
    """How a finding is met: a stop cannot be overridden, a warning needs a written reason, a note is only said."""

    STOP = "stop"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """What a check has found.

    Args:
        rule: a stable code ("allergy.class"); with `subject` it tells this finding from others of its rule, so that a
            reason given for one does not pass another.
        subject: codes of what it is about, joined by "+" ("amoxicillin+penicillins").
        lines: indices of the lines it is about; empty for the whole.
        sentence: what the doctor reads; advice: what to do instead, may be empty.
        source: the authority of the rule.
    """

    rule: str
    subject: str
    severity: Severity
    lines: tuple[int, ...]
    sentence: str = field(repr=False)
    advice: str = field(repr=False)
    source: str


class State(StrEnum):
    """Where a prescription stands."""

    DRAFT = "draft"
    SIGNED = "signed"
    VALID = "valid"
    PARTLY_DISPENSED = "partly_dispensed"
    DISPENSED = "dispensed"
    REVOKED = "revoked"
    EXPIRED = "expired"

    @property
    def label(self) -> str:
        """The word people read."""
        return _LABELS[self]


_LABELS = {
    State.DRAFT: "正在开",
    State.SIGNED: "等药师审核",
    State.VALID: "可以取药",
    State.PARTLY_DISPENSED: "已取一部分",
    State.DISPENSED: "已取药",
    State.REVOKED: "已作废",
    State.EXPIRED: "已过期",
}


class Step(StrEnum):
    """What can be done with a prescription."""

    WRITE = "write"
    SIGN = "sign"
    RETURN = "return"
    APPROVE = "approve"
    DISPENSE_PART = "dispense_part"
    DISPENSE = "dispense"
    REVOKE = "revoke"
    EXPIRE = "expire"


MOVES: Mapping[tuple[State, Step], State] = MappingProxyType(
    {
        (State.DRAFT, Step.WRITE): State.DRAFT,
        (State.DRAFT, Step.SIGN): State.SIGNED,
        (State.SIGNED, Step.RETURN): State.DRAFT,
        (State.SIGNED, Step.APPROVE): State.VALID,
        (State.SIGNED, Step.REVOKE): State.REVOKED,
        (State.VALID, Step.DISPENSE_PART): State.PARTLY_DISPENSED,
        (State.VALID, Step.DISPENSE): State.DISPENSED,
        (State.VALID, Step.REVOKE): State.REVOKED,
        (State.VALID, Step.EXPIRE): State.EXPIRED,
        (State.PARTLY_DISPENSED, Step.DISPENSE_PART): State.PARTLY_DISPENSED,
        (State.PARTLY_DISPENSED, Step.DISPENSE): State.DISPENSED,
    }
)
"""Every legal move; what is not here is refused."""


PICKUP_DIGITS = 8


@dataclass(frozen=True)
class Override:
    """Why a warning does not hold here, in the prescriber's words; signed with the prescription."""

    rule: str
    subject: str
    reason: str = field(repr=False)
    given_at: datetime


def pickup_number(code: str) -> str:
    """Give the eight digits by which a prescription is called at a counter, from the code on its paper.

    They are for people who work at a pharmacy and are known by name: too few to be a secret from anybody else.
    """
    digest = hashlib.sha256(f"pickup:{code}".encode()).digest()
    return str(int.from_bytes(digest) % 10**PICKUP_DIGITS).zfill(PICKUP_DIGITS)


def pickup_number_said(number: str) -> str:
    """Give the digits as they are read aloud: 4827 1593."""
    return f"{number[:4]} {number[4:]}"


def after(state: State, step: Step) -> State:
    """Give the state that `step` leads to.

    Raises:
        IllegalMove: the prescription does not stand where this can be done.
    """
    try:
        return MOVES[state, step]
    except KeyError:
        raise IllegalMove(f"这张处方现在是“{state.label}”，不能这样操作。") from None
