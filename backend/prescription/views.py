"""What prescriptions show of their tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backend.prescription.formulary import Said
from backend.prescription.rules import Finding, Line, Override, Severity, State, pickup_number


@dataclass(frozen=True)
class PrescriptionView:
    """A prescription.

    Args:
        number: printed on paper. revision: to be given back with the next edit of a draft.
        version: of the newest signed version, 0 before the first.
        lines, diagnoses, chronic, in_person, overrides: of the draft; what was signed of them is in `document`.
        said: the lines in words, while it is a draft; empty later.
        findings: of the checks on what is known now, while it is a draft or waits for review; empty later.
        document: what the newest signed version says (`backend.prescription.document`); empty before the first.
        return_reason: why the pharmacist gave it back; "" where nobody did.
        code: leads to the verification page; None until it is approved.
    """

    id: str
    number: str
    consultation_id: str
    patient_id: str
    prescriber_id: str
    institution_id: str
    state: State
    revision: int
    version: int
    chronic: bool
    in_person: bool | None
    lines: tuple[Line, ...] = field(repr=False)
    said: tuple[Said, ...] = field(repr=False)
    diagnoses: tuple[str, ...] = field(repr=False)
    overrides: tuple[Override, ...] = field(repr=False)
    findings: tuple[Finding, ...] = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    updated_at: datetime
    signed_at: datetime | None
    taken_by: str | None
    reviewer_id: str | None
    approved_at: datetime | None
    valid_until: datetime | None
    return_reason: str = field(repr=False)
    revocation_reason: str = field(repr=False)
    code: str | None = field(repr=False)

    @property
    def pickup_number(self) -> str | None:
        """The eight digits by which it is called at a counter; None until it is approved."""
        return None if self.code is None else pickup_number(self.code)

    @property
    def stops(self) -> tuple[Finding, ...]:
        """What forbids to sign it."""
        return tuple(one for one in self.findings if one.severity is Severity.STOP)

    @property
    def unanswered(self) -> tuple[Finding, ...]:
        """The warnings for which no reason is written."""
        answered = {(one.rule, one.subject) for one in self.overrides}
        warnings = (one for one in self.findings if one.severity is Severity.WARNING)
        return tuple(one for one in warnings if (one.rule, one.subject) not in answered)


@dataclass(frozen=True)
class QueueItem:
    """A prescription that waits for a pharmacist; `taken_by` is who has it before them, with their name."""

    id: str
    number: str
    patient_name: str = field(repr=False)
    prescriber_name: str
    medicines: int
    signed_at: datetime
    taken_by: str | None
    taken_by_name: str


@dataclass(frozen=True)
class TemplateView:
    """Lines that can be written at once; `id` is of the practitioner's own, or a code of the shipped ones."""

    id: str
    name: str = field(repr=False)
    lines: tuple[Line, ...] = field(repr=False)
    chronic: bool
    own: bool


@dataclass(frozen=True)
class Verification:
    """What a pharmacy needs of a prescription; the name is masked.

    Args:
        genuine: both signatures hold over what is stored.
        lines: what was prescribed, one text a medicine.
    """

    number: str
    state: State
    genuine: bool
    patient_name: str = field(repr=False)
    age: str = field(repr=False)
    sex: str = field(repr=False)
    institution: str
    lines: tuple[str, ...] = field(repr=False)
    prescriber_name: str
    pharmacist_name: str
    approved_at: datetime
    valid_until: datetime
    changed_at: datetime | None
