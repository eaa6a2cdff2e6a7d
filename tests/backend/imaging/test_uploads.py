"""A doctor brings images: what is kept of them, whose they are then, and what she reads of what was not taken."""

import asyncio
import io
import os
import stat
import struct
import zipfile
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from backend.consultation import ConsultationView
from backend.errors import Conflict, Forbidden, InvalidInput, NotFound
from backend.imaging import (
    Comparison,
    FolderStore,
    ImagingService,
    QuarantineReason,
    StoreAway,
    StudyState,
    UploadState,
    upload_archive,
    upload_rules,
    uploads,
)
from backend.imaging.linking import SETTLED_AFTER
from backend.imaging.upload_rules import Fault
from backend.imaging.upload_tables import ImagingUploadPiece
from backend.imaging.uploads import ABANDONED_AFTER, REMEMBERED_FOR, OtherOffset
from backend.security.policy import SYSTEM, Actor, Role
from tests.support.clinic import Clinic
from tests.support.imaging import as_file, beside, ct_slice, folder_store, imaging_on, of_patient, streamed
from tests.support.uploads import brought, new_upload, send, zipped

SAID = of_patient("Wang^Xiaoming=王^小明")


@pytest_asyncio.fixture
async def doctor(clinic: Clinic) -> Actor:
    return await clinic.doctor()


@pytest_asyncio.fixture
async def case(clinic: Clinic, doctor: Actor) -> ConsultationView:
    return await clinic.draft(await clinic.patient("王小明"))


def slices(count: int, **changes: Any) -> dict[str, bytes]:
    return {f"IMAGES/IM{number:04}": as_file(ct_slice(number, **(SAID | changes))) for number in range(1, count + 1)}


async def objects(clinic: Clinic, folder: Path) -> int:
    return len([one async for one in folder_store(folder).list()])


async def test_a_disc_is_kept_and_belongs_to_the_consultation_for_which_it_was_brought(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView, tmp_path: Path
) -> None:
    files = slices(40) | {"autorun.inf": b"[autorun]", "DICOMDIR": directory(), "viewer/": b""}
    view = await brought(imaging, doctor, case.id, zipped(files))
    assert (view.stored, view.skipped, view.refused, view.waiting, view.receiving) == (40, 2, 0, 0, 0)
    [(study, instances)] = view.studies
    assert (study.state, study.consultation_id, instances) == (StudyState.LINKED, case.id, 40)
    assert await objects(clinic, tmp_path) == 40, "what the archive lay in is removed"
    await clinic.pass_time(SETTLED_AFTER + timedelta(seconds=1))
    [arrived] = await clinic.published("imaging.study_arrived")
    assert arrived["instances"] == 40


def directory() -> bytes:
    uid = b"1.2.840.10008.1.3.10"
    return bytes(128) + b"DICM" + b"\x02\x00\x02\x00UI" + struct.pack("<H", len(uid)) + uid + bytes(200)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (of_patient("Li^Hong=李^红"), QuarantineReason.OTHER_NAME),
        (of_patient("王^小明", sex="F"), QuarantineReason.OTHER_SEX),
        (of_patient("王^小明", born="19500101"), QuarantineReason.OTHER_BIRTH_DATE),
    ],
)
async def test_what_contradicts_waits_for_a_person_and_is_never_put_right_by_itself(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, said: dict[str, Any], reason: QuarantineReason
) -> None:
    patient = await clinic.patient("王小明")
    await clinic.people.update_person(patient, patient.person_id, sex="male", birth_date=date(1968, 5, 2))
    case = await clinic.draft(patient)
    view = await brought(imaging, doctor, case.id, zipped(slices(2, **said)))
    [(study, instances)] = view.studies
    assert (study.state, study.reason, instances) == (StudyState.QUARANTINED, reason, 2)
    assert await imaging.studies_of(patient, case.id) == []
    assigned = await imaging.assign(doctor, study.id, case.id, "本人确认过")
    assert (assigned.state, assigned.patient.name) == (StudyState.LINKED, said["PatientName"])


async def test_an_accession_number_of_another_consultation_is_stronger_than_what_was_chosen(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView
) -> None:
    other = await clinic.draft(await clinic.patient("王小明"))
    view = await brought(imaging, doctor, case.id, zipped(slices(1, AccessionNumber=other.number)))
    # By its number it was linked to the other one before anybody said anything.
    [(study, _)] = view.studies
    assert (study.state, study.consultation_id) == (StudyState.LINKED, other.id)


