"""One frame of a stored instance, as it is encoded."""

import struct
from typing import BinaryIO

from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.filereader import data_element_generator
from pydicom.pixels.utils import get_expected_length
from pydicom.tag import BaseTag

from backend.imaging.dicomfile import Elements, read_meta
from backend.imaging.recoding import as_dataset
from backend.imaging.walking import LARGEST_ELEMENT
from backend.rendering import StoredFrame, Undecodable

LARGEST_FRAME = 256 * 1024 * 1024
"""Bytes of a frame that is read; a longer one is taken with its whole file."""

_PIXEL_DATA = BaseTag(0x7FE00010)
_OFFSETS, _LENGTHS = BaseTag(0x7FE00001), BaseTag(0x7FE00002)  # the extended offset table (PS3.3, C.7.6.3.1.8)
_SHARED, _BY_FRAME = BaseTag(0x52009229), BaseTag(0x52009230)
_FUNCTIONAL = ("PixelValueTransformationSequence", "FrameVOILUTSequence", "PixelMeasuresSequence")
_DETECTOR_SPACING = BaseTag(0x00181164)


class NoSuchFrame(Exception):
    """The instance has no frame of this number."""


def read_frame(file: BinaryIO, number: int) -> StoredFrame:
    """Read one frame; `number` counts from 1. Only what lies before it is walked over.

    Raises:
        NoSuchFrame: there is none of this number. Undecodable: it is too long, or not of whole bytes.
    """
    syntax = read_meta(file)
    elements = read_head(file, syntax)
    header = as_dataset(
        {tag: one for tag, one in elements.items() if tag.group == 0x0028 or tag == _DETECTOR_SPACING}, syntax
    )
    length = _enter_pixels(file, syntax)
    frames = int(header.get("NumberOfFrames", 1) or 1)
    if length is None or not 1 <= number <= frames:
        raise NoSuchFrame
    try:
        if uid.UID(syntax).is_encapsulated:
            data = _encapsulated(file, elements, number, frames)
        else:
            data = _native(file, header, number, frames)
    except (ValueError, AttributeError, TypeError, struct.error, EOFError) as error:
        raise Undecodable from error
    _lift(header, as_dataset(elements, syntax), number)
    return StoredFrame(data, syntax, header)


def read_head(file: BinaryIO, syntax: str) -> Elements:
    """Read the data set after the file meta information up to the pixels; long values are left out (None)."""
    transfer_syntax = uid.UID(syntax)
    walk = data_element_generator(
        file,
        transfer_syntax.is_implicit_VR,
        transfer_syntax.is_little_endian,
        stop_when=lambda tag, _vr, _length: tag.group >= 0x7FE0 and tag not in (_OFFSETS, _LENGTHS),
        defer_size=LARGEST_ELEMENT,
    )
    return {element.tag: element for element in walk}


def _enter_pixels(file: BinaryIO, syntax: str) -> int | None:
    """Go to where the value of the pixels begins and give its length; None where they are no integers."""
    transfer_syntax = uid.UID(syntax)
    order = "<" if transfer_syntax.is_little_endian else ">"
    head = file.read(8 if transfer_syntax.is_implicit_VR else 12)  # tag; representation and two bytes; length
    if len(head) < 8 or struct.unpack(f"{order}HH", head[:4]) != (_PIXEL_DATA.group, _PIXEL_DATA.element):
        return None
    length: int = struct.unpack(f"{order}I", head[-4:])[0]
    return length


def _encapsulated(file: BinaryIO, elements: Elements, number: int, frames: int) -> bytes:
    tables = tuple(bytes(elements[tag].value or b"") for tag in (_OFFSETS, _LENGTHS) if tag in elements)
    extended = (tables[0], tables[1]) if len(tables) == 2 and all(tables) else None
    data = get_frame(file, number - 1, extended_offsets=extended, number_of_frames=frames)
    if len(data) > LARGEST_FRAME:
        raise Undecodable
    return data


def _native(file: BinaryIO, header: Dataset, number: int, frames: int) -> bytes:
    whole = get_expected_length(header)
    size = whole // frames
    if header.get("BitsAllocated") == 1 or size > LARGEST_FRAME:
        raise Undecodable
    file.seek((number - 1) * size, 1)
    data = file.read(size)
    if len(data) != size:
        raise Undecodable
    return data


def _lift(header: Dataset, dataset: Dataset, number: int) -> None:
    """Put what an enhanced multi-frame image says of this frame's values where single frames have it."""
    for tag, place in ((_SHARED, 0), (_BY_FRAME, number - 1)):
        groups = dataset[tag].value if tag in dataset else None
        if not groups or place >= len(groups):
            continue
        for name in _FUNCTIONAL:
            for item in groups[place].get(name) or []:
                header.update(item)
