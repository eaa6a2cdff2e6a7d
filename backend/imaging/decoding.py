"""A stored instance given out as Explicit VR Little Endian, which everybody has to be able to read: its frames are
decoded one after another as it streams."""

import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from pydicom import uid
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import BaseTag

from backend.imaging.dicomfile import NATIVE, Elements, read_elements, read_meta
from backend.imaging.recoding import as_dataset, file_meta, written
from backend.rendering import DECODABLE, DecodedFrame, Undecodable

CONVERTIBLE = DECODABLE - {uid.ExplicitVRBigEndian}
"""Transfer syntaxes of which Explicit VR Little Endian can be made here."""

_PIXEL_DATA = BaseTag(0x7FE00010)
_OFFSET_TABLES = {BaseTag(0x7FE00001), BaseTag(0x7FE00002)}
_INTERPRETATION, _PLANAR = BaseTag(0x00280004), BaseTag(0x00280006)


@dataclass(frozen=True)
class Decoding:
    """A file that can be given out decoded.

    Args:
        frames: how many; 0 where it is no image. pixels_at: where native pixels begin in the stored file, and
            `pixels_length` how long they are; None where they are encoded.
    """

    file_meta: bytes = field(repr=False)
    before: Elements = field(repr=False)
    after: Elements = field(repr=False)
    transfer_syntax: str
    frames: int
    allocated: int
    pixels_at: int | None
    pixels_length: int


def plan_decoding(file: BinaryIO, size: int) -> Decoding:
    """Read how a file of `size` bytes can be given out.

    Raises:
        Undecodable: it cannot, or has elements too large to hold.
    """
    syntax = read_meta(file)
    elements = read_elements(file, size, syntax)
    pixels = elements.get(_PIXEL_DATA)
    others = {tag: one for tag, one in elements.items() if tag != _PIXEL_DATA and tag not in _OFFSET_TABLES}
    too_long = any(isinstance(one, RawDataElement) and one.value is None and one.length for one in others.values())
    if syntax not in CONVERTIBLE or too_long:
        raise Undecodable
    header = as_dataset({tag: one for tag, one in others.items() if tag.group == 0x0028}, syntax)
    native = isinstance(pixels, RawDataElement) and syntax in NATIVE
    return Decoding(
        file_meta=file_meta(file, uid.ExplicitVRLittleEndian),
        before={tag: one for tag, one in others.items() if tag < _PIXEL_DATA},
        after={tag: one for tag, one in others.items() if tag > _PIXEL_DATA},
        transfer_syntax=syntax,
        frames=int(header.get("NumberOfFrames", 1) or 1) if pixels is not None else 0,
        allocated=int(header.get("BitsAllocated", 8) or 8),
        pixels_at=pixels.value_tell if native and isinstance(pixels, RawDataElement) else None,
        pixels_length=pixels.length if native and isinstance(pixels, RawDataElement) else 0,
    )


async def decoded_file(
    plan: Decoding,
    native: Callable[[int, int], AsyncIterator[bytes]],
    decode: Callable[[int], Awaitable[DecodedFrame]],
) -> AsyncIterator[bytes]:
    """Stream the new file.

    Args:
        native: gives the stored bytes from a place up to another. decode: gives a frame, counted from 1.

    Raises:
        Undecodable: of the first frame, before anything is given; or its pixels are too many for this encoding.
    """
    tail = written(plan.after, plan.transfer_syntax)
    if not plan.frames or plan.pixels_at is not None:
        yield plan.file_meta + written(plan.before, plan.transfer_syntax)
        if plan.pixels_at is not None:
            yield _pixel_header(plan, plan.pixels_length)
            async for piece in native(plan.pixels_at, plan.pixels_at + plan.pixels_length):
                yield piece
        yield tail
        return
    first = await decode(1)
    length = len(first.data) * plan.frames
    if length >= 2**32 - 2:
        raise Undecodable
    yield plan.file_meta + written(_as_decoded(plan.before, first), plan.transfer_syntax)
    yield _pixel_header(plan, length + length % 2)
    yield first.data
    for number in range(2, plan.frames + 1):
        yield (await decode(number)).data
    yield b"\0" * (length % 2) + tail


def _pixel_header(plan: Decoding, length: int) -> bytes:
    representation = b"OW" if plan.allocated > 8 else b"OB"
    return struct.pack("<HH2sHI", _PIXEL_DATA.group, _PIXEL_DATA.element, representation, 0, length)


def _as_decoded(elements: Elements, frame: DecodedFrame) -> Elements:
    """Say of the pixels what decoding made of them."""
    changed = dict(elements)
    changed[_INTERPRETATION] = DataElement(_INTERPRETATION, "CS", frame.interpretation)
    if _PLANAR in changed:
        changed[_PLANAR] = DataElement(_PLANAR, "US", 0)
    return changed