async def test_numbers_of_another_hospitals_disc_are_not_learnt(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView, machine: Actor
) -> None:
    disc = slices(1, PatientID="007", PatientName="Wang^Xiaomin")
    [(study, _)] = (await brought(imaging, doctor, case.id, zipped(disc))).studies
    await imaging.assign(doctor, study.id, case.id, "拼音写错了")
    own = ct_slice(study=2, **of_patient("王^小明", patient_number="007"))
    await imaging.receive(machine, streamed(as_file(own)))
    [waiting] = await imaging.quarantined(doctor)
    assert waiting.reason is QuarantineReason.NO_CONSULTATION


async def test_a_study_that_waited_for_want_of_a_number_is_linked_when_somebody_says_whose_it_is(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView, machine: Actor
) -> None:
    first, second = ct_slice(1, **SAID), ct_slice(2, **SAID)
    await imaging.receive(machine, streamed(as_file(first)))
    await clinic.pass_time(SETTLED_AFTER + timedelta(seconds=1))
    assert len(await imaging.quarantined(doctor)) == 1
    await brought(imaging, doctor, case.id, as_file(second), "IM2")
    assert await imaging.quarantined(doctor) == []
    await clinic.pass_time(SETTLED_AFTER + timedelta(seconds=1))
    [arrived] = await clinic.published("imaging.study_arrived")
    assert arrived["instances"] == 2


async def test_a_single_file_is_taken_as_it_is(imaging: ImagingService, doctor: Actor, case: ConsultationView) -> None:
    view = await brought(imaging, doctor, case.id, as_file(ct_slice(**SAID)), "IM0001")
    assert (view.stored, view.skipped, view.refused) == (1, 0, 0)
    large = ct_slice(2, **SAID)
    large.Rows, large.Columns = 1024, 1024
    large.PixelData = bytes(2 * 1024 * 1024)
    view = await brought(imaging, doctor, case.id, as_file(large), "IM0002")
    assert (view.stored, view.refused) == (2, 0)
    assert view.studies[0][1] == 2


async def test_what_was_sent_stays_and_is_not_sent_again(
    imaging: ImagingService, doctor: Actor, case: ConsultationView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PIECE_BYTES", 20_000)
    content = zipped(slices(6), zipfile.ZIP_STORED)
    new = new_upload(content)
    begun = await imaging.begin_upload(doctor, case.id, new)

    async def cut_off() -> AsyncIterator[bytes]:
        yield content[:50_000]

    kept = await imaging.append_upload(doctor, begun.id, 0, cut_off())
    assert (kept.received, kept.state) == (50_000, UploadState.RECEIVING)
    with pytest.raises(OtherOffset):
        await imaging.append_upload(doctor, begun.id, 0, streamed(content))
    again = await imaging.begin_upload(doctor, case.id, new)
    assert (again.id, again.received) == (begun.id, 50_000)
    with pytest.raises(InvalidInput):
        await imaging.append_upload(doctor, begun.id, 50_000, streamed(content[50_000:] + b"more"))
    assert (await imaging.upload(doctor, begun.id)).state is UploadState.WAITING
    assert await imaging.unpack_next()
    assert (await imaging.upload(doctor, begun.id)).state is UploadState.DONE
    view = await imaging.batch(doctor, case.id)
    assert view is not None
    assert view.stored == 6
    assert (await imaging.begin_upload(doctor, case.id, new)).received == len(content)


async def test_nobody_else_sees_or_touches_an_upload(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView, machine: Actor
) -> None:
    content = zipped(slices(1))
    begun = await imaging.begin_upload(doctor, case.id, new_upload(content))
    colleague, patient = await clinic.doctor("周强"), await clinic.people.actor(case.patient_id)
    for stranger in (colleague, patient, machine):
        with pytest.raises(NotFound):
            await imaging.append_upload(stranger, begun.id, 0, streamed(content))
        assert await imaging.batch(stranger, case.id) is None
    for stranger in (patient, await clinic.expert()):
        with pytest.raises(Forbidden):
            await imaging.begin_upload(stranger, case.id, new_upload(content))
    with pytest.raises(NotFound):
        await imaging.begin_upload(doctor, "0" * 32, new_upload(content))


async def test_nothing_of_a_piece_lies_readable_on_the_disk(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView, tmp_path: Path
) -> None:
    content = as_file(ct_slice(**SAID))
    await send(imaging, doctor, case.id, content, "王小明.dcm")
    written = b"".join(path.read_bytes() for path in (tmp_path / "objects").rglob("*") if path.is_file())
    assert len(written) >= len(content)
    assert b"DICM" not in written
    async with clinic.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ImagingUploadPiece)) == 1


