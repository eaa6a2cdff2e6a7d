"""What makes two files the same instance, whatever transfer syntax they came in.

Two keyed digests (HMAC-SHA-256, the key derived from the key ring): one over the data set without its pixels, one over
the pixels. Left out of the first is what a change of transfer syntax changes by itself: file meta information, group
lengths, trailing padding, offset tables, the planar configuration, the padding of texts, and the difference between
RGB and the YBR_RCT that JPEG 2000 makes of it. A private sequence is left out too, because in an implicit data set
nothing tells that it is one.
"""

import hashlib
import hmac
import struct
from collections.abc import Mapping
from functools import cache
from operator import itemgetter
from typing import BinaryIO

from pydicom import uid
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.pixels.utils import iter_pixels
from pydicom.tag import BaseTag

from backend.db import key_ring

PIXEL_TAGS = (BaseTag(0x7FE00010), BaseTag(0x7FE00008), BaseTag(0x7FE00009))
"""Pixel data; float pixel data; double float pixel data."""

_Elements = Mapping[BaseTag, RawDataElement | DataElement]

NATIVE_FORM = "native"

_PHOTOMETRIC_INTERPRETATION = 0x00280004
_LEFT_OUT = {0x00280006, 0xFFFCFFFC}
_ITEM = b"\xfe\xff\x00\xe0"
_TEXT = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
_BINARY = {"US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4, "FD": 8, "OD": 8}
_BINARY |= {"SV": 8, "UV": 8, "OV": 8, "US or SS": 2, "US or OW": 2, "US or SS or OW": 2, "OB or OW": 2}
_READ = 1024 * 1024

_tag_and_length = struct.Struct("<IQ").pack


def header_digest(elements: _Elements) -> str:
    """Give the digest of `elements`, as they were read, without the pixels."""
    digest = _keyed()
    parts: list[bytes] = []
    _add_elements(parts, elements)
    digest.update(b"".join(parts))
    return digest.hexdigest()


def pixel_digest(
    file: BinaryIO, pixels: RawDataElement | DataElement | None, length: int | None, encoded: str, dataset: Dataset
) -> tuple[str, str]:
    """Give form and digest of the pixels of a file as they lie there.

    Args:
        pixels: their element. length: how many bytes of it are pixels; None for all to the end of the element.
        encoded: the transfer syntax where it is none of those in which pixels lie little endian as they are.
    """
    if not isinstance(pixels, RawDataElement):
        return "", ""
    by_planes = dataset.get("SamplesPerPixel", 1) != 1 and dataset.get("PlanarConfiguration", 0) == 1
    form = encoded or (NATIVE_FORM if not by_planes else uid.ExplicitVRLittleEndian)
    digest = _keyed()
    file.seek(pixels.value_tell)
    left = length if length is not None else _READ
    while left > 0:
        piece = file.read(min(left, _READ))
        if not piece:
            break
        digest.update(piece)
        left = left - len(piece) if length is not None else _READ
    return form, digest.hexdigest()


def decoded_digest(file: BinaryIO) -> str | None:
    """Give the digest that the pixels of a file would have if they lay there as they are; None where nothing here
    decodes them. One frame is held at a time."""
    digest = _keyed()
    file.seek(0)
    try:
        for frame in iter_pixels(file, raw=True):
            digest.update(frame.astype(frame.dtype.newbyteorder("<"), copy=False).tobytes())
    except (RuntimeError, ValueError, AttributeError, NotImplementedError, EOFError, struct.error):
        return None
    return digest.hexdigest()


def _keyed() -> "hmac.HMAC":
    return hmac.new(key_ring().derive("imaging.content"), digestmod=hashlib.sha256)


def _add_elements(parts: list[bytes], elements: _Elements) -> None:
    # Plain numbers, which sort, compare and are looked up several times faster than the library's tags.
    for tag, element in sorted(zip(map(int, elements), elements.values(), strict=True), key=itemgetter(0)):
        if tag & 0xFFFF == 0 or tag >> 16 == 0x7FE0 or tag in _LEFT_OUT:
            continue
        private = bool(tag >> 16 & 1)
        representation = (None if private else known_representation(tag)) or element.VR
        if representation == "SQ":
            if not private:
                _add_sequence(parts, tag, element)
            continue
        value = element.value or b""
        if isinstance(value, bytes) and not (private and value.startswith(_ITEM)):
            value = _normal(tag, str(representation), value, element)
            parts += (_tag_and_length(tag, len(value)), value)


def _normal(tag: int, representation: str, value: bytes, element: RawDataElement | DataElement) -> bytes:
    if representation in _BINARY and isinstance(element, RawDataElement) and not element.is_little_endian:
        value = _little_endian(value, _BINARY[representation])
    if tag >> 16 & 1:
        # Not every transfer syntax tells whether a private value is a text, which one of these pads to an even length.
        return value[:-1] if value[-1:] in (b" ", b"\0") else value
    if representation in _TEXT:
        value = value.rstrip(b"\0 ")
    return b"RGB" if tag == _PHOTOMETRIC_INTERPRETATION and value == b"YBR_RCT" else value


def _add_sequence(parts: list[bytes], tag: int, element: RawDataElement | DataElement) -> None:
    converted = convert_raw_data_element(element) if isinstance(element, RawDataElement) else element
    items = converted.value or []
    parts.append(_tag_and_length(tag, len(items)) + b"SQ")
    for item in items:
        parts.append(b"item")
        _add_elements(parts, dict(item.items()))


@cache
def known_representation(tag: int) -> str | None:
    """Give the value representation that the dictionary tells, for an implicit data set has no other."""
    try:
        return dictionary_VR(tag)  # of the few attributes with two, neither is a text or a sequence
    except KeyError:
        return None


def _little_endian(value: bytes, width: int) -> bytes:
    swapped = bytearray(len(value) // width * width)
    for byte in range(width):
        swapped[byte::width] = value[width - 1 - byte :: width][: len(swapped) // width]
    return bytes(swapped)
