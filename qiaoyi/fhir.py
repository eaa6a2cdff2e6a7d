"""FHIR put together: the façade, and what is written to hospitals, over the sources that each subject makes."""

from backend.clock import Clock
from backend.consultation.resources import consultation_sources
from backend.consultation.visibility import cared_for, case_ids
from backend.db import Database
from backend.fhir.searching import ResourceSource
from backend.imaging import ImagingService
from backend.imaging.resources import ImagingStudySource
from backend.people import PeopleService
from backend.people.resources import people_sources
from backend.prescription.formulary import Formulary
from backend.prescription.resources import MedicationRequestSource
from backend.records.facade import Facade
from backend.records.hospital.writeback import TOLD_AFTER
from backend.records.resources import record_sources
from backend.reporting.resources import DiagnosticReportSource
from backend.scheduling.resources import AppointmentSource
from backend.security.audit import AuditLog
from backend.security.resources import AuditSource
from miniprogram_api.application import VERSION
from miniprogram_api.fhir import BASE
from miniprogram_api.report_documents import PDF

WRITTEN_AFTER = (
    *TOLD_AFTER,
    "prescription.approved",
    "prescription.revoked",
    "prescription.expired",
    "dispensing.packed",
    "dispensing.received",
)
"""Events after which hospitals have something to hear."""


def make_facade(
    database: Database,
    clock: Clock,
    audit: AuditLog,
    people: PeopleService,
    imaging: ImagingService,
    formulary: Formulary,
    public: str,
) -> Facade:
    """Give the façade over every source; arguments as in `fhir_sources`."""
    sources = fhir_sources(database, clock, people, imaging, formulary, public)
    return Facade(database, clock, audit, sources, f"{public}{BASE}", VERSION)


def fhir_sources(
    database: Database, clock: Clock, people: PeopleService, imaging: ImagingService, formulary: Formulary, public: str
) -> list[ResourceSource]:
    """Give every source of resources of FHIR, each made by its subject.

    Args:
        public: how browsers reach the product; the PDF of a report is read below it.
    """
    return [
        *people_sources(database, clock, people, cared_for),
        AppointmentSource(database, people, case_ids),
        *written_sources(database, people, imaging, formulary, public),
        ImagingStudySource(database),
        *record_sources(database),
        AuditSource(database),
    ]


def written_sources(
    database: Database, people: PeopleService, imaging: ImagingService, formulary: Formulary, public: str
) -> list[ResourceSource]:
    """Give the sources of what is written back to hospitals, arguments as in `fhir_sources`."""
    return [
        *consultation_sources(database, people),
        DiagnosticReportSource(database, people, imaging, lambda report_id: public + PDF.format(report_id=report_id)),
        MedicationRequestSource(database, formulary),
    ]
