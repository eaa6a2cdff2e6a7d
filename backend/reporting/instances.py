"""What every DICOM document of a report begins with and is made of: whose it is, as the images say it, content items,
references. Pure functions. The same report makes the same bytes whenever it is made.
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

SERIES_NUMBER = {"sr": 9001, "pdf": 9002, "ko": 9003}
"""Above the numbers that machines give to their series, so that lists show images first."""

Code = tuple[str, str, str]
"""Value, coding scheme designator, meaning (PS3.3, section 8.8)."""

LANGUAGE: Code = ("121049", "DCM", "Language of Content Item and Descendants")  # TID 1204
CHINESE: Code = ("zh", "RFC5646", "Chinese")  # CID 5000


@dataclass(frozen=True)
class Identifiers:
    """The unique identifiers of the documents of one version of a report, which follow from the version's own.

    Args:
        sr, pdf, ko: SOP Instance UIDs. sr_series, pdf_series, ko_series: Series Instance UIDs.
    """

    sr: str
    sr_series: str
    pdf: str
    pdf_series: str
    ko: str
    ko_series: str


def identifiers(report_id: str, version: int) -> Identifiers:
    """Give the unique identifiers of a version: derived from a UUID (PS3.5, section B.2), hence the same each time."""

    def derived(what: str) -> str:
        return f"2.25.{uuid.uuid5(_NAMESPACE, f'{report_id}/{version}/{what}').int}"

    kinds = ("sr", "sr-series", "pdf", "pdf-series", "ko", "ko-series")
    return Identifiers(*(derived(kind) for kind in kinds))


def document(
    report: ReportView, author: PractitionerView, basis: StudyBasis, sop_class: str, instance: str, series: str
) -> FileDataset:
    """Give what every document begins with: whose they are, as the images say it, and who made them when."""
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
    dataset.InstitutionName = short(author.institution_name)
    signed = signed_at(report)
    dataset.SeriesDate = dataset.ContentDate = dataset.InstanceCreationDate = signed.strftime("%Y%m%d")
    dataset.SeriesTime = dataset.ContentTime = dataset.InstanceCreationTime = signed.strftime("%H%M%S")
    return dataset


_REQUIRED = {"PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"}
_REQUIRED |= {"AccessionNumber", "ReferringPhysicianName", "StudyID"}


def _copy_header(dataset: Dataset, header: Mapping[str, str]) -> None:
    for keyword, text in header.items():
        if text or keyword in _REQUIRED:  # type 2: present, also where the images do not say it
            setattr(dataset, keyword, text.split("\\") if "\\" in text else text)


def person_name(name: str) -> str:
    """Give a name as a DICOM person name (PS3.5, section 6.2.1): Chinese ones have family and given name in one
    component, where nobody has said which is which."""
    plain = re.sub(r"[\\^=\x00-\x1f]", " ", name).strip()[:64]
    return plain if plain.isascii() else f"={plain}"


def container(concept: Code) -> Dataset:
    """Give a content item that holds others (PS3.3, table C.17-5), still without them."""
    made = Dataset()
    made.ValueType = "CONTAINER"
    made.ConceptNameCodeSequence = [coded(concept)]
    made.ContinuityOfContent = "SEPARATE"
    return made


def root(title: Code, template: str, items: Iterable[Dataset]) -> Dataset:
    """Give the content of a document by a template of PS3.16, in Chinese."""
    made = container(title)
    identification = Dataset()
    identification.MappingResource = "DCMR"
    identification.TemplateIdentifier = template
    made.ContentTemplateSequence = [identification]
    made.ContentSequence = [item("HAS CONCEPT MOD", "CODE", LANGUAGE, ConceptCodeSequence=[coded(CHINESE)]), *items]
    return made


def item(relationship: str, value_type: str, concept: Code | None, **value: object) -> Dataset:
    """Give a content item with its value, by keyword; `concept` is its name, None where the template gives it none."""
    made = Dataset()
    made.RelationshipType = relationship
    made.ValueType = value_type
    if concept is not None:
        made.ConceptNameCodeSequence = [coded(concept)]
    for keyword, given in value.items():
        setattr(made, keyword, given)
    return made


def coded(code: Code) -> Dataset:
    """Give a code as an item of a code sequence."""
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = code
    return made


def references(study_uid: str, instances: Iterable[Reference]) -> Dataset:
    """Give instances of a study as Hierarchical SOP Instance Reference (PS3.3, table C.17-3)."""
    study = Dataset()
    study.StudyInstanceUID = study_uid
    study.ReferencedSeriesSequence = []
    for series_uid, group in groupby(instances, key=lambda one: one.series_uid):
        series = Dataset()
        series.SeriesInstanceUID = series_uid
        series.ReferencedSOPSequence = [reference(one) for one in group]
        study.ReferencedSeriesSequence.append(series)
    return study


def reference(one: Reference) -> Dataset:
    """Give an instance as an item of Referenced SOP Sequence."""
    made = Dataset()
    made.ReferencedSOPClassUID = one.sop_class_uid
    made.ReferencedSOPInstanceUID = one.sop_instance_uid
    return made


def signed_at(report: ReportView) -> datetime:
    """Give when a report was signed, in China's time. Raises ValueError of a draft."""
    if report.signed_at is None:
        raise ValueError("a draft becomes no document")
    return report.signed_at.astimezone(ZONE)


def short(text: str) -> str:
    """Give a text as LO and ST take it: at most 64 characters, on one line, no backslash."""
    return re.sub(r"[\\\x00-\x1f]", " ", text)[:64]


def written(dataset: FileDataset) -> bytes:
    """Give the document as a file."""
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
