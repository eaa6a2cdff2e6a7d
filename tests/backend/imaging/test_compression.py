"""Pixels are stored compressed without losing a bit, or stay as they came."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pydicom
import pydicom.data
import pytest
import pytest_asyncio
from pydicom import uid
from pydicom.pixels.utils import pixel_array
from sqlalchemy import select

from backend.imaging import ImagingService, SealedObjects
from backend.imaging.contentdigest import decoded_digest
from backend.imaging.dicomfile import read_instance
from backend.imaging.recoding import TRANSFER_SYNTAX
from backend.imaging.tables import ImagingInstance, sealed_object
from backend.lossless import Frame, FrameCodec, Method, encode_frame
from backend.security.policy import SYSTEM, Actor
from tests.support.clinic import Clinic
from tests.support.imaging import as_file, ct_slice, folder_store, of_patient, streamed
from tests.support.programs import run_program

SAMPLES = Path(pydicom.data.__file__).parent / "test_files"


@pytest_asyncio.fixture
async def codec() -> AsyncIterator[FrameCodec]:
    made = FrameCodec(Method.JPEG_LS)
    yield made
    made.close()


async def row_of(clinic: Clinic) -> ImagingInstance:
    async with clinic.database.reading() as session:
        found: ImagingInstance = (await session.scalars(select(ImagingInstance))).one()
        return found


async def stored(clinic: Clinic, folder: Path) -> bytes:
    objects = SealedObjects(folder_store(folder))
    return b"".join([piece async for piece in objects.get(sealed_object(await row_of(clinic)))])


async def objects_in(folder: Path) -> int:
    return len([found async for found in folder_store(folder).list()])


@pytest.mark.parametrize("method", Method)
async def test_an_instance_is_smaller_afterwards_and_says_and_shows_the_same(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, method: Method
) -> None:
    file = as_file(ct_slice(**of_patient("王^小明")))
    await imaging.receive(machine, streamed(file))
    codec = FrameCodec(method)
    assert await imaging.compress_next(codec)
    assert not await imaging.compress_next(codec)
    codec.close()
    smaller = await stored(clinic, tmp_path)
    before, after = (read_instance(io.BytesIO(one), len(one)) for one in (file, smaller))
    assert after.header_digest == before.header_digest
    assert decoded_digest(io.BytesIO(smaller)) == before.pixel_digest
    row = await row_of(clinic)
    assert (row.transfer_syntax, row.size, row.received_size) == (after.transfer_syntax, len(smaller), len(file))
    assert uid.UID(after.transfer_syntax).is_compressed
    savings = await imaging.savings(SYSTEM)
    assert (savings.instances, savings.received_bytes, savings.stored_bytes) == (1, len(file), len(smaller))


async def test_the_original_goes_when_nobody_can_be_reading_it_any_more(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, codec: FrameCodec
) -> None:
    await imaging.receive(machine, streamed(as_file(ct_slice())))
    await imaging.compress_next(codec)
    assert await objects_in(tmp_path) == 2
    await clinic.pass_time(timedelta(minutes=11))
    assert await objects_in(tmp_path) == 1
    assert pydicom.dcmread(io.BytesIO(await stored(clinic, tmp_path))).file_meta.TransferSyntaxUID == uid.JPEGLSLossless


async def test_an_original_that_is_sent_again_is_still_known(
    imaging: ImagingService, machine: Actor, codec: FrameCodec
) -> None:
    await imaging.receive(machine, streamed(as_file(ct_slice())))
    await imaging.compress_next(codec)
    for syntax in (uid.ExplicitVRLittleEndian, uid.JPEGLSLossless, uid.JPEG2000Lossless):
        assert (await imaging.receive(machine, streamed(as_file(ct_slice(), syntax)))).known


async def test_many_frames_are_compressed_one_at_a_time_with_their_offsets(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, codec: FrameCodec
) -> None:
    frames = 60
    one = ct_slice(NumberOfFrames=frames)
    one.PixelData = b"".join(ct_slice(number).PixelData for number in range(frames))
    await imaging.receive(machine, streamed(as_file(one)))
    await imaging.compress_next(codec)
    smaller = await stored(clinic, tmp_path)
    found = pydicom.dcmread(io.BytesIO(smaller))
    assert found.file_meta.TransferSyntaxUID == uid.JPEGLSLossless
    assert found.pixel_array.tobytes() == one.PixelData
    offsets = pydicom.encaps.parse_basic_offsets(found.PixelData)
    assert len(offsets) == frames
    assert len(list(pydicom.encaps.generate_frames(found.PixelData, number_of_frames=frames))) == frames


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",  # compressed already
        "examples_palette.dcm",
        "liver_1frame.dcm",  # one bit
        "rtdose.dcm",  # 32 bits
        "SC_ybr_full_422_uncompressed.dcm",
        "test-SR.dcm",  # no pixels
    ],
)
async def test_what_does_not_suit_stays_as_it_came(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, codec: FrameCodec, name: str
) -> None:
    file = (SAMPLES / name).read_bytes()
    await imaging.receive(machine, streamed(file))
    await imaging.compress_next(codec)
    assert await stored(clinic, tmp_path) == file
    assert (await row_of(clinic)).compress_at is None
    assert await objects_in(tmp_path) == 1


async def test_signed_pixels_of_fewer_bits_than_their_container_come_back_with_their_signs(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, codec: FrameCodec
) -> None:
    """Most CT machines send 12 to 14 bits of two's complement in 16."""
    one = ct_slice(BitsStored=14, HighBit=13, PixelRepresentation=1)
    one.PixelData = (one.pixel_array.astype("<i2") - 1024).clip(-2000, 3000).tobytes()
    await imaging.receive(machine, streamed(as_file(one)))
    await imaging.compress_next(codec)
    compressed, decoded = tmp_path / "stored.dcm", tmp_path / "decoded.dcm"
    compressed.write_bytes(await stored(clinic, tmp_path))
    found = pydicom.dcmread(compressed)
    assert found.file_meta.TransferSyntaxUID == uid.JPEGLSLossless
    assert found.pixel_array.min() < 0
    assert (found.pixel_array == one.pixel_array).all()
    status, said = await run_program("dcmdjpls", compressed, decoded)
    assert status == 0, said
    assert pydicom.dcmread(decoded).PixelData == one.PixelData
    assert (await imaging.receive(machine, streamed(as_file(one)))).known
    assert (await imaging.receive(machine, streamed(as_file(one, uid.JPEG2000Lossless)))).known


