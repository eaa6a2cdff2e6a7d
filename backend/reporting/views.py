"""What reporting shows of its tables."""

from dataclasses import dataclass, field
from datetime import datetime

from backend.reporting.rules import ReportState


@dataclass(frozen=True)
class ReportView:
    """One version of a report.

    Args:
        number: printed on paper, the same for all versions; version: from 1.
        revision: to be given back with the next edit of a draft.
        author_id: the practitioner. study_id: of the study's row; study_uid: its Study Instance UID.
        examination: what was done, such as "胸部CT平扫". findings: 所见. impression: 印象.
        amendment_reason: why this version replaced the one before; "" for the first.
        code: leads to the verification page; None for a draft.
    """

    id: str
    number: str
    version: int
    state: ReportState
    revision: int
    study_id: str
    study_uid: str
    consultation_id: str
    patient_id: str
    author_id: str
    examination: str = field(repr=False)
    findings: str = field(repr=False)
    impression: str = field(repr=False)
    amendment_reason: str = field(repr=False)
    updated_at: datetime
    signed_at: datetime | None
    code: str | None = field(repr=False)


@dataclass(frozen=True)
class CriticalView:
    """A critical value; `confirmed_by` is the practitioner who has it in hand, None until then."""

    id: str
    study_id: str
    consultation_id: str
    text: str = field(repr=False)
    marked_by: str
    marked_at: datetime
    reminders: int
    confirmed_by: str | None
    confirmed_at: datetime | None


@dataclass(frozen=True)
class Verification:
    """What a verification page says of a paper; the name is masked.

    Args:
        genuine: the stored report is as it was signed.
        current: no later version was signed; `latest` is the newest signed version.
    """

    number: str
    version: int
    latest: int
    genuine: bool
    patient_name: str = field(repr=False)
    examination: str = field(repr=False)
    impression: str = field(repr=False)
    author_name: str
    institution_name: str
    signed_at: datetime

    @property
    def current(self) -> bool:
        """Whether no later version replaced it."""
        return self.version == self.latest
