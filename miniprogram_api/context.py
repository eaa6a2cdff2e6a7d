"""What the endpoints may use of the house."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.clock import Clock
from backend.limits import RateLimits
from backend.messaging.identities import Identities
from miniprogram_api.address import Networks
from miniprogram_api.login import Code2Session
from miniprogram_api.sessions import Sessions
from miniprogram_api.web_login import WebLogin

if TYPE_CHECKING:
    from backend.charging import ChargingService
    from backend.consultation import ConsultationService
    from backend.imaging import ImagingService
    from backend.invoicing import InvoicingService
    from backend.people.service import PeopleService
    from backend.prescription import PrescriptionPapers, PrescriptionService
    from backend.records.facade import Facade
    from backend.records.hospital.history import HistoryService
    from backend.records.monitoring.service import MonitoringService
    from backend.reporting import CriticalValueService, ReportDocuments, ReportService
    from backend.rights import DataCopies
    from backend.scheduling import SchedulingService
    from backend.teaching_cases import TeachingCaseService
    from backend.video.rooms import RoomAdmission
    from backend.video.service import VideoService
    from miniprogram_api.pay import ChargeDesk


@dataclass(frozen=True)
class Context:
    """The use cases, and how a login becomes a person.

    Attributes:
        identities: gives the person behind a login: the one who talks with the official account where WeChat's union id
            says so, else the mini-program's own person, made at the first login.
        sessions: tokens of the mini-program.
        web_login: tells who opens a page inside WeChat; `account_channel` is the channel on which they are known.
        mint: makes the token that a room's WebSocket takes.
        public_url: how browsers reach the product.
        calendar_links: tokens that open one booking's calendar file.
        invoice_links: tokens that open one receipt. `invoicing` is None where nothing is charged.
        recording_links: tokens that open one track of a recording for a while.
        report_links: tokens that open the PDF of one report for a while.
        copy_links: tokens that fetch the copy of one person's data for a while.
        prescription_links: tokens that open the PDF of one prescription for a while.
        trusted_proxies: whose word is believed about the address of whoever asks.
        charges, charging: what the pay page asks, and what charges bookings; None where nothing is charged.
        limits: how often one person asked lately; more than `requests_a_minute` are refused.
    """

    people: "PeopleService"
    consultations: "ConsultationService"
    scheduling: "SchedulingService"
    video: "VideoService"
    imaging: "ImagingService"
    reports: "ReportService"
    critical_values: "CriticalValueService"
    teaching_cases: "TeachingCaseService"
    documents: "ReportDocuments"
    prescriptions: "PrescriptionService"
    papers: "PrescriptionPapers"
    invoicing: "InvoicingService | None"
    monitoring: "MonitoringService"
    history: "HistoryService"
    facade: "Facade"
    mint: Callable[["RoomAdmission"], str]
    web_login: WebLogin
    account_channel: str
    public_url: str
    code2session: Code2Session
    identities: Identities
    sessions: Sessions
    calendar_links: Sessions
    invoice_links: Sessions
    recording_links: Sessions
    report_links: Sessions
    prescription_links: Sessions
    copies: "DataCopies"
    copy_links: Sessions
    clock: Clock
    limits: RateLimits
    trusted_proxies: Networks = ()
    charges: "ChargeDesk | None" = None
    charging: "ChargingService | None" = None
    requests_a_minute: int = 120
