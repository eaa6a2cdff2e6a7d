"""The house put together: every room's parts, made once for one process, in the order in which they need each other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from backend.analytics import AnalyticsService
from backend.charging import ChargingService, ReconciliationService
from backend.clock import Clock
from backend.console import ConsoleService
from backend.consultation import ConsultationService
from backend.db import Database, install_key_ring
from backend.dispensing import DispensingService
from backend.dispensing.reminders_prescribed import PrescribedReminders
from backend.events import EventBus
from backend.files import FileStore
from backend.help_desk import HelpDesk
from backend.imaging import FolderStore, ImagingService, ObjectStore, SealedObjects
from backend.imaging.remotestore import RemoteStore
from backend.insurance.insurer import Insurer
from backend.insurance.national import NationalInsurer
from backend.invoicing import InvoicingService
from backend.ledger import LedgerService
from backend.messaging.outbox import OutboxService
from backend.messaging.undelivered import UndeliveredService
from backend.operations import Operations
from backend.payment.inbox import PaymentInbox
from backend.payment.wechat_pay import WeChatPay
from backend.people import PeopleService
from backend.prescription import Formulary, PrescriptionPapers, PrescriptionService
from backend.records import RecordService
from backend.records.facade import Facade
from backend.records.hospital.history import HistoryService
from backend.records.hospital.registry import Hospitals
from backend.records.hospital.writeback import WriteBack
from backend.records.monitoring.service import MonitoringService
from backend.records.slips.service import SlipService
from backend.remuneration import RemunerationService
from backend.reporting import CriticalValueService, ReportDocuments, ReportService
from backend.research import ResearchExports
from backend.rights import AccessHistory, Amendments, DataCopies, Erasures
from backend.scheduling import SchedulingService
from backend.security.audit import AuditLog
from backend.security.audit_heads import HeadFolder
from backend.security.keyring import KeyRing
from backend.signing import SigningService
from backend.surveillance.service import SurveillanceService
from backend.teaching_cases import TeachingCaseService
from backend.timers import Timers
from backend.video.service import VideoService
from miniprogram_api.pay import ChargeDesk
from miniprogram_api.payment_notifications import NOTIFICATIONS
from qiaoyi.fhir import WRITTEN_AFTER, make_facade, written_sources
from qiaoyi.keyfile import open_ring
from qiaoyi.money import make_charging
from qiaoyi.settings import Settings, SettingsError


@dataclass(frozen=True)
class House:
    """The hospital part of one process, without WeChat.

    Attributes:
        payments, payment_inbox: where money is taken, and what is told of it; None where nothing is charged.
        charges: what the pay page asks; None where nothing is charged.
    """

    settings: Settings
    ring: KeyRing
    clock: Clock
    database: Database
    events: EventBus
    timers: Timers
    audit: AuditLog
    audit_heads: HeadFolder
    people: PeopleService
    scheduling: SchedulingService
    files: FileStore
    consultations: ConsultationService
    video: VideoService
    imaging: ImagingService
    records: RecordService
    monitoring: MonitoringService
    reminders: PrescribedReminders
    slips: SlipService
    reports: ReportService
    critical_values: CriticalValueService
    documents: ReportDocuments
    signing: SigningService
    prescriptions: PrescriptionService
    papers: PrescriptionPapers
    dispensing: DispensingService
    charging: ChargingService | None
    reconciliation: ReconciliationService | None
    remuneration: RemunerationService | None
    invoicing: InvoicingService | None
    hospitals: Hospitals
    history: HistoryService
    write_back: WriteBack
    facade: Facade
    accesses: AccessHistory
    copies: DataCopies
    amendments: Amendments
    erasures: Erasures
    help_desk: HelpDesk
    insurer: Insurer | None
    payments: WeChatPay | None
    payment_inbox: PaymentInbox | None
    console: ConsoleService
    analytics: AnalyticsService
    surveillance: SurveillanceService
    undelivered: UndeliveredService
    operations: Operations
    exports: ResearchExports
    teaching_cases: TeachingCaseService
    charges: ChargeDesk | None = None


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """Give the house that `settings` describe; its connections are closed with the block.

    Raises:
        SettingsError: the data folder or the key file cannot be used.
    """
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"setting data: {error}") from None
    clock = Clock()
    store = object_store(settings)
    payments = open_payments(settings, clock)
    database = Database(settings.database, settings.database_pool_size)
    imaging: ImagingService | None = None
    documents: ReportDocuments | None = None
    papers: PrescriptionPapers | None = None
    hospitals: Hospitals | None = None
    slips: SlipService | None = None
    surveillance: SurveillanceService | None = None
    insurer = NationalInsurer(database, clock, settings.insurer) if settings.insurer else None
    invoicing: InvoicingService | None = None
    analytics: AnalyticsService | None = None
    files = FileStore(database, settings.data / "files", clock)
    try:
        ring = await open_ring(settings, database)
        install_key_ring(ring)
        events = EventBus(database, clock)
        timers = Timers(database, clock)
        heads = HeadFolder(settings.audit_heads_folder, ring)
        audit = AuditLog(database, clock, heads)
        people = PeopleService(database, clock, events, audit)
        scheduling = SchedulingService(database, clock, timers, audit, people)
        consultations = ConsultationService(database, clock, events, timers, audit, people, scheduling, files)
        records = RecordService(database, clock, events, audit, people, consultations)
        slips = SlipService(database, clock, events, audit, people, files, records)
        objects = SealedObjects(store)
        imaging = ImagingService(database, clock, events, timers, audit, people, consultations, objects, files)
        surveillance = SurveillanceService(database, clock, events, timers, audit, people, consultations)
        reports = ReportService(database, clock, events, audit, people, consultations, imaging)
        critical_values = CriticalValueService(timers, database, clock, events, audit, people, consultations, imaging)
        documents = ReportDocuments(
            database, clock, events, audit, people, consultations, imaging, reports, settings.public
        )
        signing = SigningService(database, clock, audit, people)
        prescriptions = PrescriptionService(
            database,
            clock,
            events,
            timers,
            audit,
            people,
            consultations,
            records,
            signing,
            Formulary(limits=settings.prescribing),
            settings.prescription_days,
        )
        papers = PrescriptionPapers(database, clock, events, prescriptions, signing, settings.public)
        hospitals = Hospitals(database, clock, audit, people)
        history = HistoryService(database, clock, events, audit, people, consultations, records, hospitals)
        write_back = WriteBack(
            database,
            clock,
            events,
            audit,
            people,
            consultations,
            hospitals,
            written_sources(database, people, imaging, prescriptions.formulary, settings.public),
            WRITTEN_AFTER,
        )
        facade = make_facade(database, clock, audit, people, imaging, prescriptions.formulary, settings.public)
        exports = ResearchExports(database, clock, timers, audit, people, consultations, settings.research_k)
        ledger = LedgerService(database, clock)
        charging = make_charging(
            database,
            clock,
            events,
            timers,
            audit,
            people,
            scheduling,
            consultations,
            ledger,
            insurer=insurer,
            payments=payments,
        )
        inbox = None if payments is None else PaymentInbox(database, clock, payments)
        reconciliation = remuneration = None
        if charging is not None and insurer is not None and payments is not None:
            reconciliation = ReconciliationService(database, clock, audit, people, ledger, insurer, payments, charging)
            if inbox is not None:
                inbox.handled_by(charging.take)
            remuneration = RemunerationService(
                database, clock, events, timers, audit, people, consultations, reports, ledger, charging
            )
            invoicing = InvoicingService(database, clock, audit, consultations, signing, charging)
        analytics = AnalyticsService(database, clock, events, timers, audit, people, consultations, charging)
        amendments = Amendments(database, clock, events, timers, audit, people, consultations, reports)
        yield House(
            settings=settings,
            ring=ring,
            clock=clock,
            database=database,
            events=events,
            timers=timers,
            audit=audit,
            audit_heads=heads,
            people=people,
            scheduling=scheduling,
            files=files,
            consultations=consultations,
            video=VideoService(
                database,
                clock,
                events,
                timers,
                audit,
                people,
                consultations,
                files,
                keep_recordings=timedelta(days=settings.recording_days),
            ),
            imaging=imaging,
            records=records,
            monitoring=MonitoringService(database, clock, events, timers, audit, people, consultations, records),
            reminders=PrescribedReminders(database, clock, events, timers, audit, consultations, prescriptions),
            slips=slips,
            reports=reports,
            critical_values=critical_values,
            documents=documents,
            signing=signing,
            prescriptions=prescriptions,
            papers=papers,
            dispensing=DispensingService(database, clock, events, timers, audit, people, consultations, prescriptions),
            charging=charging,
            reconciliation=reconciliation,
            remuneration=remuneration,
            invoicing=invoicing,
            hospitals=hospitals,
            history=history,
            write_back=write_back,
            facade=facade,
            accesses=AccessHistory(audit, people, consultations),
            copies=DataCopies(database, clock, audit, people, consultations, amendments, facade),
            amendments=amendments,
            erasures=Erasures(database, clock, events, timers, audit, files),
            help_desk=HelpDesk(database, events),
            insurer=insurer,
            payments=payments,
            payment_inbox=inbox,
            charges=charging,
            console=ConsoleService(database, clock, audit),
            analytics=analytics,
            surveillance=surveillance,
            undelivered=UndeliveredService(database, clock, audit, people, OutboxService(database, clock)),
            operations=Operations(database, clock),
            exports=exports,
            teaching_cases=TeachingCaseService(database, clock, events, timers, audit, people, consultations, reports),
        )
    finally:
        if insurer is not None:
            await insurer.close()
        if payments is not None:
            await payments.close_connections()
        if hospitals is not None:
            await hospitals.close()
        if papers is not None:
            papers.queue.close()
        if documents is not None:
            documents.queue.close()
        for with_processes in (imaging, invoicing, analytics, slips, surveillance):
            if with_processes is not None:
                with_processes.close()
        files.close()
        await database.close()


def object_store(settings: Settings) -> ObjectStore:
    """Give where images lie. Raises SettingsError where its address is none."""
    if not settings.imaging_store:
        return FolderStore(settings.data / "imaging")
    try:
        return RemoteStore.at(settings.imaging_store)
    except Exception as error:  # the library raises what its parts raise; none of it may be shown, it may hold a key
        raise SettingsError(f"setting imaging_store: is no address of a store ({type(error).__name__})") from None


def open_payments(settings: Settings, clock: Clock) -> WeChatPay | None:
    """Give who takes the money; None where nothing is charged. Raises SettingsError where its keys cannot be used."""
    if settings.payment is None:
        return None
    try:
        return WeChatPay(settings.payment, clock, settings.public + NOTIFICATIONS)
    except ValueError as error:
        raise SettingsError(f"setting payment.{error}") from None
