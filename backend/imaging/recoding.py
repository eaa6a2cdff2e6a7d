"""Writing an instance again with its pixels compressed: the same data set, in another transfer syntax."""

import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import BinaryIO

from pydicom import uid
from pydicom.charset import convert_encodings
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.tag import BaseTag

from backend.imaging.dicomfile import NATIVE, Elements, after_meta, read_elements, read_meta
from backend.imaging.spool import Spool
from backend.lossless import Frame, Method

TRANSFER_SYNTAX: dict[Method, str] = {
    Method.JPEG_LS: uid.JPEGLSLossless,
    Method.JPEG_2000: uid.JPEG2000Lossless,
    Method.HTJ2K: uid.HTJ2KLossless,
}
"""What each method makes of a file."""

_PREAMBLE = 128
_PIXEL_DATA = BaseTag(0x7FE00010)
_ITEM = b"\xfe\xff\x00\xe0"
_INTERPRETATIONS = {"MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL"}


@dataclass(frozen=True)
class Recoding:
    """A file that can be compressed.

    Args:
        head, tail: what comes before and after the pixels in the new file.
        pixels_at: where the pixels begin in the old one, bytes. frames: how many, each of `frame_bytes`.
    """

    head: bytes = field(repr=False)
    tail: bytes = field(repr=False)
    frame: Frame
    frames: int
    frame_bytes: int
    pixels_at: int


def plan_recoding(file: BinaryIO, size: int, method: Method) -> Recoding | None:
    """Read how a file can be compressed; None where it stays as it is: compressed already, float, one-bit, palette,
    colour by plane, or with elements too large to hold."""
    syntax = read_meta(file)
    elements = read_elements(file, size, syntax)
    pixels = elements.get(_PIXEL_DATA)
    if syntax not in NATIVE or not isinstance(pixels, RawDataElement):
        return None
    others = {tag: element for tag, element in elements.items() if tag != _PIXEL_DATA}
    if any(isinstance(one, RawDataElement) and one.value is None and one.length for one in others.values()):
        return None
    dataset = as_dataset(others, syntax)
    frame = _frame(dataset)
    if frame is None:
        return None
    frame_bytes = frame.rows * frame.columns * frame.samples * (1 if frame.bits_stored <= 8 else 2)
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    if frames * frame_bytes > pixels.length:
        return None
    return Recoding(
        head=file_meta(file, TRANSFER_SYNTAX[method])
        + written({tag: element for tag, element in others.items() if tag < _PIXEL_DATA}, syntax),
        tail=written({tag: element for tag, element in others.items() if tag > _PIXEL_DATA}, syntax),
        frame=frame,
        frames=frames,
        frame_bytes=frame_bytes,
        pixels_at=pixels.value_tell,
    )


async def recoded(recoding: Recoding, frames: Spool, lengths: list[int]) -> AsyncIterator[bytes]:
    """Stream the new file: encapsulated frames, one fragment each, with a basic offset table (PS3.5, section A.4).

    Args:
        frames: the compressed frames one after another, each of even length. lengths: theirs, bytes.
    """
    offsets = [sum(lengths[:place]) + 8 * place for place in range(len(lengths))]
    if offsets[-1] >= 2**32:
        offsets = []  # the table may be empty
    table = struct.pack(f"<{len(offsets)}I", *offsets)
    yield recoding.head
    yield struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + _ITEM + struct.pack("<I", len(table)) + table
    cut = _Cut(frames.chunks())
    for length in lengths:
        yield _ITEM + struct.pack("<I", length)
        async for piece in cut.take(length):
            yield piece
    yield b"\xfe\xff\xdd\xe0\0\0\0\0" + recoding.tail


class _Cut:
    """Cuts a stream at given places."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    async def take(self, length: int) -> AsyncIterator[bytes]:
        while length:
            if not self._held:
                self._held = await anext(self._pieces)
            piece, self._held = self._held[:length], self._held[length:]
            length -= len(piece)
            yield piece


def _frame(dataset: Dataset) -> Frame | None:
    allocated, stored = int(dataset.get("BitsAllocated", 0)), int(dataset.get("BitsStored", 0))
    samples = int(dataset.get("SamplesPerPixel", 1))
    suitable = (
        dataset.get("PhotometricInterpretation") in _INTERPRETATIONS
        and allocated in (8, 16)
        and allocated - 8 < stored <= allocated
        and (samples == 1 or (samples == 3 and dataset.get("PlanarConfiguration", 0) == 0))
    )
    if not suitable or not dataset.get("Rows") or not dataset.get("Columns"):
        return None
    return Frame(int(dataset.Rows), int(dataset.Columns), samples, stored, dataset.get("PixelRepresentation") == 1)


def as_dataset(elements: Elements, syntax: str) -> Dataset:
    """Give elements as they were read from a file of this transfer syntax as a data set."""
    dataset = Dataset(dict(elements))
    encodings = convert_encodings(dataset.get("SpecificCharacterSet"))
    transfer_syntax = uid.UID(syntax)
    dataset.set_original_encoding(transfer_syntax.is_implicit_VR, transfer_syntax.is_little_endian, encodings)
    return dataset


def written(elements: Elements, syntax: str) -> bytes:
    """Give elements as they were read from a file of this transfer syntax, encoded as Explicit VR Little Endian."""
    if not elements:
        return b""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, as_dataset(elements, syntax))
    return bytes(buffer.getvalue())


def file_meta(file: BinaryIO, transfer_syntax: str) -> bytes:
    """Give the preamble and file meta information of a file, with another transfer syntax."""
    file.seek(0)
    start = file.read(_PREAMBLE + 4)
    meta = read_dataset(file, False, True, stop_when=after_meta)
    meta.TransferSyntaxUID = uid.UID(transfer_syntax)
    buffer = DicomBytesIO()
    write_file_meta_info(buffer, meta, enforce_standard=False)  # type: ignore[arg-type]  # it needs no more of it
    return start + bytes(buffer.getvalue())