async def test_an_abandoned_upload_is_removed_and_so_is_what_is_remembered_of_one(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView, tmp_path: Path
) -> None:
    content, done = zipped(slices(3)), zipped(slices(2, study=2))
    begun = await imaging.begin_upload(doctor, case.id, new_upload(content))
    await imaging.append_upload(doctor, begun.id, 0, streamed(content[:1000]))
    await brought(imaging, doctor, case.id, done)
    await clinic.pass_time(ABANDONED_AFTER - timedelta(minutes=1))
    assert (await imaging.upload(doctor, begun.id)).received == 1000
    await clinic.pass_time(timedelta(minutes=2))
    with pytest.raises(NotFound):
        await imaging.upload(doctor, begun.id)
    assert await objects(clinic, tmp_path) == 2
    await clinic.pass_time(REMEMBERED_FOR)
    assert await imaging.batch(doctor, case.id) is None


async def test_the_sweep_of_the_store_leaves_what_is_on_its_way(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView, tmp_path: Path
) -> None:
    content = zipped(slices(3))
    await send(imaging, doctor, case.id, content)
    for path in (tmp_path / "objects").rglob("*"):
        if path.is_file():
            os.utime(path, (0, 0))
    assert await imaging.sweep_objects() == 0
    assert await imaging.unpack_next()
    view = await imaging.batch(doctor, case.id)
    assert view is not None
    assert view.stored == 3


async def test_somebody_forgets_an_upload(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView, tmp_path: Path
) -> None:
    content = zipped(slices(3))
    begun = await imaging.begin_upload(doctor, case.id, new_upload(content))
    await imaging.append_upload(doctor, begun.id, 0, streamed(content[:1000]))
    await imaging.drop_upload(doctor, begun.id)
    assert await objects(clinic, tmp_path) == 0
    assert (await imaging.begin_upload(doctor, case.id, new_upload(content))).received == 0


