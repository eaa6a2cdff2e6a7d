"""What consultations show of themselves: immutable values, made only after the policy was asked."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backend.consultation.rules import Status, Urgency
from backend.consultation.tables import OfferState
from backend.scheduling import BookingView


@dataclass(frozen=True)
class OpinionView:
    """The expert's opinion so far; an empty text has not been given yet."""

    icd10: str
    disease: str
    diagnosis: str
    plan: str
    notes: str
    updated_at: datetime

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the fields that have to be there before the consultation can be closed: diagnosis, plan."""
        return tuple(name for name in ("diagnosis", "plan") if not getattr(self, name))


@dataclass(frozen=True)
class RatingView:
    """Stars from 1 to 5 and what the patient wrote."""

    stars: int
    comment: str
    rated_at: datetime


@dataclass(frozen=True)
class ConsultationSummary:
    """A consultation as lists show it: no clinical text.

    Args:
        speaker_id: the person who writes for the patient and hears what there is to tell: mostly the patient.
    """

    id: str
    number: str
    status: Status
    urgency: Urgency
    department_code: str
    department_name: str
    patient_id: str
    speaker_id: str
    patient_name: str
    institution_id: str
    doctor_id: str
    doctor_name: str
    expert_id: str | None
    expert_name: str
    opened_at: datetime
    acknowledged_at: datetime | None
    closed_at: datetime | None

    @property
    def relative_name(self) -> str:
        """The patient's name where somebody else speaks for them; empty where they speak themselves."""
        return "" if self.patient_id == self.speaker_id else self.patient_name or "您的家人"


@dataclass(frozen=True)
class ConsultationView(ConsultationSummary):
    """A consultation with all that the reader may know. `clinical` tells whether what is clinical was shown at all: an
    administrator steers a case without reading it, and sees these fields empty."""

    institution_name: str = ""
    submitted_at: datetime | None = None
    assigned_at: datetime | None = None
    started_at: datetime | None = None
    booking: BookingView | None = None
    clinical: bool = False
    record: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    red_flags: list[dict[str, Any]] = field(default_factory=list)
    urgency_reason: str = ""
    icd10: str = ""
    disease: str = ""
    question: str = ""
    vitals: dict[str, Any] = field(default_factory=dict)
    vitals_text: str = ""
    findings: str = ""
    opinion: OpinionView | None = None
    rating: RatingView | None = None


@dataclass(frozen=True)
class TimelineEntry:
    """One line of what happened; `kind` is a stable code, `text_zh` the sentence people read."""

    at: datetime
    actor_name: str
    kind: str
    text_zh: str


@dataclass(frozen=True)
class OfferView:
    """An invitation of an expert: the place in the ranking (1 is best), the score between 0 and 1 and its reasons."""

    id: str
    consultation_id: str
    consultation_number: str
    expert_id: str
    expert_name: str
    department_code: str
    department_name: str
    urgency: Urgency
    wave: int
    place: int
    state: OfferState
    score: float
    reasons: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True)
class AttachmentView:
    """A file that belongs to a consultation."""

    id: str
    file_id: str
    note: str
    added_by: str
    added_by_name: str
    added_at: datetime


@dataclass(frozen=True)
class PictureView:
    """A picture of a consultation, however it came: attached, as an answer to the expert, or in the conversation.

    Args:
        note: the words that came with it. sender: who sent it, as the others know them.
    """

    file_id: str
    note: str = field(repr=False)
    sender: str = field(repr=False)
    sent_at: datetime


@dataclass(frozen=True)
class SupplementView:
    """What the expert asked for in addition; unanswered while `answered_at` is None."""

    id: str
    text: str
    requested_at: datetime
    answer: str
    file_ids: tuple[str, ...]
    answered_at: datetime | None


@dataclass(frozen=True)
class MessageView:
    """One message of the thread; `sender_id` is a person, `kind` is text, image or voice."""

    id: int
    consultation_id: str
    sender_id: str
    sender_role: str
    sender_name: str
    kind: str
    text: str
    file_id: str
    sent_at: datetime


@dataclass(frozen=True)
class ResponseView:
    """How an expert answers invitations; times in seconds, None while nothing was answered. The median is exact to the
    width of its histogram's buckets."""

    expert_id: str
    answered: int
    unanswered: int
    mean_seconds: float | None
    median_seconds: float | None
