"""A case with a CT study, and the people around it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from backend.imaging import ImagingService
from backend.reporting import CriticalValueService, ReportService, ReportView
from backend.security.policy import SYSTEM, Actor
from tests.support.clinic import Clinic, build_clinic
from tests.support.imaging import (
    as_file,
    critical_values_on,
    ct_slice,
    folder_store,
    imaging_on,
    of_patient,
    reports_on,
    streamed,
)


@dataclass
class ReportDesk:
    """A case that an expert has taken, with one study."""

    clinic: Clinic
    imaging: ImagingService
    reports: ReportService
    critical_values: CriticalValueService
    patient: Actor
    doctor: Actor
    expert: Actor
    case_id: str
    study_uid: str

    async def mark(self, *numbers: int) -> None:
        """Let the expert mark slices as key images."""
        for number in numbers:
            await self.imaging.mark_key_image(self.expert, self.case_id, ct_slice(number).SOPInstanceUID, 1)

    async def draft(self) -> ReportView:
        """Begin the report."""
        return await self.reports.draft(self.expert, self.case_id, self.study_uid)

    async def written(self) -> ReportView:
        """Write a whole report."""
        draft = await self.draft()
        return await self.reports.write(
            self.expert,
            draft.id,
            revision=draft.revision,
            examination="胸部CT平扫",
            findings="右肺上叶见结节，直径约8mm。",
            impression="右肺上叶结节，建议3个月复查。",
        )

    async def signed(self) -> ReportView:
        """Write and sign it."""
        draft = await self.written()
        return await self.reports.sign(self.expert, draft.id, revision=draft.revision)


@pytest_asyncio.fixture
async def desk(database: Database, clock: Clock, tmp_path: Path) -> AsyncIterator[ReportDesk]:
    """An assigned case with a linked study of two slices."""
    built = await build_desk(database, clock, tmp_path)
    yield built
    built.imaging.close()


async def build_desk(database: Database, clock: Clock, tmp_path: Path) -> ReportDesk:
    """Give an assigned case with a linked study of two slices; its imaging has to be closed."""
    clinic = build_clinic(database, clock, tmp_path / "files")
    await clinic.furnish()
    imaging = imaging_on(clinic, folder_store(tmp_path))
    reports, critical_values = reports_on(clinic, imaging), critical_values_on(clinic, imaging)
    doctor, expert = await clinic.doctor(), await clinic.expert()
    patient = await clinic.patient("王小明")
    case = await clinic.draft(patient)
    await clinic.care.acknowledge_task(doctor, case.id)
    await clinic.care.submit(doctor, case.id)
    await clinic.accept(expert, case.id)
    new = await imaging.register_stow_sender(SYSTEM, clinic.township, "放射科CT")
    machine = await imaging.sender_of_token(new.token)
    assert machine is not None
    said = of_patient("王小明", sex="M", accession=case.number)
    slices = [ct_slice(number, StudyDescription="胸部CT", **said) for number in (1, 2)]
    for one in slices:
        await imaging.receive(machine, streamed(as_file(one)))
    study_uid = slices[0].StudyInstanceUID
    return ReportDesk(clinic, imaging, reports, critical_values, patient, doctor, expert, case.id, study_uid)