async def test_there_are_not_too_many_unfinished(
    imaging: ImagingService, doctor: Actor, case: ConsultationView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_UNFINISHED", 2)
    for number in range(2):
        await imaging.begin_upload(doctor, case.id, new_upload(bytes(number + 1)))
    with pytest.raises(Conflict):
        await imaging.begin_upload(doctor, case.id, new_upload(b"abc"))


class FullStore(FolderStore):
    """A disk that is full while `full`."""

    full = False

    async def put(self, object_id: str, chunks: Any) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        await super().put(object_id, chunks)


async def test_a_full_disk_loses_nothing_and_what_waits_goes_on_by_itself(
    clinic: Clinic, doctor: Actor, case: ConsultationView, tmp_path: Path
) -> None:
    store = FullStore(tmp_path / "full")
    imaging = imaging_on(beside(clinic), store)
    content = zipped(slices(3))
    begun = await imaging.begin_upload(doctor, case.id, new_upload(content))
    half = len(content) // 2
    await imaging.append_upload(doctor, begun.id, 0, streamed(content[:half]))
    store.full = True
    with pytest.raises(StoreAway):
        await imaging.append_upload(doctor, begun.id, half, streamed(content[half:]))
    assert (await imaging.upload(doctor, begun.id)).received == half
    store.full = False
    await imaging.append_upload(doctor, begun.id, half, streamed(content[half:]))
    store.full = True
    assert await imaging.unpack_next()
    view = await imaging.batch(doctor, case.id)
    assert view is not None
    assert (view.waiting, view.stored, view.fault) == (1, 0, Fault.STORE_AWAY)
    store.full = False
    assert not await imaging.unpack_next(), "it is left alone for a while"
    await clinic.pass_time(timedelta(minutes=1))
    assert await imaging.unpack_next()
    view = await imaging.batch(doctor, case.id)
    assert view is not None
    assert (view.waiting, view.stored, view.fault) == (0, 3, "")
    imaging.close()


async def test_somebody_who_has_left_stores_nothing_more(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView
) -> None:
    await send(imaging, doctor, case.id, zipped(slices(3)))
    await clinic.people.put_practitioner(
        SYSTEM,
        doctor.practitioner_id or "",
        role=Role.GRASSROOTS_DOCTOR,
        name="李梅",
        licence_number=doctor.practitioner_id or "",
        institution_id=clinic.township,
        department_code="general_practice",
        title="主治医师",
        practising_since=2006,
        active=False,
    )
    assert await imaging.unpack_next()
    view = await imaging.batch(doctor, case.id)
    assert view is not None
    assert (view.stored, [code for _name, code in view.faults]) == (0, [Fault.NOT_ALLOWED])


async def test_two_processes_never_read_the_same_upload_at_once(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView, tmp_path: Path
) -> None:
    await send(imaging, doctor, case.id, zipped(slices(5)))
    other = imaging_on(beside(clinic), folder_store(tmp_path))
    assert sorted(await asyncio.gather(imaging.unpack_next(), other.unpack_next())) == [False, True]
    view = await imaging.batch(doctor, case.id)
    assert view is not None
    assert view.stored == 5
    other.close()


async def test_ten_thousand_tiny_files_are_counted(
    imaging: ImagingService, doctor: Actor, case: ConsultationView
) -> None:
    files = {f"图/{number}.txt": b"x" for number in range(10_000)} | slices(5)
    view = await brought(imaging, doctor, case.id, zipped(files, zipfile.ZIP_STORED))
    assert (view.stored, view.skipped, view.refused) == (5, 10_000, 0)


async def test_what_is_not_taken_is_named_with_its_reason(
    imaging: ImagingService, doctor: Actor, case: ConsultationView
) -> None:
    good = as_file(ct_slice(1, **SAID))
    files = slices(1) | {
        "../../etc/passwd": as_file(ct_slice(2, **SAID)),
        "cut": good[:-500],
        "nameless": as_file(ct_slice(3, StudyInstanceUID="1.02")),
        "old.zip": zipped({"a": b"b"}),
        "a\u202egnp.exe": as_file(ct_slice(4, **SAID))[:-900],
    }
    archive = io.BytesIO(zipped(files))
    with zipfile.ZipFile(archive, "a") as opened:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
        opened.writestr("packed.bz2", good, zipfile.ZIP_BZIP2)
    view = await brought(imaging, doctor, case.id, archive.getvalue())
    assert view.stored == 2, "a name is never a path"
    assert set(view.faults) == {
        ("cut", "cut_off"),
        ("nameless", "invalid_identifier"),
        ("old.zip", "nested_archive"),
        ("agnp.exe", "cut_off"),
        ("link", "link"),
        ("packed.bz2", "unsupported_compression"),
    }
    assert view.refused == 6
    assert all(upload_rules.words_of(code) for _name, code in view.faults)


async def test_a_name_that_windows_wrote_is_read(
    imaging: ImagingService, doctor: Actor, case: ConsultationView
) -> None:
    written = zipped({"WXYZ.dcm": as_file(ct_slice())[:-500]}).replace(b"WXYZ", "胸片".encode("gb18030"))
    view = await brought(imaging, doctor, case.id, written)
    assert view.faults == [("胸片.dcm", "cut_off")]


async def test_an_archive_with_a_password_is_told_apart(
    imaging: ImagingService, doctor: Actor, case: ConsultationView
) -> None:
    content = bytearray(zipped({"IM1": as_file(ct_slice())}, zipfile.ZIP_STORED))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    view = await brought(imaging, doctor, case.id, bytes(content))
    assert view.faults == [("IM1", "encrypted")]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (zipped(slices(2))[:-40], Fault.BROKEN_ARCHIVE),
        (b"Rar!\x1a\x07\x01\x00" + bytes(200), Fault.OTHER_ARCHIVE),
        (b"7z\xbc\xaf\x27\x1c" + bytes(200), Fault.OTHER_ARCHIVE),
    ],
)
async def test_an_archive_that_cannot_be_opened_is_told_of_and_may_be_sent_again(
    imaging: ImagingService, doctor: Actor, case: ConsultationView, content: bytes, fault: Fault
) -> None:
    view = await brought(imaging, doctor, case.id, content)
    assert (view.stored, view.refused, list(view.faults)) == (0, 1, [("光盘.zip", fault)])
    assert (await imaging.begin_upload(doctor, case.id, new_upload(content))).received == 0


