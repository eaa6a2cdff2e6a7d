"""Instances come, are kept once, or refused for a reason."""

import asyncio
import errno
import os
from collections.abc import AsyncIterable
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom import uid
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from backend.db import Database
from backend.errors import Forbidden
from backend.imaging import Announced, FolderStore, ImagingService, Reason, SealedObjects, Unacceptable
from backend.imaging import intake as intake_module
from backend.imaging.tables import ImagingInstance, ImagingRefusal, ImagingSeries, ImagingStudy, sealed_object
from backend.security.policy import SYSTEM, Actor
from tests.support.clinic import Clinic
from tests.support.imaging import as_file, beside, ct_slice, folder_store, imaging_on, of_patient, streamed


async def rows(clinic: Clinic) -> list[ImagingInstance]:
    async with clinic.database.reading() as session:
        return list(await session.scalars(select(ImagingInstance).order_by(ImagingInstance.sop_instance_uid)))


async def refusals(clinic: Clinic) -> list[tuple[str, Reason, int]]:
    async with clinic.database.reading() as session:
        found = await session.scalars(select(ImagingRefusal).order_by(ImagingRefusal.id))
        return [(row.sop_instance_uid, row.reason, row.times) for row in found]


async def objects_in(folder: Path) -> int:
    return len([found async for found in folder_store(folder).list()])


async def stored_file(clinic: Clinic, folder: Path) -> bytes:
    [row] = await rows(clinic)
    return b"".join([piece async for piece in SealedObjects(folder_store(folder)).get(sealed_object(row))])


async def refused(imaging: ImagingService, machine: Actor, file: bytes, announced: Announced | None = None) -> Reason:
    with pytest.raises(Unacceptable) as error:
        await imaging.receive(machine, streamed(file), announced)
    return error.value.reason


async def test_an_instance_is_kept_as_it_came(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path
) -> None:
    file = as_file(ct_slice(7, SeriesNumber=3, **of_patient("王^小明", patient_number="P1")))
    outcome = await imaging.receive(machine, streamed(file))
    assert not outcome.known
    [row] = await rows(clinic)
    assert (row.rows, row.columns, row.frames, row.number) == (128, 128, 1, 7)
    assert (row.sender_id, row.received_size) == (machine.person_id, len(file))
    assert await stored_file(clinic, tmp_path) == file


async def test_nothing_that_names_the_patient_lies_readable(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, database: Database
) -> None:
    await imaging.receive(machine, streamed(as_file(ct_slice(**of_patient("Geheimnis^Anna", patient_number="P4711")))))
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())  # noqa: ASYNC240
    assert b"Geheimnis" not in written
    assert b"P4711" not in written
    assert b"1.2.826" in written or not database.is_sqlite  # else nothing at all would have been found


async def test_an_instance_longer_than_is_held_in_memory_streams_into_the_store(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path
) -> None:
    frames = 70
    one = ct_slice(1, NumberOfFrames=frames)
    one.PixelData = one.PixelData * frames
    file = as_file(one)
    assert len(file) > 2 * intake_module.SMALL_BYTES
    await imaging.receive(machine, streamed(file))
    assert await stored_file(clinic, tmp_path) == file
    assert (await rows(clinic))[0].frames == frames
    assert (await imaging.receive(machine, streamed(file))).known
    assert await refused(imaging, machine, file[:-1000]) is Reason.CUT_OFF
    assert await objects_in(tmp_path) == 1


async def test_the_same_instance_again_changes_nothing(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path
) -> None:
    file = as_file(ct_slice())
    await imaging.receive(machine, streamed(file))
    before = (await rows(clinic))[0].object_id
    assert (await imaging.receive(machine, streamed(file))).known
    assert [row.object_id for row in await rows(clinic)] == [before]
    assert await objects_in(tmp_path) == 1
    assert await refusals(clinic) == []


@pytest.mark.parametrize("first", [uid.ExplicitVRLittleEndian, uid.JPEGLSLossless, uid.JPEG2000Lossless])
@pytest.mark.parametrize("again", [uid.ImplicitVRLittleEndian, uid.RLELossless, uid.JPEG2000Lossless])
async def test_the_same_instance_in_another_transfer_syntax_is_the_same(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, first: str, again: str
) -> None:
    one = ct_slice()
    await imaging.receive(machine, streamed(as_file(one, first)))
    assert (await imaging.receive(machine, streamed(as_file(one, again)))).known
    assert [row.transfer_syntax for row in await rows(clinic)] == [first]
    assert await objects_in(tmp_path) == 1


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless])
async def test_other_pixels_under_the_same_identifier_are_refused_and_written_down(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, syntax: str
) -> None:
    one = ct_slice()
    await imaging.receive(machine, streamed(as_file(one)))
    other = deepcopy(one)
    other.PixelData = ct_slice(2).PixelData
    for _ in range(2):
        assert await refused(imaging, machine, as_file(other, syntax)) is Reason.OTHER_CONTENT
    assert await refusals(clinic) == [(one.SOPInstanceUID, Reason.OTHER_CONTENT, 2)]
    assert await objects_in(tmp_path) == 1
    assert await stored_file(clinic, tmp_path) == as_file(one)
    [told] = await clinic.published("imaging.instance_refused")
    assert (told["institution_id"], told["reason"]) == (clinic.township, "other_content")


