"""The key images of a study as other systems read them: a Key Object Selection, made with the report. Pure functions.

What it says of each image is that it is of interest; how it was seen (window, inversion) is not part of it.
"""

from collections.abc import Iterable, Sequence

from pydicom import uid
from pydicom.dataset import Dataset

from backend.imaging import KeyImageView, Reference, StudyBasis
from backend.people import PractitionerView
from backend.reporting.instances import (
    SERIES_NUMBER,
    Code,
    document,
    identifiers,
    item,
    reference,
    references,
    root,
    signed_at,
    written,
)
from backend.reporting.views import ReportView

OF_INTEREST: Code = ("113000", "DCM", "Of Interest")  # CID 7010
DESCRIPTION: Code = ("113012", "DCM", "Key Object Description")  # TID 2010


def telling(report: ReportView, basis: StudyBasis, marked: Iterable[KeyImageView]) -> list[KeyImageView]:
    """Give the key images that stand in a report's study and had been marked when it was signed, in that order."""
    there = {one.sop_instance_uid for one in basis.evidence}
    at = signed_at(report)
    return [one for one in marked if one.sop_instance_uid in there and one.marked_at <= at]


def key_object_selection(
    report: ReportView, author: PractitionerView, basis: StudyBasis, marked: Sequence[KeyImageView]
) -> bytes:
    """Give key images as a Key Object Selection Document (PS3.3, A.35.4) by template TID 2010 of PS3.16.

    Args:
        report: signed. author: who signed it. basis: of the study as it was then.
        marked: at least one, all of this study.
    """
    own = identifiers(report.id, report.version)
    dataset = document(report, author, basis, uid.KeyObjectSelectionDocumentStorage, own.ko, own.ko_series)
    dataset.Modality = "KO"
    dataset.SeriesNumber = SERIES_NUMBER["ko"]
    dataset.SeriesDescription = "关键图"
    dataset.ReferencedPerformedProcedureStepSequence = []
    known = {one.sop_instance_uid: one for one in basis.evidence}
    wanted = {one.sop_instance_uid for one in marked}
    evidence = [one for one in basis.evidence if one.sop_instance_uid in wanted]
    dataset.CurrentRequestedProcedureEvidenceSequence = [references(basis.study_uid, evidence)]
    markers = "、".join(dict.fromkeys(one.marker for one in marked))
    told = item("CONTAINS", "TEXT", DESCRIPTION, TextValue=f"标记人：{markers}")
    images = [_image(known[one.sop_instance_uid], one.frame) for one in marked]
    dataset.update(root(OF_INTEREST, "2010", [told, *images]))
    return written(dataset)


def _image(one: Reference, frame: int) -> Dataset:
    """Give an image, or a frame of one that has several, as a content item (PS3.3, C.18.4)."""
    image = reference(one)
    if one.frames > 1:
        image.ReferencedFrameNumber = frame
    return item("CONTAINS", "IMAGE", None, ReferencedSOPSequence=[image])
