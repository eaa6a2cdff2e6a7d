"""A study as an `ImagingStudy` of FHIR R4. Pure functions.

The codes and where they come from: docs/reports.md.
"""

from collections.abc import Iterable
from datetime import datetime

from backend.clock import LOCAL_ZONE
from backend.fhir.elements import Resource, coding, hl7, instant, reference
from backend.fhir.systems import DICOM, URI
from backend.imaging.views import InstanceView, SeriesView, StudyView

DICOM_UID = "urn:dicom:uid"
"""The system of identifiers that are UIDs of DICOM."""

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
        "meta": {"lastUpdated": instant(study.created_at)},
        "identifier": _study_identifiers(study),
        "status": "available",
        "subject": reference("Patient", study.patient_id),
        "numberOfSeries": study.series,
        "numberOfInstances": study.instances,
        "series": [_series(one, instances) for one, instances in series],
    }
    if study.modalities:
        resource["modality"] = [_modality(one) for one in study.modalities]
    started = dicom_moment(study.study_date, study.study_time)
    if started:
        resource["started"] = started
    if study.description:
        resource["description"] = study.description
    return resource


def dicom_moment(date: str, time: str) -> str:
    """Give a date and a time of DICOM (YYYYMMDD, HHMMSS.…) as FHIR writes it, in China's zone; the date alone where
    the time is none, "" where the date is none."""
    try:
        day = datetime.strptime(date, "%Y%m%d").replace(tzinfo=LOCAL_ZONE)
    except ValueError:
        return ""
    try:
        clock = datetime.strptime(time.split(".")[0].ljust(6, "0"), "%H%M%S").replace(tzinfo=LOCAL_ZONE)
    except ValueError:
        return day.date().isoformat()
    if not time:
        return day.date().isoformat()
    return datetime.combine(day.date(), clock.timetz()).isoformat(timespec="seconds")


def _study_identifiers(study: StudyView) -> list[Resource]:
    identifiers: list[Resource] = [{"system": DICOM_UID, "value": f"urn:oid:{study.study_uid}"}]
    if study.accession_number:
        accession = hl7("v2-0203", "ACSN", "Accession ID")
        identifiers.append({"type": {"coding": [accession]}, "value": study.accession_number})
    return identifiers


def _series(series: SeriesView, instances: Iterable[InstanceView]) -> Resource:
    resource: Resource = {
        "uid": series.series_uid,
        "modality": _modality(series.modality or "OT"),
        "numberOfInstances": series.instances,
    }
    listed = [_instance(one) for one in instances]
    if listed:
        resource["instance"] = listed
    if series.number is not None and series.number >= 0:
        resource["number"] = series.number
    if series.description:
        resource["description"] = series.description
    return resource


def _instance(instance: InstanceView) -> Resource:
    resource: Resource = {
        "uid": instance.sop_instance_uid,
        "sopClass": {"system": URI, "code": f"urn:oid:{instance.sop_class_uid}"},
    }
    if instance.number is not None and instance.number >= 0:
        resource["number"] = instance.number
    return resource


def _modality(code: str) -> Resource:
    return coding(DICOM, code, _MODALITIES.get(code, ""))
