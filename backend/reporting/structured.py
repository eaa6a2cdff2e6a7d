"""A signed report as instances of its study: a structured report, and the printed page inside a DICOM file.

Pure functions. The same report makes the same bytes whenever it is made, so that making it again changes nothing.
What they hold is described in docs/reports.md, with the sources of the codes.
"""

import io
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from pydicom import uid
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset

from backend.imaging import Reference, StudyBasis
from backend.people import PractitionerView
from backend.reporting.views import ReportView

ZONE = ZoneInfo("Asia/Shanghai")

_NAMESPACE = uuid.UUID("6db97120-b371-4692-a6ce-62bd0a284e71")
_IMPLEMENTATION = uid.UID("2.25.41235635610860824233495759396878722816")
_MANUFACTURER = "Qiaoyi"
# Above the numbers that machines give to their series, so that lists show images first.
_SERIES_NUMBER = {"sr": 9001, "pdf": 9002}

Code = tuple[str, str, str]
"""Value, coding scheme designator, meaning (PS3.3, section 8.8)."""

REPORT: Code = ("18748-4", "LN", "Diagnostic Imaging Report")  # CID 7000
PROCEDURE: Code = ("55111-9", "LN", "Current Procedure Descriptions")  # CID 7001, as the next three
FINDINGS: Code = ("59776-5", "LN", "Findings")
IMPRESSIONS: Code = ("19005-8", "LN", "Impressions")
ADDENDUM: Code = ("55107-7", "LN", "Addendum")
PROCEDURE_TEXT: Code = ("121065", "DCM", "Procedure Description")  # CID 7002, as the next two
FINDING: Code = ("121071", "DCM", "Finding")
IMPRESSION: Code = ("121073", "DCM", "Impression")
COMMENT: Code = ("121106", "DCM", "Comment")
LANGUAGE: Code = ("121049", "DCM", "Language of Content Item and Descendants")  # TID 1204
CHINESE: Code = ("zh", "RFC5646", "Chinese")  # CID 5000
OBSERVER_TYPE: Code = ("121005", "DCM", "Observer Type")  # TID 1002
PERSON: Code = ("121006", "DCM", "Person")
OBSERVER_NAME: Code = ("121008", "DCM", "Person Observer Name")  # TID 1003
OBSERVER_ORGANIZATION: Code = ("121009", "DCM", "Person Observer's Organization Name")


@dataclass(frozen=True)
class Identifiers:
    """The unique identifiers of the documents of one version of a report, which follow from the version's own.

    Args:
        sr, pdf: SOP Instance UIDs. sr_series, pdf_series: Series Instance UIDs.
    """

    sr: str
    sr_series: str
    pdf: str
    pdf_series: str


def identifiers(report_id: str, version: int) -> Identifiers:
    """Give the unique identifiers of a version: derived from a UUID (PS3.5, section B.2), hence the same each time."""

    def derived(what: str) -> str:
        return f"2.25.{uuid.uuid5(_NAMESPACE, f'{report_id}/{version}/{what}').int}"

    return Identifiers(derived("sr"), derived("sr-series"), derived("pdf"), derived("pdf-series"))


def structured_report(
    report: ReportView, author: PractitionerView, basis: StudyBasis, previous: ReportView | None
) -> bytes:
    """Give the report as a Basic Text SR (PS3.3, A.35.1) by template TID 2000 of PS3.16, complete and verified.

    Args:
        report: signed. author: who signed it. basis: of the study as it was then.
        previous: the version that this one replaces, if any.
    """
    own = identifiers(report.id, report.version)
    dataset = _document(report, author, basis, uid.BasicTextSRStorage, own.sr, own.sr_series)
    dataset.Modality = "SR"
    dataset.SeriesNumber = _SERIES_NUMBER["sr"]
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.PerformedProcedureCodeSequence = []
    dataset.CompletionFlag = "COMPLETE"
    dataset.VerificationFlag = "VERIFIED"
    dataset.PreliminaryFlag = "FINAL"
    observer = Dataset()
    observer.VerifyingOrganization = _short(author.institution_name)
    observer.VerificationDateTime = _signed(report).strftime("%Y%m%d%H%M%S%z")
    observer.VerifyingObserverName = person_name(author.name)
    observer.VerifyingObserverIdentificationCodeSequence = []
    dataset.VerifyingObserverSequence = [observer]
    dataset.CurrentRequestedProcedureEvidenceSequence = [_references(basis.study_uid, basis.evidence)]
    if previous is not None:
        older = identifiers(previous.id, previous.version)
        reference = Reference(older.sr_series, uid.BasicTextSRStorage, older.sr, "SR")
        dataset.PredecessorDocumentsSequence = [_references(basis.study_uid, [reference])]
    dataset.update(_content(report, author))
    return _written(dataset)


def encapsulated_pdf(report: ReportView, author: PractitionerView, basis: StudyBasis, pdf: bytes) -> bytes:
    """Give the printed report `pdf` as an Encapsulated PDF instance (PS3.3, A.45.1), of the structured one."""
    own = identifiers(report.id, report.version)
    dataset = _document(report, author, basis, uid.EncapsulatedPDFStorage, own.pdf, own.pdf_series)
    dataset.Modality = "DOC"
    dataset.SeriesNumber = _SERIES_NUMBER["pdf"]
    dataset.ConversionType = "WSD"
    dataset.AcquisitionDateTime = ""
    dataset.BurnedInAnnotation = "YES"  # the page names the patient
    dataset.VerificationFlag = "VERIFIED"
    dataset.DocumentTitle = _short(f"影像诊断报告单 {report.number} 第{report.version}版")
    dataset.ConceptNameCodeSequence = [_coded(REPORT)]
    source = Dataset()
    source.ReferencedSOPClassUID = uid.BasicTextSRStorage
    source.ReferencedSOPInstanceUID = own.sr
    dataset.SourceInstanceSequence = [source]
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    dataset.EncapsulatedDocumentLength = len(pdf)
    return _written(dataset)


