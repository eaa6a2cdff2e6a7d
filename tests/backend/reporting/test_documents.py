"""What is signed becomes a structured report and a PDF in the study, once, and travels to the expert's PACS."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pydicom
import pypdfium2
import pytest
import pytest_asyncio
import zxingcpp
from pydicom import uid
from pydicom.dataset import FileDataset
from sqlalchemy import select

from backend.errors import Forbidden, NotFound
from backend.imaging import Reason, StoreAddress, StowAddress, Unacceptable
from backend.imaging.tables import ImagingInstance, ImagingStudy, sealed_object
from backend.reporting import ReportDocuments, ReportView
from backend.reporting.structured import encapsulated_pdf, structured_report
from backend.reporting.tables import ReportIssue
from backend.security.policy import SYSTEM
from backend.security.tables import AuditEntry
from tests.backend.reporting.conftest import ReportDesk
from tests.support.dying import Forked
from tests.support.imaging import as_file, ct_slice, documents_on, of_patient, streamed
from tests.support.killable_reports import STEPS
from tests.support.killable_reports import main as issuing
from tests.support.orthanc import AE_TITLE, AUTHORIZATION, running_orthanc
from tests.support.requirements import require_program


@pytest_asyncio.fixture
async def documents(desk: ReportDesk) -> AsyncIterator[ReportDocuments]:
    """The documents of the reports of that desk."""
    made = documents_on(desk.clinic, desk.imaging, desk.reports)
    yield made
    made.queue.close()


async def hear(desk: ReportDesk) -> None:
    while await desk.clinic.events.dispatch():
        pass


async def issued(desk: ReportDesk, documents: ReportDocuments) -> ReportView:
    """Sign a report, and let its documents be made."""
    signed = await desk.signed()
    await hear(desk)
    assert await documents.queue.make_next()
    return signed


async def amended(desk: ReportDesk, documents: ReportDocuments, report: ReportView) -> ReportView:
    draft = await desk.reports.amend(desk.expert, report.id, "补充对比旧片")
    second = await desk.reports.sign(desk.expert, draft.id, revision=draft.revision)
    await hear(desk)
    assert await documents.queue.make_next()
    return second


async def filed(desk: ReportDesk) -> dict[str, list[bytes]]:
    """Every document in the store, by its modality, in the order of their filing."""
    found: dict[str, list[bytes]] = {"SR": [], "DOC": [], "KO": []}
    async with desk.clinic.database.reading() as session:
        query = select(ImagingInstance).where(ImagingInstance.sender_id == "").order_by(ImagingInstance.id)
        rows = (await session.scalars(query)).all()
    for row in rows:
        file = b"".join([piece async for piece in desk.imaging._objects.get(sealed_object(row))])
        found[pydicom.dcmread(io.BytesIO(file)).Modality].append(file)
    return found


def read(file: bytes) -> FileDataset:
    return pydicom.dcmread(io.BytesIO(file))


async def dcmtk_reads(program: str, file: bytes, folder: Path, *options: str) -> str:
    """Let a program of dcmtk read a file; what it says."""
    path = folder / "document.dcm"
    path.write_bytes(file)
    process = await asyncio.create_subprocess_exec(
        require_program(program),
        *options,
        path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode(errors="replace")
    return said.decode()


async def test_a_signed_report_becomes_a_structured_one_that_dcmtk_reads(
    desk: ReportDesk, documents: ReportDocuments, tmp_path: Path
) -> None:
    signed = await issued(desk, documents)
    [file] = (await filed(desk))["SR"]
    said = await dcmtk_reads("dsrdump", file, tmp_path, "+Pl", "+Pc", "+Pt")
    for part in (
        "Basic Text SR Document",
        "TID 2000 (DCMR)",
        '(59776-5,LN,"Findings")',
        '(19005-8,LN,"Impressions")',
        signed.findings,
        signed.impression,
        "Preliminary Flag    : FINAL",
        "Completion Flag     : COMPLETE",
        "Verification Flag   : VERIFIED",
        "张强",
    ):
        assert part in said
    assert "Warning" not in said
    assert "Error" not in said


async def test_the_documents_say_of_the_patient_what_the_images_say(
    desk: ReportDesk, documents: ReportDocuments
) -> None:
    signed = await issued(desk, documents)
    image = ct_slice(1, StudyDescription="胸部CT", **of_patient("王小明", sex="M"))
    everything = await filed(desk)
    for file in (*everything["SR"], *everything["DOC"]):
        document = read(file)
        assert document.SpecificCharacterSet == "ISO_IR 192"
        assert signed.number.startswith(f"{document.AccessionNumber}-")
        for name in ("PatientName", "PatientSex", "PatientID", "PatientBirthDate", "PatientAge", "PatientWeight"):
            assert getattr(document, name, None) == getattr(image, name, None), name
        for name in ("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription"):
            assert getattr(document, name, None) == getattr(image, name, None), name
    [evidence] = read(everything["SR"][0]).CurrentRequestedProcedureEvidenceSequence
    [series] = evidence.ReferencedSeriesSequence
    assert [one.ReferencedSOPInstanceUID for one in series.ReferencedSOPSequence] == [
        ct_slice(number).SOPInstanceUID for number in (1, 2)
    ]


async def test_the_printed_page_says_everything_and_its_code_leads_to_the_check(
    desk: ReportDesk, documents: ReportDocuments
) -> None:
    signed = await issued(desk, documents)
    [file] = (await filed(desk))["DOC"]
    printed = await documents.pdf(desk.patient, signed.id)
    document = read(file)
    assert document.EncapsulatedDocument[: document.EncapsulatedDocumentLength] == printed
    page = pypdfium2.PdfDocument(printed)[0]
    words = page.get_textpage().get_text_range()
    for part in ("影像诊断报告单", "王小明", "胸部CT平扫", signed.number, signed.findings, signed.impression):
        assert part in words
    assert "第1页" in words
    [code] = zxingcpp.read_barcodes(page.render(scale=2).to_pil())
    assert code.text == f"https://qiaoyi.example/verify/{signed.code}"
    assert code.ec_level == "M"


async def test_an_amended_report_names_the_one_before_and_both_stay(
    desk: ReportDesk, documents: ReportDocuments, tmp_path: Path
) -> None:
    first = await issued(desk, documents)
    second = await amended(desk, documents, first)
    one, two = (await filed(desk))["SR"]
    [study] = read(two).PredecessorDocumentsSequence
    [reference] = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert reference.ReferencedSOPInstanceUID == read(one).SOPInstanceUID
    assert "补充对比旧片" in await dcmtk_reads("dsrdump", two, tmp_path)
    words = pypdfium2.PdfDocument(await documents.pdf(desk.doctor, second.id))[0].get_textpage().get_text_range()
    assert "第2版（代替第1版）" in words
    assert "补充对比旧片" in words
    assert await documents.pdf(desk.doctor, first.id) != await documents.pdf(desk.doctor, second.id)


async def test_making_them_again_changes_nothing(desk: ReportDesk, documents: ReportDocuments) -> None:
    signed = await issued(desk, documents)
    before = await filed(desk)
    async with desk.clinic.database.transaction() as session:
        row = await session.get_one(ReportIssue, signed.id)
        row.due_at = desk.clinic.clock.now()
    late = ct_slice(3, **of_patient("王小明", sex="M"))
    new = await desk.imaging.register_stow_sender(SYSTEM, desk.clinic.township, "放射科CT2")
    machine = await desk.imaging.sender_of_token(new.token)
    assert machine is not None
    desk.clinic.clock.advance(timedelta(seconds=1))
    await desk.imaging.receive(machine, streamed(as_file(late)))
    matter = await documents._matter(signed.id)
    report, author, basis = matter.report, matter.author, matter.basis
    assert before["SR"] == [structured_report(report, author, basis, None)]
    assert before["DOC"] == [encapsulated_pdf(report, author, basis, await documents._print(matter))]
    for file in (*before["SR"], *before["DOC"]):
        assert (await desk.imaging.file_document(SYSTEM, signed.study_id, file)).known
    assert await documents.queue.make_next()
    assert await filed(desk) == before
    assert not await documents.queue.make_next()


async def test_the_pdf_is_there_for_a_reader_before_it_is_filed(desk: ReportDesk, documents: ReportDocuments) -> None:
    signed = await desk.signed()
    early = await documents.pdf(desk.patient, signed.id)
    await hear(desk)
    await documents.queue.make_next()
    assert await documents.pdf(desk.patient, signed.id) == early


async def test_a_draft_has_no_paper_and_a_stranger_gets_none(desk: ReportDesk, documents: ReportDocuments) -> None:
    draft = await desk.written()
    with pytest.raises(NotFound):
        await documents.pdf(desk.expert, draft.id)
    signed = await desk.reports.sign(desk.expert, draft.id, revision=draft.revision)
    stranger = await desk.clinic.patient("赵强")
    with pytest.raises(Forbidden):
        await documents.pdf(stranger, signed.id)
    await documents.pdf(desk.patient, signed.id)
    async with desk.clinic.database.reading() as session:
        query = select(AuditEntry.actor_id).where(
            AuditEntry.subject == f"report:{signed.id}", AuditEntry.action == "report.read"
        )
        assert desk.patient.person_id in list(await session.scalars(query))


async def test_documents_land_in_the_very_study_and_in_no_other_of_its_name(
    desk: ReportDesk, documents: ReportDocuments
) -> None:
    new = await desk.imaging.register_stow_sender(SYSTEM, desk.clinic.township, "放射科CT2")
    machine = await desk.imaging.sender_of_token(new.token)
    assert machine is not None
    of_another = ct_slice(9, **of_patient("赵强", sex="F"))
    await desk.imaging.receive(machine, streamed(as_file(of_another)))
    signed = await issued(desk, documents)
    [sr] = (await filed(desk))["SR"]
    async with desk.clinic.database.reading() as session:
        studies = {row.id: row.variant for row in await session.scalars(select(ImagingStudy))}
        query = select(ImagingInstance.study_id).where(ImagingInstance.sender_id == "")
        assert set(await session.scalars(query)) == {signed.study_id}
    [other] = set(studies) - {signed.study_id}
    with pytest.raises(Unacceptable) as refused:
        await desk.imaging.file_document(SYSTEM, other, sr)
    assert refused.value.reason is Reason.OTHER_STUDY
    with pytest.raises(Forbidden):
        await desk.imaging.file_document(desk.expert, signed.study_id, sr)


@pytest.mark.parametrize("protocol", ["STOW-RS", "C-STORE"])
async def test_the_documents_reach_the_pacs_and_nobody_hears_of_images(
    desk: ReportDesk, documents: ReportDocuments, protocol: str
) -> None:
    async with running_orthanc() as orthanc:
        stow = StowAddress(orthanc.url, AUTHORIZATION)
        store = StoreAddress("127.0.0.1", orthanc.dicom_port, AE_TITLE)
        pacs = stow if protocol == "STOW-RS" else store
        await desk.imaging.register_destination(SYSTEM, desk.clinic.hospital, "县医院PACS", pacs)
        await desk.clinic.pass_time(timedelta(minutes=2))
        await hear(desk)
        await desk.imaging.forward_waiting()
        arrived = await desk.clinic.published("imaging.study_arrived")
        finished = await desk.clinic.published("imaging.transfer_finished")
        assert [event["instances"] for event in arrived] == [2]
        assert [(event["arrived"], event["total"]) for event in finished] == [(2, 2)]
        await issued(desk, documents)
        await hear(desk)
        await desk.imaging.forward_waiting()
        held = {one.SOPClassUID: one for one in await orthanc.instances()}
        assert set(held) == {uid.CTImageStorage, uid.BasicTextSRStorage, uid.EncapsulatedPDFStorage}
        assert len(await orthanc.uids()) == 4
        assert held[uid.EncapsulatedPDFStorage].EncapsulatedDocument.startswith(b"%PDF")
        await desk.clinic.pass_time(timedelta(minutes=2))
        await hear(desk)
        assert await desk.clinic.published("imaging.study_arrived") == arrived
        assert await desk.clinic.published("imaging.transfer_finished") == finished
        [view] = await desk.imaging.transfers(SYSTEM, desk.case_id)
        assert (view.arrived, view.total) == (2, 2)
        study = await desk.imaging.study(desk.expert, desk.study_uid)
        assert (study.images, study.instances, study.modalities) == (2, 4, ("CT", "DOC", "SR"))


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_killed_while_it_issues_leaves_each_document_once(
    desk: ReportDesk, documents: ReportDocuments, database_url: str, tmp_path: Path, step: str
) -> None:
    await desk.mark(1)
    signed = await desk.signed()
    assert await Forked(issuing, database_url, tmp_path, step).ended() == -9
    await hear(desk)
    desk.clinic.clock.advance(timedelta(minutes=5))
    assert await documents.queue.make_next() == (step != "everything written down")
    assert not await documents.queue.make_next()
    everything = await filed(desk)
    assert [len(files) for files in everything.values()] == [1, 1, 1]
    async with desk.clinic.database.reading() as session:
        query = select(AuditEntry).where(
            AuditEntry.subject == f"report:{signed.id}", AuditEntry.action == "report.issue"
        )
        assert len((await session.scalars(query)).all()) == 1
    assert len(await desk.clinic.published("imaging.document_filed")) == 3


async def test_what_cannot_be_issued_now_is_tried_again(
    desk: ReportDesk, documents: ReportDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await desk.signed()
    await hear(desk)

    async def full(*_given: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(desk.imaging._objects, "put_whole", full)
        assert await documents.queue.make_next()
        assert not await documents.queue.make_next()
    desk.clinic.clock.advance(timedelta(seconds=10))
    assert await documents.queue.make_next()
    assert [len(files) for files in (await filed(desk)).values()] == [1, 1, 0]
    assert await documents.pdf(desk.doctor, signed.id)
