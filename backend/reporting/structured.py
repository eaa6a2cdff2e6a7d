"""A signed report as instances of its study: a structured report, and the printed page inside a DICOM file.

Pure functions. The same report makes the same bytes whenever it is made, so that making it again changes nothing.
What they hold is described in docs/reports.md, with the sources of the codes.
"""

from pydicom import uid
from pydicom.dataset import Dataset

from backend.imaging import Reference, StudyBasis
from backend.people import PractitionerView
from backend.reporting.instances import (
    SERIES_NUMBER,
    Code,
    coded,
    container,
    document,
    identifiers,
    item,
    person_name,
    references,
    root,
    short,
    signed_at,
    written,
)
from backend.reporting.views import ReportView

REPORT: Code = ("18748-4", "LN", "Diagnostic Imaging Report")  # CID 7000
PROCEDURE: Code = ("55111-9", "LN", "Current Procedure Descriptions")  # CID 7001, as the next three
FINDINGS: Code = ("59776-5", "LN", "Findings")
IMPRESSIONS: Code = ("19005-8", "LN", "Impressions")
ADDENDUM: Code = ("55107-7", "LN", "Addendum")
PROCEDURE_TEXT: Code = ("121065", "DCM", "Procedure Description")  # CID 7002, as the next two
FINDING: Code = ("121071", "DCM", "Finding")
IMPRESSION: Code = ("121073", "DCM", "Impression")
COMMENT: Code = ("121106", "DCM", "Comment")
OBSERVER_TYPE: Code = ("121005", "DCM", "Observer Type")  # TID 1002
PERSON: Code = ("121006", "DCM", "Person")
OBSERVER_NAME: Code = ("121008", "DCM", "Person Observer Name")  # TID 1003
OBSERVER_ORGANIZATION: Code = ("121009", "DCM", "Person Observer's Organization Name")


def structured_report(
    report: ReportView, author: PractitionerView, basis: StudyBasis, previous: ReportView | None
) -> bytes:
    """Give the report as a Basic Text SR (PS3.3, A.35.1) by template TID 2000 of PS3.16, complete and verified.

    Args:
        report: signed. author: who signed it. basis: of the study as it was then.
        previous: the version that this one replaces, if any.
    """
    own = identifiers(report.id, report.version)
    dataset = document(report, author, basis, uid.BasicTextSRStorage, own.sr, own.sr_series)
    dataset.Modality = "SR"
    dataset.SeriesNumber = SERIES_NUMBER["sr"]
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.PerformedProcedureCodeSequence = []
    dataset.CompletionFlag = "COMPLETE"
    dataset.VerificationFlag = "VERIFIED"
    dataset.PreliminaryFlag = "FINAL"
    observer = Dataset()
    observer.VerifyingOrganization = short(author.institution_name)
    observer.VerificationDateTime = signed_at(report).strftime("%Y%m%d%H%M%S%z")
    observer.VerifyingObserverName = person_name(author.name)
    observer.VerifyingObserverIdentificationCodeSequence = []
    dataset.VerifyingObserverSequence = [observer]
    dataset.CurrentRequestedProcedureEvidenceSequence = [references(basis.study_uid, basis.evidence)]
    if previous is not None:
        older = identifiers(previous.id, previous.version)
        replaced = Reference(older.sr_series, uid.BasicTextSRStorage, older.sr, "SR")
        dataset.PredecessorDocumentsSequence = [references(basis.study_uid, [replaced])]
    dataset.update(_content(report, author))
    return written(dataset)


def encapsulated_pdf(report: ReportView, author: PractitionerView, basis: StudyBasis, pdf: bytes) -> bytes:
    """Give the printed report `pdf` as an Encapsulated PDF instance (PS3.3, A.45.1), of the structured one."""
    own = identifiers(report.id, report.version)
    dataset = document(report, author, basis, uid.EncapsulatedPDFStorage, own.pdf, own.pdf_series)
    dataset.Modality = "DOC"
    dataset.SeriesNumber = SERIES_NUMBER["pdf"]
    dataset.ConversionType = "WSD"
    dataset.AcquisitionDateTime = ""
    dataset.BurnedInAnnotation = "YES"  # the page names the patient
    dataset.VerificationFlag = "VERIFIED"
    dataset.DocumentTitle = short(f"影像诊断报告单 {report.number} 第{report.version}版")
    dataset.ConceptNameCodeSequence = [coded(REPORT)]
    source = Dataset()
    source.ReferencedSOPClassUID = uid.BasicTextSRStorage
    source.ReferencedSOPInstanceUID = own.sr
    dataset.SourceInstanceSequence = [source]
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    dataset.EncapsulatedDocumentLength = len(pdf)
    return written(dataset)


def _content(report: ReportView, author: PractitionerView) -> Dataset:
    sections = [
        _section(PROCEDURE, PROCEDURE_TEXT, report.examination),
        _section(FINDINGS, FINDING, report.findings),
        _section(IMPRESSIONS, IMPRESSION, report.impression),
    ]
    if report.amendment_reason:
        sections.append(_section(ADDENDUM, COMMENT, report.amendment_reason))
    observer = [
        item("HAS OBS CONTEXT", "CODE", OBSERVER_TYPE, ConceptCodeSequence=[coded(PERSON)]),
        item("HAS OBS CONTEXT", "PNAME", OBSERVER_NAME, PersonName=person_name(author.name)),
        item("HAS OBS CONTEXT", "TEXT", OBSERVER_ORGANIZATION, TextValue=author.institution_name),
    ]
    return root(REPORT, "2000", [*observer, *sections])


def _section(heading: Code, name: Code, text: str) -> Dataset:
    section = container(heading)
    section.RelationshipType = "CONTAINS"
    # Lines end with CR LF (PS3.5, section 6.1.3).
    lines = "\r\n".join(text.splitlines())
    section.ContentSequence = [item("CONTAINS", "TEXT", name, TextValue=lines)]
    return section
