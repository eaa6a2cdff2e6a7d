"""kill -9 while an upload is read: it is read to its end by the next process, and every image is there once."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from backend.imaging import BatchView, ImagingService, SealedObjects, StudyState
from backend.imaging.tables import ImagingInstance, sealed_object
from backend.imaging.upload_tables import ImagingUpload, ImagingUploadPiece
from tests.support.clinic import Clinic
from tests.support.imaging import as_file, ct_slice, folder_store, of_patient
from tests.support.killable_imaging import UPLOAD_STEPS, serving
from tests.support.uploads import send, zipped
from tests.support.waiting import eventually

SLICES = 40  # more than are written down at once, which are 32
SAID = of_patient("王^小明")


@pytest.mark.parametrize("step", UPLOAD_STEPS)
async def test_a_killed_process_leaves_no_gap_and_no_duplicate(
    clinic: Clinic, imaging: ImagingService, database_url: str, tmp_path: Path, step: str
) -> None:
    doctor = await clinic.doctor()
    case = await clinic.draft(await clinic.patient("王小明"))
    slices = {f"IM{number}": as_file(ct_slice(number, **SAID)) for number in range(1, SLICES + 1)}
    await send(imaging, doctor, case.id, zipped(slices | {"readme": b"text", "cut": slices["IM1"][:-600]}))
    times = 2 if "files" in step else 1
    async with serving(database_url, tmp_path, step, times) as (_port, process):
        assert await process.ended() == -9
    assert (await batch(imaging, clinic, case.id)).waiting == 1
    async with clinic.database.transaction() as session:  # the lease ends
        await session.execute(update(ImagingUpload).values(due_at=clinic.clock.now() - timedelta(seconds=1)))
    async with serving(database_url, tmp_path):

        async def is_read() -> bool:
            return not (await batch(imaging, clinic, case.id)).waiting

        await eventually(is_read, timeout=60)
    view = await batch(imaging, clinic, case.id)
    assert (view.stored, view.skipped, view.refused, list(view.faults)) == (SLICES, 1, 1, [("cut", "cut_off")])
    [(study, instances)] = view.studies
    assert (study.state, study.instances, instances) == (StudyState.LINKED, SLICES, SLICES)
    objects = SealedObjects(folder_store(tmp_path))
    async with clinic.database.reading() as session:
        rows = (await session.scalars(select(ImagingInstance))).all()
        assert (await session.scalars(select(ImagingUploadPiece))).all() == []
    assert len({row.sop_instance_uid for row in rows}) == len(rows) == SLICES
    for row in rows:
        assert sum([len(piece) async for piece in objects.get(sealed_object(row))]) == row.size


async def batch(imaging: ImagingService, clinic: Clinic, consultation_id: str) -> BatchView:
    async with clinic.database.reading() as session:
        person_id = (await session.scalars(select(ImagingUpload.person_id))).one()
    view = await imaging.batch(await clinic.people.actor(person_id), consultation_id)
    assert view is not None
    return view