async def test_a_file_that_was_damaged_on_its_way_may_be_sent_again(
    imaging: ImagingService, doctor: Actor, case: ConsultationView
) -> None:
    content = bytearray(zipped(slices(3), zipfile.ZIP_STORED))
    content[30_000] ^= 1
    view = await brought(imaging, doctor, case.id, bytes(content))
    assert (view.stored, [code for _name, code in view.faults]) == (2, ["damaged"])
    assert (await imaging.begin_upload(doctor, case.id, new_upload(bytes(content)))).received == 0


async def test_a_bomb_is_put_out_by_what_comes_out_of_it(
    clinic: Clinic,
    imaging: ImagingService,
    doctor: Actor,
    case: ConsultationView,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upload_rules, "_FREE_BYTES", 3_000_000)
    huge = ct_slice(2, **SAID)
    huge.Rows = huge.Columns = 4096
    huge.PixelData = bytes(2 * 4096 * 4096)
    content = zipped({"IM1": as_file(huge), **slices(1)})
    assert len(content) < 100_000
    # What the archive says of the size is a lie, and is not asked.
    lie = content.replace(struct.pack("<I", len(as_file(huge))), struct.pack("<I", 1000))
    bomb = await brought(imaging, doctor, case.id, content)
    assert (bomb.stored, bomb.faults) == (0, [("光盘.zip", "too_much")])
    assert await objects(clinic, tmp_path) == 0
    told = await brought(imaging, doctor, case.id, lie)
    assert (told.stored, told.faults[-1]) == (1, ("IM1", "damaged"))
    assert await objects(clinic, tmp_path) == 1


async def test_a_list_of_entries_is_bounded_before_it_is_read(
    imaging: ImagingService, doctor: Actor, case: ConsultationView, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = zipped({f"{number}": b"" for number in range(500)})
    monkeypatch.setattr(upload_archive, "MOST_ENTRIES", 499)
    assert (await brought(imaging, doctor, case.id, content)).faults == [("光盘.zip", "too_many_entries")]
    monkeypatch.setattr(upload_archive, "LARGEST_DIRECTORY", 5_000)
    monkeypatch.setattr(upload_archive, "MOST_ENTRIES", 10_000)
    assert (await brought(imaging, doctor, case.id, content)).faults == [("光盘.zip", "too_many_entries")]


async def test_what_a_disc_has_of_a_refused_instance_does_not_ring_at_the_administrators(
    clinic: Clinic, imaging: ImagingService, doctor: Actor, case: ConsultationView
) -> None:
    await brought(imaging, doctor, case.id, as_file(ct_slice())[:-500], "IM1")
    assert await clinic.published("imaging.instance_refused") == []


async def test_a_doctor_sees_what_differs_and_where_a_study_may_belong(
    clinic: Clinic, imaging: ImagingService, doctor: Actor
) -> None:
    patient = await clinic.patient("王小明")
    await clinic.people.update_person(patient, patient.person_id, sex="male", birth_date=date(1968, 5, 2))
    case = await clinic.draft(patient)
    said = of_patient("Li^Hong=李^红", sex="M")
    [(study, _)] = (await brought(imaging, doctor, case.id, zipped(slices(1, **said)))).studies
    [choice] = await imaging.choices(doctor)
    assert (choice.id, choice.number, choice.patient_name) == (case.id, case.number, "王小明")
    found = {
        one.trait: (one.sent, one.known, one.result) for one in await imaging.differences(doctor, study.id, case.id)
    }
    assert found == {
        "name": ("Li^Hong=李^红", "王小明", Comparison.DIFFERENT),
        "sex": ("M", "male", Comparison.SAME),
        "birth_date": ("", "19680502", Comparison.UNKNOWN),
    }
    with pytest.raises(Forbidden):
        await imaging.choices(patient)
    with pytest.raises(Forbidden):
        await imaging.differences(patient, study.id, case.id)
