"""A foreign modality (dcmtk) sends by C-STORE."""

import asyncio
import errno
import inspect
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import IO, Any

import pytest
import pytest_asyncio
from pydicom import uid
from pynetdicom import _config, build_context, dimse_messages, dimse_primitives
from pynetdicom._globals import APPLICATION_CONTEXT_NAME
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import A_ASSOCIATE, ImplementationClassUIDNotification, MaximumLengthNotification
from sqlalchemy import select

from backend.imaging import ImagingService, Spool, StudyState
from backend.imaging.scp import ScpSettings, StoreScp
from backend.imaging.tables import ImagingInstance
from backend.security.policy import SYSTEM
from tests.support.clinic import Clinic
from tests.support.imaging import as_file, ct_slice, of_patient
from tests.support.programs import run_program
from tests.support.requirements import require_program


@pytest_asyncio.fixture
async def scp(clinic: Clinic, imaging: ImagingService) -> AsyncIterator[StoreScp]:
    await imaging.register_store_sender(SYSTEM, clinic.township, "放射科CT", "CT1", "127.0.0.0/8")
    serving = StoreScp(imaging, ScpSettings(port=0))
    serving.start()
    yield serving
    await serving.stop()


def write(folder: Path, files: Sequence[bytes]) -> list[Path]:
    paths = [folder / f"{number}.dcm" for number in range(len(files))]
    for path, file in zip(paths, files, strict=True):
        path.write_bytes(file)
    return paths


async def store(scp: StoreScp, paths: Sequence[Path], *options: str) -> tuple[int, str]:
    who = ("-aet", "CT1", "-aec", "QIAOYI")
    return await run_program("storescu", "-v", *who, *options, "127.0.0.1", str(scp.port), *paths)


async def test_a_study_sent_by_a_modality_is_linked_to_its_consultation(
    clinic: Clinic, imaging: ImagingService, scp: StoreScp, tmp_path: Path
) -> None:
    await clinic.doctor()
    patient = await clinic.patient("王小明")
    case = await clinic.draft(patient)
    said = of_patient("Wang^Xiaoming=王^小明", sex="M", accession=case.number)
    paths = write(tmp_path, [as_file(ct_slice(number, **said)) for number in range(1, 6)])
    status, output = await store(scp, paths)
    assert status == 0, output
    [study] = await imaging.studies_of(patient, case.id)
    assert (study.state, study.instances, study.modalities) == (StudyState.LINKED, 5, ("CT",))
    assert study.patient.name == "Wang^Xiaoming=王^小明"


async def test_a_registered_machine_is_answered_and_others_are_not(scp: StoreScp) -> None:
    echo = ["echoscu", "-aec", "QIAOYI"]
    where = ["127.0.0.1", str(scp.port)]
    assert (await run_program(*echo, "-aet", "CT1", *where))[0] == 0
    status, said = await run_program(*echo, "-v", "-aet", "CT2", *where)
    assert status != 0
    assert "Calling AE Title Not Recognized" in said
    status, said = await run_program("echoscu", "-v", "-aet", "CT1", "-aec", "OTHER", *where)
    assert status != 0
    assert "Called AE Title Not Recognized" in said


async def test_a_refused_machine_that_never_hangs_up_does_not_hold_the_server_back(scp: StoreScp) -> None:
    asked = A_ASSOCIATE()
    asked.application_context_name = uid.UID(APPLICATION_CONTEXT_NAME)
    asked.calling_ae_title, asked.called_ae_title = "CT2", "QIAOYI"
    asked.presentation_context_definition_list = [context := build_context(uid.CTImageStorage)]
    context.context_id = 1
    asked.user_information = [MaximumLengthNotification(), implementation := ImplementationClassUIDNotification()]
    implementation.implementation_class_uid = uid.PYDICOM_IMPLEMENTATION_UID
    reader, writer = await asyncio.open_connection("127.0.0.1", scp.port)
    writer.write(A_ASSOCIATE_RQ(asked).encode())
    refusal = await reader.readexactly(10)
    assert refusal[0] == 0x03  # A-ASSOCIATE-RJ
    await scp.stop()
    assert await reader.read() == b""  # and no abort after the refusal
    writer.close()


async def rows(clinic: Clinic) -> list[ImagingInstance]:
    async with clinic.database.reading() as session:
        return list(await session.scalars(select(ImagingInstance)))


