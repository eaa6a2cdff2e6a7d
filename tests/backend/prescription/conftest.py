"""A case of a township centre, its doctor, and a pharmacist; everybody can sign."""

from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from backend.prescription import Line, PrescriptionService, PrescriptionView
from backend.security.policy import Actor
from tests.support.clinic import Clinic, build_clinic
from tests.support.prescribing import Pharmacy, build_pharmacy


@dataclass
class Desk:
    """Everybody around one prescription."""

    clinic: Clinic
    pharmacy: Pharmacy
    patient: Actor
    doctor: Actor
    pharmacist: Actor
    case_id: str

    @property
    def prescriptions(self) -> PrescriptionService:
        """The service."""
        return self.pharmacy.prescriptions

    async def written(self, *lines: Line) -> PrescriptionView:
        """Write a draft, amoxicillin unless told otherwise."""
        return await self.pharmacy.written(self.doctor, self.case_id, *lines)

    async def signed(self, *lines: Line) -> PrescriptionView:
        """Write and sign."""
        return await self.pharmacy.signed(self.doctor, self.case_id, *lines)

    async def approved(self, *lines: Line) -> PrescriptionView:
        """Write, sign and approve."""
        signed = await self.signed(*lines)
        return await self.prescriptions.approve(self.pharmacist, signed.id)


@pytest_asyncio.fixture
async def desk(database: Database, clock: Clock, tmp_path: Path) -> Desk:
    """A case of a township centre."""
    return await build_desk(database, clock, tmp_path)


async def build_desk(database: Database, clock: Clock, folder: Path) -> Desk:
    """Furnish a clinic with a case, and give its people certificates."""
    clinic = build_clinic(database, clock, folder / "files")
    await clinic.furnish()
    pharmacy = build_pharmacy(clinic)
    doctor, patient = await clinic.doctor(), await clinic.patient()
    pharmacist = await pharmacy.pharmacist()
    await pharmacy.certify(doctor)
    case = await clinic.draft(patient)
    return Desk(clinic, pharmacy, patient, doctor, pharmacist, case.id)
