"""What a report of images begins with: skeletons by modality and body part, and findings that cannot wait.

The skeletons and what is marked `own` are our own judgement, to be reviewed by a clinician (docs/reports.md).
"""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from data.files import ROOT, Row, read_rows, require_unique

FOLDER = ROOT / "reporting"
TEMPLATES = FOLDER / "templates.json"
CRITICAL_FINDINGS = FOLDER / "critical_findings.json"

BLANK = "____"
"""What stands in a skeleton where its author has something to fill in."""

Modality = Literal["CT", "MR", "DX", "CR", "US", "MG"]
"""DICOM's code of a modality (PS3.3 C.7.3.1.1.1)."""


class ReportTemplate(Row):
    """A skeleton of a report.

    ``regions`` are words of a study's description that suggest it, English ones in small letters; ``sex`` says whose.
    """

    code: str
    name: str = Field(min_length=2, max_length=12)
    modalities: tuple[Modality, ...] = Field(min_length=1)
    regions: tuple[str, ...] = Field(min_length=1)
    sex: Literal["female", "male", "all"]
    examination: str = Field(min_length=2)
    findings: str = Field(min_length=2, pattern=BLANK)
    impression: str = Field(min_length=2, pattern=BLANK)


class CriticalFinding(Row):
    """A finding that cannot wait, with its source; ``own`` is our own judgement."""

    code: str
    name: str = Field(min_length=2, max_length=14)
    modalities: tuple[Modality, ...] = Field(min_length=1)
    source: str = Field(min_length=3)


def load_report_templates(path: Path = TEMPLATES) -> tuple[ReportTemplate, ...]:
    """The skeletons in ``path``; ``DataError`` where the file is missing or wrong."""
    rows = read_rows(path, ReportTemplate)
    require_unique(path, "code", [row.code for row in rows])
    require_unique(path, "name", [row.name for row in rows])
    return rows


def load_critical_findings(path: Path = CRITICAL_FINDINGS) -> tuple[CriticalFinding, ...]:
    """The findings in ``path``; ``DataError`` where the file is missing or wrong."""
    rows = read_rows(path, CriticalFinding)
    require_unique(path, "code", [row.code for row in rows])
    require_unique(path, "name", [row.name for row in rows])
    return rows


@cache
def report_templates() -> tuple[ReportTemplate, ...]:
    """The shipped skeletons."""
    return load_report_templates()


@cache
def critical_findings() -> tuple[CriticalFinding, ...]:
    """The shipped findings that cannot wait."""
    return load_critical_findings()
