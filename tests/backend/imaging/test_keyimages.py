"""Key images: marked by those who treat, seen by all who see the images, told to the other side after a minute."""

import asyncio
import io
from dataclasses import dataclass

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from pydicom import uid
from pydicom.encaps import encapsulate
from sqlalchemy import select

from backend.errors import Conflict, Forbidden, NotFound
from backend.files import FileRow
from backend.imaging import ImagingService, keyimages
from backend.imaging.keyimages import QUIET_FOR, KeyImageView
from backend.rendering import Window
from backend.security.policy import Action, Actor
from backend.security.tables import AuditEntry
from tests.support.clinic import Clinic
from tests.support.forwarding import Case, submitted_case
from tests.support.imaging import as_file, ct_slice, of_patient, streamed
from tests.support.pictures import jpeg, quarters

LUNG = Window(-600, 1500)


@dataclass
class Marking:
    """A case that an expert has, with a CT."""

    case: Case
    patient: Actor
    sops: list[str]

    async def mark(self, who: Actor, number: int = 1, window: Window | None = None, **more: bool) -> KeyImageView:
        return await self.case.imaging.mark_key_image(who, self.case.id, self.sops[number - 1], 1, window, **more)

    async def list(self, who: Actor) -> list[KeyImageView]:
        return await self.case.imaging.key_images(who, self.case.id)

    async def picture(self, marked: KeyImageView) -> Image.Image:
        assert marked.file_id is not None
        data, media_type = await self.case.clinic.files.get(marked.file_id)
        assert media_type == "image/jpeg"
        return Image.open(io.BytesIO(data))

    async def files(self) -> int:
        async with self.case.clinic.database.reading() as session:
            return len((await session.scalars(select(FileRow.id))).all())


@pytest_asyncio.fixture
async def marking(clinic: Clinic, imaging: ImagingService, machine: Actor) -> Marking:
    case = await submitted_case(clinic, imaging, machine)
    await case.assign()
    slices = await case.images(range(1, 4))
    reference = await clinic.care.reference(case.id)
    assert reference is not None
    patient = await clinic.people.actor(reference.patient_id)
    return Marking(case, patient, [one.SOPInstanceUID for one in slices])


async def test_what_one_marks_all_who_see_the_images_see_with_the_window_and_who_it_was(marking: Marking) -> None:
    case = marking.case
    await marking.mark(case.doctor, 1, LUNG, inverted=True)
    await marking.mark(case.expert, 3)
    for reader in (case.doctor, case.expert, marking.patient):
        first, second = await marking.list(reader)
        assert (first.sop_instance_uid, first.frame, first.window, first.inverted) == (marking.sops[0], 1, LUNG, True)
        assert (first.marker, second.marker) == ("李梅医生", "张强专家")
        assert second.window is None


async def test_a_frame_that_two_mark_at_once_is_marked_once(marking: Marking) -> None:
    case = marking.case
    both = await asyncio.gather(marking.mark(case.doctor), marking.mark(case.expert), marking.mark(case.doctor))
    assert len({one.id for one in both}) == 1
    assert len(await marking.list(case.doctor)) == 1


async def test_a_mark_is_taken_back_by_anybody_who_treats_and_twice_is_no_error(marking: Marking) -> None:
    case = marking.case
    marked = await marking.mark(case.doctor)
    assert await marking.files() == 1
    for _ in range(2):
        await case.imaging.unmark_key_image(case.expert, case.id, marked.id)
    assert await marking.list(case.doctor) == []
    assert await marking.files() == 0, "its picture goes with it"
    assert (await marking.mark(case.doctor)).id != marked.id


async def test_patients_and_strangers_mark_nothing(clinic: Clinic, marking: Marking) -> None:
    case, stranger = marking.case, await clinic.expert("赵六")
    marked = await marking.mark(case.doctor)
    for who in (marking.patient, stranger):
        with pytest.raises(Forbidden):
            await marking.mark(who, 2)
        with pytest.raises(Forbidden):
            await case.imaging.unmark_key_image(who, case.id, marked.id)
        assert not await case.imaging.may_mark(who, case.id)
    with pytest.raises(Forbidden):
        await marking.list(stranger)
    assert await case.imaging.may_mark(case.expert, case.id)


async def test_what_is_not_of_the_case_is_not_found(clinic: Clinic, marking: Marking) -> None:
    case = marking.case
    other = await clinic.draft(await clinic.patient("赵大爷"))
    for consultation_id, sop, frame in (
        (case.id, "1.2.3", 1),
        (case.id, marking.sops[0], 2),
        (other.id, marking.sops[0], 1),
    ):
        with pytest.raises(NotFound):
            await case.imaging.mark_key_image(case.doctor, consultation_id, sop, frame)


async def test_more_than_enough_are_refused(marking: Marking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyimages, "MOST_KEY_IMAGES", 2)
    await marking.mark(marking.case.doctor, 1)
    await marking.mark(marking.case.doctor, 2)
    with pytest.raises(Conflict, match="conflict") as refusal:
        await marking.mark(marking.case.doctor, 3)
    assert "2张" in refusal.value.sentence