async def test_pixels_with_more_bits_than_are_said_to_be_stored_stay_as_they_came(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, codec: FrameCodec
) -> None:
    """Old machines put an overlay into the unused bits, and a codec would lose it."""
    one = ct_slice(BitsStored=12, HighBit=11, PixelRepresentation=0)
    one.PixelData = bytes([0x00, 0xF0]) * (128 * 128)
    await imaging.receive(machine, streamed(as_file(one)))
    await imaging.compress_next(codec)
    assert await stored(clinic, tmp_path) == as_file(one)


async def test_noise_that_would_not_get_smaller_stays_as_it_came(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, codec: FrameCodec
) -> None:
    one = ct_slice()
    one.PixelData = os.urandom(128 * 128 * 2)
    await imaging.receive(machine, streamed(as_file(one)))
    await imaging.compress_next(codec)
    assert await stored(clinic, tmp_path) == as_file(one)


async def test_a_codec_that_loses_a_bit_or_its_process_leaves_the_original(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path
) -> None:
    class DyingCodec(FrameCodec):
        async def encode(self, pixels: bytes, frame: Frame) -> bytes | None:
            return None

    await imaging.receive(machine, streamed(as_file(ct_slice())))
    assert await imaging.compress_next(DyingCodec(Method.JPEG_LS))
    assert await stored(clinic, tmp_path) == as_file(ct_slice())
    assert await objects_in(tmp_path) == 1


async def test_a_process_of_the_codec_that_is_killed_is_replaced(codec: FrameCodec) -> None:
    pixels, frame = bytes(ct_slice().PixelData), Frame(128, 128, 1, 16, True)
    expected = encode_frame(Method.JPEG_LS, pixels, frame)
    assert await codec.encode(pixels, frame) == expected
    assert codec._process._pool is not None
    [process] = (codec._process._pool._processes or {}).values()
    process.kill()
    await asyncio.to_thread(process.join)
    assert await codec.encode(pixels, frame) is None
    assert await codec.encode(pixels, frame) == expected


async def test_a_job_that_was_killed_is_taken_up_again_and_at_last_given_up(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    class KillingCodec(FrameCodec):
        async def encode(self, pixels: bytes, frame: Frame) -> bytes | None:
            raise Killed

    await imaging.receive(machine, streamed(as_file(ct_slice())))
    killing = KillingCodec(Method.JPEG_LS)
    for _ in range(3):
        with pytest.raises(Killed):
            await imaging.compress_next(killing)
        assert not await imaging.compress_next(killing)
        clinic.clock.advance(timedelta(minutes=31))
    assert not await imaging.compress_next(killing)
    assert await stored(clinic, tmp_path) == as_file(ct_slice())


async def test_two_processes_never_compress_the_same_instance(
    clinic: Clinic, imaging: ImagingService, machine: Actor, codec: FrameCodec
) -> None:
    for number in range(1, 4):
        await imaging.receive(machine, streamed(as_file(ct_slice(number))))
    worked = await asyncio.gather(*(imaging.compress_next(codec) for _ in range(6)))
    assert sorted(worked) == [False] * 3 + [True] * 3
    async with clinic.database.reading() as session:
        attempts = (await session.scalars(select(ImagingInstance.compress_attempts))).all()
    assert list(attempts) == [1, 1, 1]


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_implicit.dcm", "examples_overlay.dcm", "examples_rgb_color.dcm"]
)
async def test_every_method_shows_other_readers_the_pixels_that_came(
    clinic: Clinic, imaging: ImagingService, machine: Actor, tmp_path: Path, method: Method, name: str
) -> None:
    file = (SAMPLES / name).read_bytes()
    await imaging.receive(machine, streamed(file))
    codec = FrameCodec(method)
    await imaging.compress_next(codec)
    codec.close()
    found, sent = (pydicom.dcmread(io.BytesIO(one)) for one in (await stored(clinic, tmp_path), file))
    assert found.file_meta.TransferSyntaxUID == TRANSFER_SYNTAX[method]
    assert found.PhotometricInterpretation == sent.PhotometricInterpretation
    assert (pixel_array(found, raw=True) == pixel_array(sent, raw=True)).all()


@pytest.mark.parametrize("method", Method)
def test_every_method_keeps_the_signs_of_fewer_bits_than_their_container(method: Method) -> None:
    pixels = (ct_slice().pixel_array.astype("<i2") - 1024).clip(-2000, 3000).tobytes()
    encoded = encode_frame(method, pixels, Frame(128, 128, 1, 14, True))
    assert encoded is not None
    assert len(encoded) < len(pixels)


@pytest.mark.parametrize("method", Method)
def test_a_frame_that_no_codec_can_take_is_left_alone(method: Method) -> None:
    assert encode_frame(method, b"", Frame(0, 0, 1, 8, False)) is None
    assert encode_frame(method, bytes(100), Frame(100, 100, 1, 8, False)) is None
