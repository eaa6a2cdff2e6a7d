"""Writing back to hospitals, wired on a clinic as the product wires it."""

from backend.imaging import ImagingService
from backend.prescription.formulary import Formulary
from backend.records.hospital.registry import Hospitals
from backend.records.hospital.writeback import WriteBack
from qiaoyi.fhir import WRITTEN_AFTER, written_sources
from tests.support.clinic import Clinic

NUMBER = "11010519491231002X"
"""The citizen identity number of the patient."""


def write_back_on(clinic: Clinic, imaging: ImagingService, hospitals: Hospitals) -> WriteBack:
    """Wire it."""
    sources = written_sources(clinic.database, clinic.people, imaging, Formulary(), "https://qiaoyi.example")
    return WriteBack(
        clinic.database,
        clinic.clock,
        clinic.events,
        clinic.audit,
        clinic.people,
        clinic.care,
        hospitals,
        sources,
        WRITTEN_AFTER,
    )


def hospitals_on(clinic: Clinic) -> Hospitals:
    """Give the register of hospitals of a clinic."""
    return Hospitals(clinic.database, clinic.clock, clinic.audit, clinic.people)