def person_name(name: str) -> str:
    """Give a name as a DICOM person name (PS3.5, section 6.2.1): Chinese ones have family and given name in one
    component, where nobody has said which is which."""
    plain = re.sub(r"[\\^=\x00-\x1f]", " ", name).strip()[:64]
    return plain if plain.isascii() else f"={plain}"


def _document(
    report: ReportView, author: PractitionerView, basis: StudyBasis, sop_class: str, instance: str, series: str
) -> FileDataset:
    """Give what both documents begin with: whose they are, as the images say it, and who made them when."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = uid.UID(sop_class)
    meta.MediaStorageSOPInstanceUID = uid.UID(instance)
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = "QIAOYI"
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    _copy_header(dataset, basis.header)
    dataset.StudyInstanceUID = basis.study_uid
    dataset.SeriesInstanceUID = series
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = instance
    dataset.InstanceNumber = report.version
    dataset.SeriesDescription = "影像诊断报告"
    dataset.Manufacturer = _MANUFACTURER
    dataset.ManufacturerModelName = _MANUFACTURER
    dataset.InstitutionName = _short(author.institution_name)
    signed = _signed(report)
    dataset.SeriesDate = dataset.ContentDate = dataset.InstanceCreationDate = signed.strftime("%Y%m%d")
    dataset.SeriesTime = dataset.ContentTime = dataset.InstanceCreationTime = signed.strftime("%H%M%S")
    return dataset


_REQUIRED = {"PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"}
_REQUIRED |= {"AccessionNumber", "ReferringPhysicianName", "StudyID"}


def _copy_header(dataset: Dataset, header: Mapping[str, str]) -> None:
    for keyword, text in header.items():
        if text or keyword in _REQUIRED:  # type 2: present, also where the images do not say it
            setattr(dataset, keyword, text.split("\\") if "\\" in text else text)


def _content(report: ReportView, author: PractitionerView) -> Dataset:
    root = _container(REPORT)
    template = Dataset()
    template.MappingResource = "DCMR"
    template.TemplateIdentifier = "2000"
    root.ContentTemplateSequence = [template]
    sections = [
        _section(PROCEDURE, PROCEDURE_TEXT, report.examination),
        _section(FINDINGS, FINDING, report.findings),
        _section(IMPRESSIONS, IMPRESSION, report.impression),
    ]
    if report.amendment_reason:
        sections.append(_section(ADDENDUM, COMMENT, report.amendment_reason))
    root.ContentSequence = [
        _item("HAS CONCEPT MOD", "CODE", LANGUAGE, ConceptCodeSequence=[_coded(CHINESE)]),
        _item("HAS OBS CONTEXT", "CODE", OBSERVER_TYPE, ConceptCodeSequence=[_coded(PERSON)]),
        _item("HAS OBS CONTEXT", "PNAME", OBSERVER_NAME, PersonName=person_name(author.name)),
        _item("HAS OBS CONTEXT", "TEXT", OBSERVER_ORGANIZATION, TextValue=author.institution_name),
        *sections,
    ]
    return root


def _section(heading: Code, name: Code, text: str) -> Dataset:
    section = _container(heading)
    section.RelationshipType = "CONTAINS"
    # Lines end with CR LF (PS3.5, section 6.1.3).
    lines = "\r\n".join(text.splitlines())
    section.ContentSequence = [_item("CONTAINS", "TEXT", name, TextValue=lines)]
    return section


def _container(concept: Code) -> Dataset:
    item = Dataset()
    item.ValueType = "CONTAINER"
    item.ConceptNameCodeSequence = [_coded(concept)]
    item.ContinuityOfContent = "SEPARATE"
    return item


def _item(relationship: str, value_type: str, concept: Code, **value: object) -> Dataset:
    item = Dataset()
    item.RelationshipType = relationship
    item.ValueType = value_type
    item.ConceptNameCodeSequence = [_coded(concept)]
    for keyword, given in value.items():
        setattr(item, keyword, given)
    return item


def _coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
    return item


def _references(study_uid: str, instances: Iterable[Reference]) -> Dataset:
    """Give instances of a study as Hierarchical SOP Instance Reference (PS3.3, table C.17-3)."""
    study = Dataset()
    study.StudyInstanceUID = study_uid
    study.ReferencedSeriesSequence = []
    for series_uid, group in groupby(instances, key=lambda one: one.series_uid):
        series = Dataset()
        series.SeriesInstanceUID = series_uid
        series.ReferencedSOPSequence = [_reference(one) for one in group]
        study.ReferencedSeriesSequence.append(series)
    return study


def _reference(one: Reference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = one.sop_class_uid
    item.ReferencedSOPInstanceUID = one.sop_instance_uid
    return item


def _signed(report: ReportView) -> datetime:
    if report.signed_at is None:
        raise ValueError("a draft becomes no document")
    return report.signed_at.astimezone(ZONE)


def _short(text: str) -> str:
    """Give a text as LO and ST take it: at most 64 characters, on one line, no backslash."""
    return re.sub(r"[\\\x00-\x1f]", " ", text)[:64]


def _written(dataset: FileDataset) -> bytes:
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