@pytest.mark.parametrize(
    "change", [{"PatientName": "Other"}, {"SeriesInstanceUID": "1.2.3"}, {"WindowCenter": 1}, {"ImageComments": "x"}]
)
async def test_another_header_under_the_same_identifier_is_refused(
    imaging: ImagingService, machine: Actor, change: dict[str, Any]
) -> None:
    await imaging.receive(machine, streamed(as_file(ct_slice())))
    assert await refused(imaging, machine, as_file(ct_slice(**change))) is Reason.OTHER_CONTENT


async def test_the_same_instance_from_two_sides_at_once_is_one(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path
) -> None:
    other_process = imaging_on(beside(clinic), folder_store(tmp_path))
    slices = [as_file(ct_slice(number)) for number in range(1, 13)]
    sides = [(imaging, slices), (other_process, slices[::-1]), (imaging, slices)]
    outcomes = await asyncio.gather(
        *(service.receive(machine, streamed(file)) for service, files in sides for file in files)
    )
    assert sorted(outcome.known for outcome in outcomes) == [False] * 12 + [True] * 24
    assert len(await rows(clinic)) == 12
    assert await objects_in(tmp_path) == 12
    async with clinic.database.reading() as session:
        assert len((await session.scalars(select(ImagingStudy))).all()) == 1
        assert len((await session.scalars(select(ImagingSeries))).all()) == 1


async def test_a_commit_that_was_told_to_have_failed_but_had_not_loses_nothing(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact = imaging._transact
    told = False

    async def failing_after(*arguments: Any) -> Any:
        nonlocal told
        given = await transact(*arguments)
        if not told:
            told = True
            raise IntegrityError("the connection broke", None, Exception())
        return given

    monkeypatch.setattr(imaging, "_transact", failing_after)
    file = as_file(ct_slice())
    assert not (await imaging.receive(machine, streamed(file))).known
    assert await stored_file(clinic, tmp_path) == file


async def test_one_that_cannot_be_committed_does_not_take_others_with_it(
    clinic: Clinic, imaging: ImagingService, machine: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = imaging._add

    async def failing(session: Any, arrival: Any, page: Any) -> Any:
        if arrival.instance.instance_number == 2:
            raise RuntimeError("a fault of ours")
        return await add(session, arrival, page)

    monkeypatch.setattr(imaging, "_add", failing)
    files = [as_file(ct_slice(number)) for number in range(1, 5)]
    results = await asyncio.gather(
        *(imaging.receive(machine, streamed(file)) for file in files), return_exceptions=True
    )
    assert [isinstance(result, RuntimeError) for result in results] == [False, True, False, False]
    assert [row.number for row in await rows(clinic)] == [1, 3, 4]


async def test_what_was_announced_has_to_come(imaging: ImagingService, machine: Actor, tmp_path: Path) -> None:
    file = as_file(ct_slice())
    other = {"study_uid": (Reason.OTHER_STUDY,), "sop_class_uid": (Reason.OTHER_CLASS,)}
    for name, (reason,) in (other | {"sop_instance_uid": (Reason.OTHER_CLASS,)}).items():
        assert await refused(imaging, machine, file, Announced(**{name: "1.2.3"})) is reason
    assert await objects_in(tmp_path) == 0


async def test_a_full_disk_is_told_and_leaves_nothing(clinic: Clinic, machine: Actor, tmp_path: Path) -> None:
    class FullStore(FolderStore):
        async def put(self, object_id: str, chunks: AsyncIterable[bytes]) -> None:
            async def until_full() -> AsyncIterable[bytes]:
                async for chunk in chunks:
                    yield chunk
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            await super().put(object_id, until_full())

    full = imaging_on(beside(clinic), FullStore(tmp_path))
    assert await refused(full, machine, as_file(ct_slice())) is Reason.NO_ROOM
    assert await rows(clinic) == []
    assert [found async for found in FolderStore(tmp_path).list()] == []


async def test_a_file_that_is_longer_than_any_may_be_is_refused(
    imaging: ImagingService, machine: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "LARGEST_BYTES", 2_000_000)
    assert await refused(imaging, machine, as_file(ct_slice()) + bytes(3_000_000)) is Reason.TOO_LARGE
    assert await objects_in(tmp_path) == 0


async def test_nobody_sends_for_no_institution(imaging: ImagingService, clinic: Clinic) -> None:
    for actor in (await clinic.patient(), await clinic.expert(), SYSTEM):
        with pytest.raises(Forbidden):
            await imaging.receive(actor, streamed(as_file(ct_slice())))


async def test_a_doctor_may_send_for_their_institution(imaging: ImagingService, clinic: Clinic) -> None:
    doctor = await clinic.doctor()
    await imaging.receive(doctor, streamed(as_file(ct_slice())))
    [study] = await imaging.quarantined(doctor)
    assert study.institution_id == clinic.township


async def test_objects_that_nobody_knows_are_swept_after_a_day(
    imaging: ImagingService, machine: Actor, tmp_path: Path
) -> None:
    await imaging.receive(machine, streamed(as_file(ct_slice())))
    objects = SealedObjects(folder_store(tmp_path))
    await objects.put(streamed(b"left by a process that was killed"))
    assert await imaging.sweep_objects() == 0
    for path in (tmp_path / "objects").rglob("*"):
        old = path.stat().st_mtime - timedelta(days=2).total_seconds()
        os.utime(path, (old, old))
    assert await imaging.sweep_objects() == 1
    assert await objects_in(tmp_path) == 1
