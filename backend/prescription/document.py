"""The documents that are signed: everything that a prescription says, and a pharmacist's approval of it. Pure.

Both are JSON values for `backend.signing.canonical_json`. Amounts are texts; moments are ISO 8601 in UTC. The
paper, the card in chat and the page for pharmacies are made from the document, never from what lies beside it.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from backend.clock import local
from backend.people import PersonView, PractitionerView
from backend.people.rules import age_said, age_years
from backend.prescription.formulary import Formulary, Said, plain
from backend.prescription.rules import Finding, Line, Order, Override
from backend.records.background import Background

FORMAT = "qiaoyi-prescription-1"
APPROVAL_FORMAT = "qiaoyi-prescription-approval-1"

_CHILD_YEARS = 14  # paediatrics in China treats up to 14
_WEIGHED_YEARS = 14
_SEXES = {"male": "男", "female": "女"}


@dataclass(frozen=True)
class Matter:
    """Everything that a document is made of.

    Args:
        diagnoses: pairs of code and name. findings: of the checks at signing; they give the overridden warnings' words.
    """

    id: str
    number: str
    version: int
    consultation_number: str
    institution: str
    patient: PersonView
    background: Background
    prescriber: PractitionerView
    order: Order
    diagnoses: Sequence[tuple[str, str]] = field(repr=False)
    overrides: Sequence[Override] = field(repr=False)
    findings: Sequence[Finding] = field(repr=False)
    urgent: bool
    valid_days: int
    issued_at: datetime


def document_of(matter: Matter, formulary: Formulary) -> dict[str, Any]:
    """Give the document that a doctor signs."""
    issued_on = local(matter.issued_at).date()
    return {
        "format": FORMAT,
        "id": matter.id,
        "number": matter.number,
        "version": matter.version,
        "consultation": matter.consultation_number,
        "category": _category(matter, issued_on),
        "institution": matter.institution,
        "department": matter.prescriber.department_name,
        "patient": _patient(matter, issued_on),
        "diagnoses": [{"icd10": code, "name": name} for code, name in matter.diagnoses],
        "chronic": matter.order.chronic,
        "in_person": matter.order.in_person,
        "lines": [_line(line, formulary.said(line, matter.background, issued_on)) for line in matter.order.lines],
        "overrides": _overrides(matter),
        "prescriber": {
            "id": matter.prescriber.id,
            "name": matter.prescriber.name,
            "title": matter.prescriber.title,
        },
        "issued_at": moment(matter.issued_at),
        "valid_days": matter.valid_days,
    }


def approval_of(
    document: bytes, signature: bytes, pharmacist: PractitionerView, approved_at: datetime, valid_until: datetime
) -> dict[str, Any]:
    """Give the document that a pharmacist signs: it covers the doctor's document and signature."""
    return {
        "format": APPROVAL_FORMAT,
        "document_sha256": hashlib.sha256(document).hexdigest(),
        "signature": base64.b64encode(signature).decode(),
        "pharmacist": {"id": pharmacist.id, "name": pharmacist.name, "title": pharmacist.title},
        "approved_at": moment(approved_at),
        "valid_until": moment(valid_until),
    }


def moment(at: datetime) -> str:
    """Give a moment as documents write it."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def read_moment(text: str) -> datetime:
    """Give back what `moment` wrote."""
    return datetime.fromisoformat(text)


def line_text(line: dict[str, Any]) -> str:
    """Give a line of a document on one line of text: what it is, how many packs, how it is taken."""
    amount = f"{line['dose']}（{line['pieces']}）" if line["pieces"] else line["dose"]
    note = f"，{line['note']}" if line["note"] else ""
    return (
        f"{line['name']} {line['spec']}　{line['packs']}{line['pack_unit']}　"
        f"{line['route']}，一次{amount}，{line['frequency_name']}，共{line['days']}天{note}"
    )


def _category(matter: Matter, on: date) -> str:
    """Give the kind of prescription form (处方管理办法 附件1)."""
    if matter.urgent:
        return "急诊"
    born = matter.patient.birth_date
    return "儿科" if born is not None and age_years(born, on) < _CHILD_YEARS else "普通"


def _patient(matter: Matter, on: date) -> dict[str, Any]:
    """Give who it is for; a child's weight is stated (处方管理办法 第6条第4项)."""
    patient, weight = matter.patient, matter.background.weight
    child = patient.birth_date is not None and age_years(patient.birth_date, on) < _WEIGHED_YEARS
    return {
        "id": patient.id,
        "name": patient.name,
        "sex": _SEXES.get(patient.sex, "未说明"),
        "age": age_said(patient.birth_date, on),
        "weight": f"{plain(weight.value)}kg" if child and weight is not None else "",
    }


def _line(line: Line, said: Said) -> dict[str, Any]:
    return {
        "preparation": line.preparation,
        "name": said.name,
        "spec": said.spec,
        "dose": said.dose,
        "pieces": said.pieces,
        "frequency": line.frequency,
        "frequency_name": said.frequency,
        "route": said.route,
        "days": line.days,
        "packs": said.packs,
        "pack_unit": said.pack_unit,
        "note": line.note,
    }


def _overrides(matter: Matter) -> list[dict[str, Any]]:
    found = {(one.rule, one.subject): one for one in matter.findings}
    return [
        {
            "rule": one.rule,
            "subject": one.subject,
            "sentence": found[one.rule, one.subject].sentence,
            "source": found[one.rule, one.subject].source,
            "reason": one.reason,
            "given_at": moment(one.given_at),
        }
        for one in matter.overrides
        if (one.rule, one.subject) in found
    ]