async def test_the_same_again_succeeds_and_other_content_is_a_duplicate(
    clinic: Clinic, scp: StoreScp, tmp_path: Path
) -> None:
    [path] = write(tmp_path, [as_file(ct_slice())])
    assert (await store(scp, [path]))[0] == 0
    assert (await store(scp, [path]))[0] == 0
    [path] = write(tmp_path, [as_file(ct_slice(WindowCenter=17))])
    _, said = await store(scp, [path])
    assert "0x111" in said
    assert len(await rows(clinic)) == 1


async def test_every_transfer_syntax_of_the_sender_is_kept(clinic: Clinic, scp: StoreScp, tmp_path: Path) -> None:
    syntaxes = {"-xi": uid.ImplicitVRLittleEndian, "-xt": uid.JPEGLSLossless, "-xr": uid.RLELossless}
    for number, (option, syntax) in enumerate(syntaxes.items()):
        [path] = write(tmp_path, [as_file(ct_slice(number), syntax)])
        status, said = await store(scp, [path], option)
        assert status == 0, said
    assert {row.transfer_syntax for row in await rows(clinic)} == set(syntaxes.values())


async def test_an_instance_longer_than_is_held_in_memory_waits_unreadable_on_the_disk(
    clinic: Clinic, imaging: ImagingService, scp: StoreScp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = ct_slice(1, NumberOfFrames=100, **of_patient("Geheimnis^Anna"))
    large.PixelData = large.PixelData * 100
    spooled: list[bytes] = []
    finish = Spool._finish

    def looked_at(self: Spool, disk: IO[bytes]) -> Any:
        opener = finish(self, disk)
        spooled.append(disk.read())
        disk.seek(0)
        return opener

    monkeypatch.setattr(Spool, "_finish", looked_at)
    status, said = await store(scp, write(tmp_path, [as_file(large)]))
    assert status == 0, said
    [row] = await rows(clinic)
    assert row.frames == 100
    assert len(spooled[0]) > 3_000_000
    assert b"Geheimnis" not in spooled[0]


async def test_a_disk_that_is_full_while_an_instance_comes_is_told(
    clinic: Clinic, scp: StoreScp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = ct_slice(1, NumberOfFrames=100)
    large.PixelData = large.PixelData * 100

    def full(*_arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Spool, "_seal", full)
    _, said = await store(scp, write(tmp_path, [as_file(large), as_file(ct_slice(2))]))
    assert "Refused: OutOfResources" in said
    assert await rows(clinic) == []  # the sender ends the association at the first failure


async def test_an_association_that_breaks_off_in_the_middle_leaves_nothing(
    clinic: Clinic, imaging: ImagingService, scp: StoreScp, tmp_path: Path
) -> None:
    large = ct_slice(1, NumberOfFrames=600)
    large.PixelData = large.PixelData * 600
    [path] = write(tmp_path, [as_file(large)])
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    keep = Spool._keep

    def noticed(self: Spool, data: bytes) -> None:
        keep(self, data)
        if self._disk is not None:
            loop.call_soon_threadsafe(begun.set)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Spool, "_keep", noticed)
        process = await asyncio.create_subprocess_exec(
            *(str(require_program("storescu")), "-aet", "CT1", "-aec", "QIAOYI", "127.0.0.1", str(scp.port), str(path))
        )
        await begun.wait()
        process.kill()
        await process.wait()
    assert await rows(clinic) == []
    status, said = await store(scp, [path])
    assert status == 0, said
    assert [row.frames for row in await rows(clinic)] == [600]


async def test_a_machine_that_was_taken_away_is_not_let_in(imaging: ImagingService, scp: StoreScp) -> None:
    [view] = await imaging.senders(SYSTEM)
    await imaging.deactivate_sender(SYSTEM, view.id)
    status, said = await run_program("echoscu", "-v", "-aet", "CT1", "-aec", "QIAOYI", "127.0.0.1", str(scp.port))
    assert status != 0
    assert "Calling AE Title Not Recognized" in said


def test_the_names_of_the_library_that_we_lean_on_are_there() -> None:
    """`pynetdicom` is pinned exactly because of these."""
    assert inspect.getsource(dimse_messages).count("NamedTemporaryFile(") == 1
    assert hasattr(dimse_primitives.C_STORE, "_dataset_file")
    assert _config.STORE_RECV_CHUNKED_DATASET in (True, False)
