"""Versions of reports as rows: what signing freezes, what an amendment begins with, what is shown."""

from backend.db import key_ring
from backend.ids import new_id
from backend.reporting.rules import ReportState, canonical
from backend.reporting.tables import Report
from backend.reporting.views import ReportView


def seal_of(row: Report) -> str:
    """Give the keyed digest of what signing freezes: who has the database alone cannot make one."""
    frozen = {
        "id": row.id,
        "number": row.number,
        "version": row.version,
        "study_uid": row.study_uid,
        "consultation_id": row.consultation_id,
        "patient_id": row.patient_id,
        "author_id": row.author_id,
        "examination": row.examination,
        "findings": row.findings,
        "impression": row.impression,
        "amendment_reason": row.amendment_reason,
        "signed_at": row.signed_at.isoformat() if row.signed_at else "",
        "code": row.code,
    }
    return key_ring().blind_index(canonical(frozen), "reports.seal")


def copy_for_amendment(row: Report, reason: str, author_id: str) -> Report:
    """Give a draft of the next version, with what the report says now."""
    return Report(
        id=new_id(),
        number=row.number,
        version=row.version + 1,
        study_id=row.study_id,
        study_uid=row.study_uid,
        consultation_id=row.consultation_id,
        patient_id=row.patient_id,
        author_id=author_id,
        state=ReportState.DRAFT,
        revision=0,
        examination=row.examination,
        findings=row.findings,
        impression=row.impression,
        amendment_reason=reason,
    )


def view_of(row: Report) -> ReportView:
    """Give a version as it is shown."""
    return ReportView(
        id=row.id,
        number=row.number,
        version=row.version,
        state=row.state,
        revision=row.revision,
        study_id=row.study_id,
        study_uid=row.study_uid,
        consultation_id=row.consultation_id,
        patient_id=row.patient_id,
        author_id=row.author_id,
        examination=row.examination,
        findings=row.findings,
        impression=row.impression,
        amendment_reason=row.amendment_reason,
        updated_at=row.updated_at,
        signed_at=row.signed_at,
        code=row.code,
    )
