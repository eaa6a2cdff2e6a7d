"""What a person rejected is removed some time after that, and nothing else is."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from backend.imaging import FolderStore, ImagingService
from backend.imaging.tables import ImagingInstance, ImagingSeries, ImagingStudy
from backend.security.policy import Actor
from backend.security.tables import AuditEntry
from tests.support.clinic import Clinic
from tests.support.imaging import as_file, ct_slice, of_patient, streamed

DAY = timedelta(days=1)


async def send(imaging: ImagingService, machine: Actor, number: int, study: int = 1) -> None:
    said = of_patient("李四", patient_number=f"N{study}")
    await imaging.receive(machine, streamed(as_file(ct_slice(number, study=study, **said))))


async def left(clinic: Clinic, tmp_path: Path) -> tuple[int, int, int, int]:
    """How many studies, series, instances and objects there are."""
    async with clinic.database.reading() as session:
        counts = [
            await session.scalar(select(func.count()).select_from(table)) or 0
            for table in (ImagingStudy, ImagingSeries, ImagingInstance)
        ]
    objects = [one async for one in FolderStore(tmp_path / "objects").list()]
    return counts[0], counts[1], counts[2], len(objects)


async def rejected(clinic: Clinic, imaging: ImagingService, machine: Actor) -> Actor:
    """Let a doctor reject the first of two studies."""
    doctor = await clinic.doctor()
    for study in (1, 2):
        await send(imaging, machine, 1, study)
        await send(imaging, machine, 2, study)
    await imaging.keep_headers()
    first = (await imaging.quarantined(doctor))[0]
    await imaging.reject(doctor, first.id, "拿错了光盘")
    return doctor


async def test_a_rejected_study_goes_after_its_time_with_all_that_lies_of_it(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path
) -> None:
    await rejected(clinic, imaging, machine)
    clinic.clock.advance(89 * DAY)
    assert await imaging.remove_rejected() == 0
    assert await left(clinic, tmp_path) == (2, 2, 4, 4)
    clinic.clock.advance(1 * DAY)
    assert await imaging.remove_rejected() == 1
    assert await imaging.remove_rejected() == 0
    assert await left(clinic, tmp_path) == (1, 1, 2, 2)
    async with clinic.database.reading() as session:
        entries = await session.scalars(select(AuditEntry).where(AuditEntry.action == "imaging.remove"))
        assert [entry.reason for entry in entries] == ["rejected"]


async def test_a_rejected_study_of_which_more_came_waits_again_and_stays(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path
) -> None:
    doctor = await rejected(clinic, imaging, machine)
    clinic.clock.advance(80 * DAY)
    await send(imaging, machine, 3)
    clinic.clock.advance(80 * DAY)
    assert await imaging.remove_rejected() == 0
    assert len(await imaging.quarantined(doctor)) == 2
    await imaging.reject(doctor, (await imaging.quarantined(doctor))[0].id, "还是拿错了")
    clinic.clock.advance(89 * DAY)
    assert await imaging.remove_rejected() == 0, "the time counts from the last decision"
    clinic.clock.advance(1 * DAY)
    assert await imaging.remove_rejected() == 1
    assert await left(clinic, tmp_path) == (1, 1, 2, 2)


async def test_what_a_process_that_dies_after_the_rows_leaves_is_swept(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    async def die(_object_id: str) -> None:
        raise Killed

    await rejected(clinic, imaging, machine)
    clinic.clock.advance(90 * DAY)
    with monkeypatch.context() as patch:
        patch.setattr(imaging._objects, "delete", die)
        with pytest.raises(Killed):
            await imaging.remove_rejected()
    assert await left(clinic, tmp_path) == (1, 1, 2, 4)
    assert await imaging.remove_rejected() == 0
    monkeypatch.setattr("backend.imaging.upkeep._ORPHAN_AGE", timedelta(seconds=-5))
    assert await imaging.sweep_objects() == 2
    assert await left(clinic, tmp_path) == (1, 1, 2, 2)


async def test_a_removed_study_that_is_sent_again_waits_as_a_new_one(
    clinic: Clinic, imaging: ImagingService, machine: Actor
) -> None:
    doctor = await rejected(clinic, imaging, machine)
    clinic.clock.advance(90 * DAY)
    await imaging.remove_rejected()
    await send(imaging, machine, 1)
    assert sorted(study.instances for study in await imaging.quarantined(doctor)) == [1, 2]
