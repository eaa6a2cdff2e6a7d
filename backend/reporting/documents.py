"""The documents of a signed report: made once it is signed, put into its study, and read from there.

A row waits for every signed report (`ReportIssue`) from the transaction on in which its event is handled. Whoever
claims it makes the documents and files them; killed anywhere, it is done again, with the same identifiers and bytes,
and what is there already stays. The PDF lies in the study and nowhere else.
"""

import asyncio
import io
from dataclasses import dataclass

import pydicom

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database, after_commit
from backend.errors import NotFound
from backend.events import Event, EventBus
from backend.imaging import ImagingService, InstanceView, KeyImageView, SeriesView, StudyBasis, StudyView
from backend.paper import print_paper
from backend.people import PeopleService, PractitionerView
from backend.print_queue import PrintQueue
from backend.reporting.instances import identifiers
from backend.reporting.keyobjects import key_object_selection, telling
from backend.reporting.paper import paper_of
from backend.reporting.rules import ReportState
from backend.reporting.service import ReportService
from backend.reporting.structured import encapsulated_pdf, structured_report
from backend.reporting.tables import ReportIssue
from backend.reporting.views import ReportView
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Actor

CONSUMER = "report_documents"

_MOST_INSTANCES = 100_000


@dataclass(frozen=True)
class _Matter:
    """Everything that the documents of a report are made of."""

    report: ReportView
    previous: ReportView | None
    author: PractitionerView
    basis: StudyBasis
    key_images: list[KeyImageView]


@dataclass(frozen=True)
class ReportedStudy:
    """A signed report with its study, for other formats; `series` with the instances of each."""

    report: ReportView
    author: PractitionerView
    study: StudyView
    series: tuple[tuple[SeriesView, tuple[InstanceView, ...]], ...]


class ReportDocuments:
    """Makes, files and gives the documents of signed reports.

    Args:
        public_url: how browsers reach the product; the QR code on paper leads there.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        imaging: ImagingService,
        reports: ReportService,
        public_url: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._imaging = imaging
        self._reports = reports
        self._public_url = public_url
        self.queue = PrintQueue(database, clock, ReportIssue.report_id, self._issue)
        events.subscribe(CONSUMER, ["report.signed"], self._on_signed)

    async def pdf(self, actor: Actor, report_id: str) -> bytes:
        """Give a signed report as it is printed, to those who may read it; the read is audited.

        In the moment before it is filed it is made for the reader: the same bytes.

        Raises:
            NotFound: there is no such report, or it is not signed. Forbidden: the policy refuses.
        """
        report = await self.signed(actor, report_id)
        own = identifiers(report.id, report.version)
        filed = await self._imaging.document(SYSTEM, report.study_id, own.pdf)
        if filed is None:
            return await self._print(await self._matter(report_id))
        return await asyncio.to_thread(_unwrapped, filed)

    async def reported_study(self, actor: Actor, report_id: str) -> ReportedStudy:
        """Give a signed report with its study, to those who may read it; the read is audited. Raises: as `pdf`."""
        report = await self.signed(actor, report_id)
        study = await self._imaging.study(actor, report.study_uid, report.consultation_id)
        series = []
        for one in await self._imaging.series_of(study):
            instances = await self._imaging.instances_of(study, one.series_uid, limit=_MOST_INSTANCES)
            series.append((one, tuple(instances)))
        author = await self._people.practitioner(report.author_id)
        return ReportedStudy(report, author, study, tuple(series))

    async def signed(self, actor: Actor, report_id: str) -> ReportView:
        """Give a signed report to those who may read it; the read is audited. Raises: as `pdf`."""
        report = await self._reports.report(actor, report_id)
        if report.state is ReportState.DRAFT:
            raise NotFound("这份报告还没有签发。")
        return report

    async def _on_signed(self, event: Event) -> None:
        async with self._database.transaction() as session:
            session.add(ReportIssue(report_id=event.payload["report_id"], due_at=self._clock.now()))
            after_commit(session, self.queue.wake)

    async def _issue(self, report_id: str) -> None:
        matter = await self._matter(report_id)
        report = matter.report
        own = identifiers(report.id, report.version)
        if await self._imaging.document(SYSTEM, report.study_id, own.sr) is None:
            sr = await asyncio.to_thread(structured_report, report, matter.author, matter.basis, matter.previous)
            await self._imaging.file_document(SYSTEM, report.study_id, sr)
        if await self._imaging.document(SYSTEM, report.study_id, own.pdf) is None:
            pdf = await self._print(matter)
            wrapped = await asyncio.to_thread(encapsulated_pdf, report, matter.author, matter.basis, pdf)
            await self._imaging.file_document(SYSTEM, report.study_id, wrapped)
        if matter.key_images and await self._imaging.document(SYSTEM, report.study_id, own.ko) is None:
            ko = key_object_selection(report, matter.author, matter.basis, matter.key_images)
            await self._imaging.file_document(SYSTEM, report.study_id, ko)
        await self._write_down(report)

    async def _write_down(self, report: ReportView) -> None:
        async with self._database.transaction() as session:
            row = await session.get_one(ReportIssue, report.id, with_for_update=True)
            if row.issued_at is not None:
                return
            row.due_at, row.issued_at = None, self._clock.now()
            subject = f"report:{report.id}"
            await self._audit.record(session, SYSTEM, "report.issue", patient_id=report.patient_id, subject=subject)

    async def _matter(self, report_id: str) -> _Matter:
        report = await self._reports.report(SYSTEM, report_id)
        signed = await self._reports.reports_of(SYSTEM, report.consultation_id)
        before = (report.number, report.version - 1)
        previous = next((one for one in signed if (one.number, one.version) == before), None)
        if report.signed_at is None:
            raise ValueError("a draft becomes no document")
        author = await self._people.practitioner(report.author_id)
        basis = await self._imaging.basis(SYSTEM, report.study_id, report.signed_at)
        marked = await self._imaging.key_images(SYSTEM, report.consultation_id)
        return _Matter(report, previous, author, basis, telling(report, basis, marked))

    async def _print(self, matter: _Matter) -> bytes:
        report = matter.report
        patient = await self._people.person(SYSTEM, report.patient_id)
        reference = await self._consultations.reference(report.consultation_id)
        if reference is None:
            raise NotFound("没有找到这次会诊。")
        requester = await self._people.institution(reference.institution_id)
        paper = paper_of(
            report,
            matter.author,
            patient,
            requester=requester.name,
            consultation_number=reference.number,
            study_date=matter.basis.header["StudyDate"],
            address=f"{self._public_url}/verify/{report.code}",
        )
        return await self.queue.printer.run(print_paper, paper)


def _unwrapped(file: bytes) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(file))
    return bytes(dataset.EncapsulatedDocument)[: int(dataset.EncapsulatedDocumentLength)]
