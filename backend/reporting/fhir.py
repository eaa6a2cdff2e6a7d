"""A report as a `DiagnosticReport` of FHIR R4. Pure functions.

It gives what goes out as JSON. The codes and where they come from: docs/reports.md. A reference names the type and the
platform's own identifier ("Patient/01a2…"), below whatever address a FHIR server of ours has.
"""

import html

from backend.fhir.elements import Resource, coding, concept, hl7, reference, uuid_identifier
from backend.fhir.systems import LOINC, REPORT_NUMBER
from backend.people import PractitionerView
from backend.reporting.instances import ZONE
from backend.reporting.views import ReportView

CATEGORY = hl7("v2-0074", "RAD", "Radiology")
CODE = coding(LOINC, "18748-4", "Diagnostic imaging study")


def diagnostic_report(report: ReportView, examined: str, author: PractitionerView, pdf_url: str) -> Resource:
    """Give a signed version of a report. Its identifier is that of the study: whatever its version, it is one report.

    Args:
        examined: when the study was made, as FHIR writes it; "" where that is not known.
        pdf_url: where whoever may read the report gets its PDF.

    Raises:
        ValueError: it is a draft.
    """
    if report.signed_at is None:
        raise ValueError("a draft is not given out")
    signed = report.signed_at.astimezone(ZONE).isoformat(timespec="seconds")
    resource: Resource = {
        "resourceType": "DiagnosticReport",
        "id": report.study_id,
        "meta": {"versionId": str(report.version), "lastUpdated": signed},
        "language": "zh-CN",
        "text": {"status": "generated", "div": _narrative(report)},
        "identifier": [
            uuid_identifier(report.study_id),
            {
                "use": "usual",
                "type": concept(hl7("v2-0203", "FILL", "Filler Identifier")),
                "system": REPORT_NUMBER,
                "value": report.number,
            },
        ],
        "basedOn": [reference("ServiceRequest", report.consultation_id)],
        "status": "final" if report.version == 1 else "amended",
        "category": [concept(CATEGORY)],
        "code": concept(CODE, text=report.examination),
        "subject": reference("Patient", report.patient_id),
        "encounter": reference("Encounter", report.consultation_id),
        "issued": signed,
        "performer": [reference("Organization", author.institution_id, author.institution_name)],
        "resultsInterpreter": [reference("Practitioner", author.id, author.name)],
        "imagingStudy": [reference("ImagingStudy", report.study_id)],
        "conclusion": report.impression,
        "presentedForm": [
            {
                "contentType": "application/pdf",
                "language": "zh-CN",
                "url": pdf_url,
                "title": f"影像诊断报告单 {report.number} 第{report.version}版",
                "creation": signed,
            }
        ],
    }
    if examined:
        resource["effectiveDateTime"] = examined
    return resource


def _narrative(report: ReportView) -> str:
    sections = [("检查项目", report.examination), ("检查所见", report.findings), ("诊断意见", report.impression)]
    if report.amendment_reason:
        sections.append(("修改原因", report.amendment_reason))
    shown = "".join(f"<h3>{name}</h3>{_paragraphs(text)}" for name, text in sections)
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{shown}</div>'


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{html.escape(line)}</p>" for line in text.splitlines() if line.strip())