async def test_marking_and_reading_are_audited(clinic: Clinic, marking: Marking) -> None:
    marked = await marking.mark(marking.case.doctor)
    await marking.list(marking.case.expert)
    async with clinic.database.reading() as session:
        query = select(AuditEntry).where(AuditEntry.subject == f"imaging_key_image:{marked.id}")
        [entry] = await session.scalars(query)
        assert (entry.action, entry.actor_id) == (Action.IMAGING_MARK.value, marking.case.doctor.person_id)
        read = select(AuditEntry.action).where(AuditEntry.actor_id == marking.case.expert.person_id)
        assert Action.IMAGING_READ.value in list(await session.scalars(read))


async def test_the_picture_is_what_the_marker_saw(marking: Marking) -> None:
    """Against the definition of the window (PS3.3, C.11.2.1.2.1), within what JPEG changes."""
    sent = ct_slice(2)
    values = sent.pixel_array * float(sent.RescaleSlope) + float(sent.RescaleIntercept)
    wanted = np.clip((values - (LUNG.center - 0.5)) / (LUNG.width - 1) + 0.5, 0, 1) * 255
    for inverted in (False, True):
        marked = await marking.mark(marking.case.doctor, 2, LUNG, inverted=inverted)
        picture = await marking.picture(marked)
        expected = 255 - wanted if inverted else wanted
        assert (picture.mode, picture.size) == ("L", (128, 128))
        assert np.abs(np.asarray(picture).astype(float) - expected).mean() < 2
        await marking.case.imaging.unmark_key_image(marking.case.doctor, marking.case.id, marked.id)


async def test_a_frame_that_is_stored_as_jpeg_is_a_picture_too(
    marking: Marking, imaging: ImagingService, machine: Actor
) -> None:
    await imaging.receive(machine, streamed(_photograph(marking.case.number)))
    marked = await imaging.mark_key_image(marking.case.doctor, marking.case.id, "1.2.3.4.5", 1)
    picture = await marking.picture(marked)
    assert picture.size == (1080, 540), "at most as long as a phone is wide"


async def test_an_image_with_names_burned_into_it_is_marked_and_gives_no_picture(
    marking: Marking, imaging: ImagingService, machine: Actor
) -> None:
    await imaging.receive(machine, streamed(_photograph(marking.case.number, BurnedInAnnotation="YES")))
    marked = await imaging.mark_key_image(marking.case.doctor, marking.case.id, "1.2.3.4.5", 1)
    assert marked.file_id is None
    assert len(await marking.list(marking.case.doctor)) == 1


def _photograph(number: str, **changes: object) -> bytes:
    """Give a colour image in JPEG Baseline."""
    dataset = ct_slice(9, **of_patient("王小明", accession=number))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid.UID("1.2.3.4.5")
    data = jpeg(quarters(1600, 800), subsampling="4:2:2")
    dataset.PixelData = encapsulate([data])
    dataset["PixelData"].is_undefined_length = True
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 800, 1600, 3
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.PlanarConfiguration = 7, 0, 0
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    for name, value in changes.items():
        setattr(dataset, name, value)
    return as_file(dataset)


async def test_the_other_side_is_told_once_after_a_minute_without_marks(clinic: Clinic, marking: Marking) -> None:
    case = marking.case
    first = await marking.mark(case.doctor, 1)
    await clinic.pass_time(QUIET_FOR / 2)
    second = await marking.mark(case.doctor, 2)
    await clinic.pass_time(QUIET_FOR / 2)
    assert await clinic.published("imaging.key_images_marked") == [], "marking goes on"
    await clinic.pass_time(QUIET_FOR / 2)
    [told] = await clinic.published("imaging.key_images_marked")
    assert told["key_image_ids"] == [first.id, second.id]
    assert (told["side"], told["actor_id"]) == ("grassroots_doctor", case.doctor.person_id)

    third = await marking.mark(case.expert, 3)
    await clinic.pass_time(QUIET_FOR)
    *_, told = await clinic.published("imaging.key_images_marked")
    assert (told["side"], told["key_image_ids"]) == ("expert", [third.id]), "nothing is told twice"


async def test_what_is_taken_back_within_the_minute_is_told_to_nobody(clinic: Clinic, marking: Marking) -> None:
    marked = await marking.mark(marking.case.doctor)
    await marking.case.imaging.unmark_key_image(marking.case.doctor, marking.case.id, marked.id)
    await clinic.pass_time(QUIET_FOR)
    assert await clinic.published("imaging.key_images_marked") == []


async def test_a_picture_that_was_told_of_outlives_its_mark(clinic: Clinic, marking: Marking) -> None:
    marked = await marking.mark(marking.case.doctor)
    await clinic.pass_time(QUIET_FOR)
    await marking.case.imaging.unmark_key_image(marking.case.doctor, marking.case.id, marked.id)
    assert (await marking.picture(marked)).size == (128, 128), "the message with it may not have left yet"
