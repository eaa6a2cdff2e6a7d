"""What goes into a table for research and what comes out: value types. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from backend.deidentification import Identifiers

TEXTS = ("chief_complaint", "present_illness", "findings", "question", "opinion", "plan")
"""Columns of free text, told where they are asked for."""


class ExportState(StrEnum):
    """What became of an export."""

    WAITING = "waiting"
    MADE = "made"
    REFUSED = "refused"  # it would have told of people; `refusal` says why
    EXPIRED = "expired"  # it was made, and its file is not kept any more

    @property
    def label(self) -> str:
        """What people read."""
        return {"waiting": "正在生成", "made": "可以下载", "refused": "不能导出", "expired": "文件已删除"}[self.value]


@dataclass(frozen=True)
class Wish:
    """What somebody asks for.

    Attributes:
        since, until: the cases opened on these days, both among them.
        k: how many people have to be alike at least.
        with_months: the true month of each case, made coarser as it has to be, instead of a day that was shifted.
        with_text: free text too, scrubbed.
    """

    since: date
    until: date
    k: int
    with_months: bool = False
    with_text: bool = False


@dataclass(frozen=True)
class SourceCase:
    """A finished case with all that the table is made of; it lives in memory alone.

    Attributes:
        patient: which of the patients, from 0.
        age_months: at the opening, None where nobody knows. region: of the township centre.
        known: what names those of the case, for scrubbing its texts.
    """

    patient: int
    opened_on: date
    age_months: int | None
    sex: str
    region: str
    icd10: str
    urgency: str
    answer_minutes: int | None
    consultation_minutes: int | None
    agreed: bool | None
    stars: int | None
    red_flags: int
    symptoms: tuple[str, ...]
    vitals: Mapping[str, float]
    texts: Mapping[str, str] = field(repr=False)
    known: Identifiers = field(repr=False)


@dataclass(frozen=True)
class MadeTable:
    """A table as Parquet and what is to be said of it, JSON values (docs/governance.md)."""

    content: bytes = field(repr=False)
    manifest: Mapping[str, object]


@dataclass(frozen=True)
class RefusedTable:
    """Why there is none, in a sentence for who asked; `people` and the share that was left over, for the record."""

    sentence: str
    people: int
    suppressed: float
