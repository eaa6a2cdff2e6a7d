"""A clinic whose patients have records."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from backend.records import RecordService
from backend.security.policy import Actor
from tests.support.clinic import Clinic, build_clinic


@dataclass
class Ward:
    """A clinic, its records, and one patient with a case there."""

    clinic: Clinic
    records: RecordService
    patient: Actor
    doctor: Actor
    case_id: str

    async def settle(self) -> None:
        """Let everything that happened reach its consumers."""
        while await self.clinic.events.dispatch():
            pass

    async def open(self, **changes: Any) -> str:
        """Open another case of the patient, and let it be heard of."""
        case = await self.clinic.draft(self.patient, **changes)
        await self.settle()
        return case.id


@pytest_asyncio.fixture
async def ward(database: Database, clock: Clock, tmp_path: Path) -> Ward:
    """One patient with a running case, whose facts hold nothing."""
    clinic = build_clinic(database, clock, tmp_path / "files")
    await clinic.furnish()
    records = RecordService(database, clock, clinic.events, clinic.audit, clinic.people, clinic.care)
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient, facts={})
    ward = Ward(clinic, records, patient, doctor, case.id)
    await ward.settle()
    return ward
