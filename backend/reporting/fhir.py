"""A study and its report as resources of FHIR R4: `ImagingStudy` and `DiagnosticReport`. Pure functions.

They give what goes out as JSON. The codes and where they come from: docs/reports.md. A reference names the type and the
platform's own identifier ("Patient/01a2…"), below whatever address a FHIR server of ours has.
"""

import html
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from backend.imaging import InstanceView, SeriesView, StudyView
from backend.people import PractitionerView
from backend.reporting.instances import ZONE
from backend.reporting.views import ReportView

Resource = dict[str, Any]

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
LOINC = "http://loinc.org"
_DIAGNOSTIC_SERVICE = "http://terminology.hl7.org/CodeSystem/v2-0074"
_IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
_URI = "urn:ietf:rfc:3986"
_DICOM_UID = "urn:dicom:uid"
# Of PS3.16, CID 29 (acquisition modalities) and CID 33; others go with their code alone.
_MODALITIES = {
    "CR": "Computed Radiography",
    "CT": "Computed Tomography",
    "DOC": "Document",
    "DX": "Digital Radiography",
    "ECG": "Electrocardiography",
    "ES": "Endoscopy",
    "KO": "Key Object Selection",
    "MG": "Mammography",
    "MR": "Magnetic Resonance",
    "NM": "Nuclear Medicine",
    "OT": "Other",
    "PT": "Positron emission tomography",
    "RF": "Radiofluoroscopy",
    "SR": "Structured Report Document",
    "US": "Ultrasound",
    "XA": "X-Ray Angiography",
    "XC": "External-camera Photography",
}


def imaging_study(study: StudyView, series: Iterable[tuple[SeriesView, Iterable[InstanceView]]]) -> Resource:
    """Give a study that is linked to a consultation.

    Raises:
        ValueError: it belongs to nobody yet.
    """
    if study.patient_id is None:
        raise ValueError("a study of nobody known is not given out")
    resource: Resource = {
        "resourceType": "ImagingStudy",
        "id": study.id,
        "identifier": _study_identifiers(study),
        "status": "available",
        "modality": [_modality(one) for one in study.modalities],
        "subject": _reference("Patient", study.patient_id),
        "numberOfSeries": study.series,
        "numberOfInstances": study.instances,
        "series": [_series(one, instances) for one, instances in series],
    }
    started = dicom_moment(study.study_date, study.study_time)
    if started:
        resource["started"] = started
    if study.description:
        resource["description"] = study.description
    return resource


def diagnostic_report(report: ReportView, study: StudyView, author: PractitionerView, pdf_url: str) -> Resource:
    """Give a signed version of a report.

    Args:
        pdf_url: where whoever may read the report gets its PDF.

    Raises:
        ValueError: it is a draft.
    """
    if report.signed_at is None:
        raise ValueError("a draft is not given out")
    signed = report.signed_at.astimezone(ZONE).isoformat(timespec="seconds")
    resource: Resource = {
        "resourceType": "DiagnosticReport",
        "id": report.id,
        "meta": {"versionId": str(report.version), "lastUpdated": signed},
        "language": "zh-CN",
        "text": {"status": "generated", "div": _narrative(report)},
        "identifier": [
            {
                "use": "official",
                "type": {"coding": [{"system": _IDENTIFIER_TYPE, "code": "FILL", "display": "Filler Identifier"}]},
                "value": report.number,
            }
        ],
        "status": "final" if report.version == 1 else "amended",
        "category": [{"coding": [{"system": _DIAGNOSTIC_SERVICE, "code": "RAD", "display": "Radiology"}]}],
        "code": {
            "coding": [{"system": LOINC, "code": "18748-4", "display": "Diagnostic imaging study"}],
            "text": report.examination,
        },
        "subject": _reference("Patient", report.patient_id),
        "issued": signed,
        "performer": [_reference("Organization", author.institution_id, author.institution_name)],
        "resultsInterpreter": [_reference("Practitioner", author.id, author.name)],
        "imagingStudy": [_reference("ImagingStudy", report.study_id)],
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
    examined = dicom_moment(study.study_date, study.study_time)
    if examined:
        resource["effectiveDateTime"] = examined
    return resource


def dicom_moment(date: str, time: str) -> str:
    """Give a date and a time of DICOM (YYYYMMDD, HHMMSS.…) as FHIR writes it, in China's zone; the date alone where
    the time is none, "" where the date is none."""
    try:
        day = datetime.strptime(date, "%Y%m%d").replace(tzinfo=ZONE)
    except ValueError:
        return ""
    try:
        clock = datetime.strptime(time.split(".")[0].ljust(6, "0"), "%H%M%S").replace(tzinfo=ZONE)
    except ValueError:
        return day.date().isoformat()
    if not time:
        return day.date().isoformat()
    return datetime.combine(day.date(), clock.timetz()).isoformat(timespec="seconds")


def _study_identifiers(study: StudyView) -> list[Resource]:
    identifiers: list[Resource] = [{"system": _DICOM_UID, "value": f"urn:oid:{study.study_uid}"}]
    if study.accession_number:
        accession = {"system": _IDENTIFIER_TYPE, "code": "ACSN", "display": "Accession ID"}
        identifiers.append({"type": {"coding": [accession]}, "value": study.accession_number})
    return identifiers


def _series(series: SeriesView, instances: Iterable[InstanceView]) -> Resource:
    resource: Resource = {
        "uid": series.series_uid,
        "modality": _modality(series.modality or "OT"),
        "numberOfInstances": series.instances,
        "instance": [_instance(one) for one in instances],
    }
    if series.number is not None and series.number >= 0:
        resource["number"] = series.number
    if series.description:
        resource["description"] = series.description
    return resource


def _instance(instance: InstanceView) -> Resource:
    resource: Resource = {
        "uid": instance.sop_instance_uid,
        "sopClass": {"system": _URI, "code": f"urn:oid:{instance.sop_class_uid}"},
    }
    if instance.number is not None and instance.number >= 0:
        resource["number"] = instance.number
    return resource


def _modality(code: str) -> Resource:
    display = _MODALITIES.get(code)
    return {"system": DICOM, "code": code} | ({"display": display} if display else {})


def _reference(type_: str, identifier: str, display: str = "") -> Resource:
    reference = {"reference": f"{type_}/{identifier}", "type": type_}
    return reference | ({"display": display} if display else {})


def _narrative(report: ReportView) -> str:
    sections = [("检查项目", report.examination), ("检查所见", report.findings), ("诊断意见", report.impression)]
    if report.amendment_reason:
        sections.append(("修改原因", report.amendment_reason))
    shown = "".join(f"<h3>{name}</h3>{_paragraphs(text)}" for name, text in sections)
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{shown}</div>'


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{html.escape(line)}</p>" for line in text.splitlines() if line.strip())
