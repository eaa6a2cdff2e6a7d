"""Photographs of a case: listed for those who may read it, and made DICOM Secondary Captures where somebody asks."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest
import pytest_asyncio
from PIL import ExifTags, Image
from pydicom import uid
from pydicom.pixels.utils import pixel_array

from backend.errors import Forbidden, NotFound
from backend.imaging import ImagingService, InstanceView, StowAddress
from backend.imaging.linking import SETTLED_AFTER
from backend.imaging.photograph_dicom import study_uid
from backend.photographs import CleanPicture, clean
from backend.security.policy import SYSTEM, Actor
from tests.support.clinic import Clinic
from tests.support.forwarding import Case, submitted_case
from tests.support.orthanc import AUTHORIZATION, running_orthanc
from tests.support.pictures import jpeg, png, quarters
from tests.support.programs import run_program

WOUND = clean(jpeg(quarters(320, 200)), "image/jpeg")


@dataclass
class Album:
    """A case that an expert has, to which photographs are sent."""

    case: Case
    patient: Actor

    async def send(self, who: Actor, picture: CleanPicture = WOUND, note: str = "") -> str:
        """Attach a photograph and give its identifier."""
        clinic = self.case.clinic
        file_id = await clinic.files.put_picture(picture, who.person_id)
        await clinic.care.attach(who, self.case.id, file_id, note)
        return file_id

    async def convert(self, who: Actor, file_id: str, *, names_visible: bool = False) -> None:
        await self.case.imaging.convert_photograph(who, self.case.id, file_id, names_visible=names_visible)

    async def instances(self) -> Sequence[InstanceView]:
        """Of the study of the photographs."""
        imaging = self.case.imaging
        study = await imaging.study(self.case.doctor, study_uid(self.case.id), self.case.id)
        return await imaging.instances_of(study, limit=10)

    async def file(self, place: int = 0) -> bytes:
        """One of them as it is stored."""
        instance = (await self.instances())[place]
        return b"".join([piece async for piece in self.case.imaging.stored_file(instance)])

    async def image(self, place: int = 0) -> pydicom.FileDataset:
        return pydicom.dcmread(io.BytesIO(await self.file(place)))


@pytest_asyncio.fixture
async def album(clinic: Clinic, imaging: ImagingService, machine: Actor) -> Album:
    case = await submitted_case(clinic, imaging, machine)
    reference = await clinic.care.reference(case.id)
    assert reference is not None
    patient = await clinic.people.actor(reference.patient_id)
    await clinic.people.update_person(patient, patient.person_id, sex="male")
    await case.assign()
    return Album(case, patient)


async def test_the_photographs_of_a_case_are_listed_however_they_came(clinic: Clinic, album: Album) -> None:
    case, care = album.case, clinic.care
    first = await album.send(album.patient, note="伤口")
    await care.request_supplement(case.expert, case.id, "请补充胸片")
    second = await clinic.picture(case.doctor)
    await care.answer_supplement(case.doctor, case.id, file_ids=[second])
    await care.start(case.expert, case.id)
    third = await clinic.picture(case.expert)
    await care.post(case.expert, case.id, kind="image", file_id=third)
    for reader in (album.patient, case.doctor, case.expert):
        found = await case.imaging.photographs(reader, case.id)
        assert [(one.file_id, one.sender, one.note) for one in found] == [
            (first, "患者", "伤口"),
            (second, "李梅医生", ""),
            (third, "张强专家", ""),
        ]
    with pytest.raises(Forbidden):
        await case.imaging.photographs(await clinic.expert("赵六"), case.id)


async def test_nothing_is_converted_unasked(album: Album) -> None:
    await album.send(album.patient)
    assert [one.converted for one in await album.case.imaging.photographs(album.patient, album.case.id)] == [False]
    assert await album.case.imaging.studies_of(SYSTEM, album.case.id) == []


async def test_a_photograph_becomes_a_secondary_capture_of_the_case_with_the_same_bytes(album: Album) -> None:
    case = album.case
    await album.convert(case.expert, await album.send(case.doctor))
    image = await album.image()
    assert image.SOPClassUID == uid.SecondaryCaptureImageStorage
    assert image.file_meta.TransferSyntaxUID == uid.JPEGBaseline8Bit
    assert (image.PatientName, image.PatientSex, image.AccessionNumber) == ("王小明", "M", case.number)
    assert (image.PhotometricInterpretation, image.ConversionType, image.Modality) == ("YBR_FULL_422", "DI", "XC")
    assert (image.Rows, image.Columns, image.SamplesPerPixel) == (200, 320, 3)
    assert (image.LossyImageCompression, image.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert next(iter(pydicom.encaps.generate_frames(image.PixelData, number_of_frames=1))).rstrip(b"\0") == (
        WOUND.data.rstrip(b"\0")
    )
    # pydicom decodes by itself what the header says: it has to be what Pillow sees in the photograph.
    shown = pixel_array(io.BytesIO(await album.file()))
    assert np.abs(shown.astype(int) - np.asarray(Image.open(io.BytesIO(WOUND.data)))).max() <= 3
    [study] = await case.imaging.studies_of(case.doctor, case.id)
    assert (study.study_uid, study.modalities, study.instances) == (study_uid(case.id), ("XC",), 1)


async def test_every_element_is_what_the_modules_ask_for(album: Album) -> None:
    """Type 1 and 2 attributes of PS3.3, table A.8-1, with the modules that it names."""
    await album.convert(album.case.doctor, await album.send(album.patient))
    image = await album.image()
    filled = """SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality ConversionType SamplesPerPixel
        PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation PlanarConfiguration
        LossyImageCompressionRatio StudyDate StudyTime StudyID AccessionNumber SeriesNumber InstanceNumber PatientID"""
    there = "PatientBirthDate PatientSex ReferringPhysicianName PatientOrientation ContentDate ContentTime"
    assert [name for name in filled.split() if image.get(name) in (None, "")] == []
    assert [name for name in there.split() if name not in image] == []


@pytest.mark.parametrize(("names_visible", "said"), [(True, "YES"), (False, "NO")])
async def test_whether_names_are_to_be_seen_is_what_the_person_said(
    album: Album, names_visible: bool, said: str
) -> None:
    await album.convert(album.case.doctor, await album.send(album.patient), names_visible=names_visible)
    assert (await album.image()).BurnedInAnnotation == said


async def test_twice_and_at_once_is_one_instance(album: Album) -> None:
    doctor, expert, file_id = album.case.doctor, album.case.expert, await album.send(album.patient)
    await asyncio.gather(album.convert(doctor, file_id, names_visible=True), album.convert(expert, file_id))
    before = await album.file()
    await album.convert(expert, file_id)
    assert len(await album.instances()) == 1
    assert await album.file() == before
    assert [one.converted for one in await album.case.imaging.photographs(doctor, album.case.id)] == [True]


async def test_photographs_are_one_series_of_one_patient_even_when_the_name_is_put_right_in_between(
    clinic: Clinic, album: Album
) -> None:
    first, second = await album.send(album.patient), await album.send(album.case.doctor)
    await album.convert(album.case.doctor, first)
    await clinic.people.update_person(album.patient, album.patient.person_id, name="王晓明")
    await album.convert(album.case.doctor, second)
    assert [one.number for one in await album.instances()] == [1, 2]
    assert len({one.series_uid for one in await album.instances()}) == 1


async def test_the_patient_has_the_number_by_which_the_other_studies_know_them(album: Album) -> None:
    await album.case.images([1], PatientID="CT-4711")
    await album.convert(album.case.doctor, await album.send(album.patient))
    assert (await album.image()).PatientID == "CT-4711"


@pytest.mark.parametrize("mode", ["RGB", "L"])
async def test_a_drawn_picture_is_kept_without_loss(album: Album, mode: str) -> None:
    drawn = quarters(31, 21).convert(mode)
    await album.convert(album.case.doctor, await album.send(album.patient, clean(png(drawn), "image/png")))
    image = await album.image()
    assert image.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert np.array_equal(image.pixel_array, np.asarray(drawn))


async def test_a_grey_photograph_is_monochrome(album: Album) -> None:
    film = clean(jpeg(quarters(64, 48).convert("L")), "image/jpeg")
    await album.convert(album.case.doctor, await album.send(album.patient, film))
    assert (await album.image()).PhotometricInterpretation == "MONOCHROME2"


async def test_patients_strangers_and_pictures_of_other_cases_are_refused(clinic: Clinic, album: Album) -> None:
    file_id = await album.send(album.patient)
    for who in (album.patient, await clinic.expert("赵六")):
        with pytest.raises(Forbidden):
            await album.convert(who, file_id)
        assert not await album.case.imaging.may_convert(who, album.case.id)
    other = await clinic.picture(album.case.doctor)
    with pytest.raises(NotFound):
        await album.convert(album.case.doctor, other)


async def test_where_it_was_taken_is_nowhere_in_the_object(album: Album) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "PLACE-WHERE-SHE-LIVES"
    sent = jpeg(quarters(), exif=exif)
    assert b"PLACE-WHERE" in sent
    await album.convert(album.case.doctor, await album.send(album.patient, clean(sent, "image/jpeg")))
    assert b"PLACE-WHERE" not in await album.file()


async def test_the_experts_pacs_gets_it_and_shows_it_and_dcmtk_reads_it(
    clinic: Clinic, album: Album, tmp_path: Path
) -> None:
    case = album.case
    async with running_orthanc() as orthanc:
        address = StowAddress(orthanc.url, AUTHORIZATION)
        await case.imaging.register_destination(SYSTEM, clinic.hospital, "省医院PACS", address)
        await album.convert(case.doctor, await album.send(album.patient))
        await clinic.pass_time(SETTLED_AFTER)
        await case.hear()
        await case.imaging.forward_waiting()
        [stored] = await orthanc.instances()
        assert stored.SOPInstanceUID == (await album.image()).SOPInstanceUID
        shown = Image.open(io.BytesIO(await orthanc.preview()))
        wanted = np.asarray(Image.open(io.BytesIO(WOUND.data)))
        assert np.abs(np.asarray(shown.convert("RGB")).astype(int) - wanted).mean() < 3
    path = tmp_path / "photograph.dcm"
    path.write_bytes(await album.file())
    status, output = await run_program("dcmdump", "+P", "PhotometricInterpretation", "+P", "PatientName", str(path))
    assert status == 0
    assert "YBR_FULL_422" in output
    status, output = await run_program("dcmdjpeg", str(path), str(tmp_path / "decoded.dcm"))
    assert status == 0, output
    decoded = pydicom.dcmread(tmp_path / "decoded.dcm")
    assert decoded.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert decoded.PhotometricInterpretation == "RGB"
    assert np.abs(decoded.pixel_array.astype(int) - wanted).max() <= 8
