"""What the conversations may use of the house, handed to every turn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from backend.clock import Clock
from backend.help_desk import HelpDesk

if TYPE_CHECKING:
    from backend.charging import ChargingService
    from backend.consultation.service import ConsultationService
    from backend.dispensing import DispensingService
    from backend.dispensing.reminders_prescribed import PrescribedReminders
    from backend.files import FileStore
    from backend.imaging import ImagingService
    from backend.people.service import PeopleService
    from backend.prescription import PrescriptionService
    from backend.records import RecordService
    from backend.records.hospital.history import HistoryService
    from backend.records.monitoring.service import MonitoringService
    from backend.records.slips.service import SlipService
    from backend.remuneration import RemunerationService
    from backend.reporting import CriticalValueService, ReportService
    from backend.rights import AccessHistory, Amendments, Erasures
    from backend.scheduling.service import SchedulingService
    from backend.teaching_cases import TeachingCaseService
    from backend.video.service import VideoService
    from bot.outbox import Outbox


class Links(Protocol):
    """Makes the addresses of pages that a card may open."""

    def calendar(self, booking: Any) -> str:
        """Give the address of the calendar file of `booking` (`/h5/bookings/{token}.ics`)."""

    def data_copy(self, person_id: str) -> str:
        """Give the address at which a person fetches the copy of their data; it opens for half an hour."""

    def room(self, consultation_id: str) -> str:
        """Give the address of the page of a consultation's video room; it opens for those who take part alone."""

    def recordings(self, consultation_id: str) -> str:
        """Give the address of the page of a consultation's recordings, for the same people."""

    def viewer(self, consultation_id: str) -> str:
        """Give the address of the page of a consultation's images, for the same people."""

    def reports(self, consultation_id: str) -> str:
        """Give the address of the page on which the reports of its images are written and read, for the same people."""

    def prescription(self, prescription_id: str) -> str:
        """Give the address of the page of a prescription, for its patient and those who wrote and reviewed it."""

    def verification(self, code: str) -> str:
        """Give the address of the public page that says what the paper with this code should say."""

    def pay(self, charge_id: str) -> str:
        """Give the address of the page on which a charge is paid; it asks who opens it."""

    def invoice(self, charge_id: str) -> str:
        """Give the address of the receipt of a settled charge (`/h5/invoices/{token}.pdf`)."""

    def history(self, consultation_id: str) -> str:
        """Give the address of the page of what is known of a consultation's patient, for those who treat."""

    def studies(self, consultation_id: str) -> str:
        """Give the address of the page on which a doctor brings images to a consultation."""

    def device(self, code: str) -> str:
        """Give the address of the page that pairs a device; whoever has the one-time code in it may."""

    def quarantine(self, study_id: str) -> str:
        """Give the address of the page on which a doctor of the institution says whose a study is."""


@dataclass
class Services:
    """The use cases of the house. `charging` and `remuneration` are None where nothing is charged."""

    people: "PeopleService"
    consultations: "ConsultationService"
    scheduling: "SchedulingService"
    video: "VideoService"
    imaging: "ImagingService"
    records: "RecordService"
    monitoring: "MonitoringService"
    reminders: "PrescribedReminders"
    slips: "SlipService"
    reports: "ReportService"
    prescriptions: "PrescriptionService"
    dispensing: "DispensingService"
    critical_values: "CriticalValueService"
    charging: "ChargingService | None"
    remuneration: "RemunerationService | None"
    history: "HistoryService"
    teaching_cases: "TeachingCaseService"
    files: "FileStore"
    outbox: "Outbox"
    rights: "AccessHistory"
    amendments: "Amendments"
    erasures: "Erasures"
    help_desk: HelpDesk
    clock: Clock
    links: Links
