"""kill -9 in the middle: what was acknowledged is there, nothing is half, and sending again brings the rest."""

import asyncio
import io
from pathlib import Path

import pydicom
import pytest
from sqlalchemy import select

from backend.imaging import ImagingService, SealedObjects
from backend.imaging.tables import ImagingInstance, sealed_object
from backend.security.policy import SYSTEM
from tests.support.clinic import Clinic
from tests.support.imaging import as_file, ct_slice, folder_store
from tests.support.killable_imaging import STEPS, serving
from tests.support.requirements import require_program
from tests.support.waiting import eventually

SLICES = 8
DIES_AT = 4


async def send(port: int, paths: list[Path]) -> int:
    """Send by C-STORE in one association; give how many were acknowledged."""
    process = await asyncio.create_subprocess_exec(
        *(
            str(require_program("storescu")),
            "-v",
            "-aet",
            "CT1",
            "-aec",
            "QIAOYI",
            "127.0.0.1",
            str(port),
            *map(str, paths),
        ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode(errors="replace").count("Received Store Response (Success)")


async def stored(clinic: Clinic, folder: Path) -> dict[str, bytes]:
    """Give the pixels of every instance that has a row, decoded; every object has to be whole."""
    objects = SealedObjects(folder_store(folder))
    found: dict[str, bytes] = {}
    async with clinic.database.reading() as session:
        for row in await session.scalars(select(ImagingInstance)):
            file = b"".join([piece async for piece in objects.get(sealed_object(row))])
            dataset = pydicom.dcmread(io.BytesIO(file))
            assert dataset.SOPInstanceUID == row.sop_instance_uid
            found[row.sop_instance_uid] = dataset.pixel_array.tobytes()
    return found


async def compressed(clinic: Clinic) -> bool:
    async with clinic.database.reading() as session:
        waiting = select(ImagingInstance).where(ImagingInstance.compress_at.is_not(None))
        return (await session.scalars(waiting)).first() is None


@pytest.mark.parametrize("step", STEPS)
async def test_a_killed_process_loses_nothing_that_it_acknowledged(
    clinic: Clinic, imaging: ImagingService, database_url: str, tmp_path: Path, step: str
) -> None:
    await imaging.register_store_sender(SYSTEM, clinic.township, "放射科CT", "CT1", "127.0.0.0/8")
    slices = [ct_slice(number) for number in range(1, SLICES + 1)]
    paths = [tmp_path / f"{number}.dcm" for number in range(SLICES)]
    for path, one in zip(paths, slices, strict=True):
        path.write_bytes(as_file(one))
    async with serving(database_url, tmp_path, step, DIES_AT) as (port, process):
        acknowledged = await send(port, paths)
        assert await process.ended() == -9
    kept = await stored(clinic, tmp_path)
    assert all(slices[place].SOPInstanceUID in kept for place in range(acknowledged))
    assert acknowledged >= DIES_AT - 1
    async with serving(database_url, tmp_path) as (port, _process):
        assert await send(port, paths) == SLICES
        kept = await stored(clinic, tmp_path)
    assert kept == {one.SOPInstanceUID: one.PixelData for one in slices}


async def test_eight_slices_are_compressed_by_a_process_that_lives(
    clinic: Clinic, imaging: ImagingService, database_url: str, tmp_path: Path
) -> None:
    await imaging.register_store_sender(SYSTEM, clinic.township, "放射科CT", "CT1", "127.0.0.0/8")
    slices = [ct_slice(number) for number in range(1, SLICES + 1)]
    paths = [tmp_path / f"{number}.dcm" for number in range(SLICES)]
    for path, one in zip(paths, slices, strict=True):
        path.write_bytes(as_file(one))
    async with serving(database_url, tmp_path) as (port, _process):
        assert await send(port, paths) == SLICES
        await eventually(lambda: compressed(clinic), timeout=60)
        assert await stored(clinic, tmp_path) == {one.SOPInstanceUID: one.PixelData for one in slices}
