"""Key images become a Key Object Selection with the report, which other systems read, and travel with it."""

from pathlib import Path
from typing import Any

from pydicom import uid

from backend.imaging import KeyImageView, Reference, StowAddress
from backend.reporting import ReportDocuments
from backend.reporting.keyobjects import key_object_selection
from backend.security.policy import SYSTEM
from tests.backend.reporting.conftest import ReportDesk
from tests.backend.reporting.test_documents import amended, dcmtk_reads, documents, filed, issued, read
from tests.support.imaging import ct_slice
from tests.support.orthanc import AUTHORIZATION, running_orthanc

__all__ = ["documents"]


def chosen(document: Any) -> list[str]:
    """The instances that a selection names, in its order."""
    images = [one for one in document.ContentSequence if one.ValueType == "IMAGE"]
    return [one.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for one in images]


async def test_key_images_become_a_selection_of_interest_that_dcmtk_reads(
    desk: ReportDesk, documents: ReportDocuments, tmp_path: Path
) -> None:
    await desk.mark(2, 1)
    await issued(desk, documents)
    [file] = (await filed(desk))["KO"]
    selection = read(file)
    assert (selection.SOPClassUID, selection.Modality) == (uid.KeyObjectSelectionDocumentStorage, "KO")
    [title] = selection.ConceptNameCodeSequence
    assert (title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning) == ("113000", "DCM", "Of Interest")
    assert chosen(selection) == [ct_slice(2).SOPInstanceUID, ct_slice(1).SOPInstanceUID]
    [study] = selection.CurrentRequestedProcedureEvidenceSequence
    [series] = study.ReferencedSeriesSequence
    assert (study.StudyInstanceUID, series.SeriesInstanceUID) == (desk.study_uid, ct_slice(1).SeriesInstanceUID)
    assert {one.ReferencedSOPInstanceUID for one in series.ReferencedSOPSequence} == set(chosen(selection))
    assert selection.PatientName == ct_slice(1, PatientName="王小明").PatientName
    said = await dcmtk_reads("dsrdump", file, tmp_path, "+Pl", "+Pc", "+Pt")
    assert "Key Object Selection Document" in said
    assert "标记人：张强专家" in said
    assert "Warning" not in said
    assert "Error" not in said


async def test_a_report_without_key_images_makes_no_selection(desk: ReportDesk, documents: ReportDocuments) -> None:
    await issued(desk, documents)
    assert (await filed(desk))["KO"] == []


async def test_what_is_marked_after_the_signature_waits_for_the_next_version(
    desk: ReportDesk, documents: ReportDocuments
) -> None:
    await desk.mark(1)
    first = await issued(desk, documents)
    await desk.mark(2)
    await amended(desk, documents, first)
    one, two = [read(file) for file in (await filed(desk))["KO"]]
    assert [len(chosen(selection)) for selection in (one, two)] == [1, 2]
    assert one.SOPInstanceUID != two.SOPInstanceUID


async def test_one_frame_of_several_is_named_by_its_number(desk: ReportDesk, documents: ReportDocuments) -> None:
    report = await desk.signed()
    assert report.signed_at is not None
    basis = await desk.imaging.basis(SYSTEM, report.study_id, report.signed_at)
    film = Reference("1.2.3", uid.UltrasoundMultiFrameImageStorage, "1.2.3.4", "US", 30)
    [author] = [await desk.clinic.people.practitioner(report.author_id)]
    marks = [
        KeyImageView("k", desk.study_uid, "1.2.3", "1.2.3.4", frame, None, False, "张强专家", report.signed_at, None)
        for frame in (7, 12)
    ]
    widened = type(basis)(basis.study_uid, basis.header, (*basis.evidence, film), basis.body_part)
    selection = read(key_object_selection(report, author, widened, marks))
    images = [one.ReferencedSOPSequence[0] for one in selection.ContentSequence if one.ValueType == "IMAGE"]
    assert [one.ReferencedFrameNumber for one in images] == [7, 12]
    [study] = selection.CurrentRequestedProcedureEvidenceSequence
    assert [len(one.ReferencedSOPSequence) for one in study.ReferencedSeriesSequence] == [1]


async def test_it_travels_to_the_experts_pacs(desk: ReportDesk, documents: ReportDocuments) -> None:
    async with running_orthanc() as orthanc:
        address = StowAddress(orthanc.url, AUTHORIZATION)
        await desk.imaging.register_destination(SYSTEM, desk.clinic.hospital, "县医院PACS", address)
        await desk.mark(1)
        await issued(desk, documents)
        while await desk.clinic.events.dispatch():
            pass
        await desk.imaging.forward_waiting()
        there = {one.Modality for one in await orthanc.instances()}
    assert there == {"CT", "SR", "DOC", "KO"}
