"""The header of an instance in the DICOM JSON model (PS3.18, annex F), without pixels and other long binary values.

It is made once and kept beside the row of the instance, compressed (`headerkeeping`): a viewer asks for the headers of
a whole series before it shows anything. It is made from the elements as they lie in the file, some five times as fast
as by way of the library's data sets; what is rare (private values in an implicit data set, tags as values) is left to
those.
"""

import base64
import json
import math
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.tag import BaseTag

from backend.imaging.contentdigest import known_representation
from backend.imaging.dicomfile import Elements, read_meta
from backend.imaging.frames import read_head
from backend.imaging.json_model import DataSet, person_names
from backend.imaging.recoding import as_dataset
from backend.imaging.texts import Texts

LARGEST_HEADER = 4 * 1024 * 1024
"""Bytes of JSON up to which a header is kept; a longer one is read from its object each time."""

_CHARACTER_SET, _SYNTAX = BaseTag(0x00080005), "00083002"
_SIGNED = BaseTag(0x00280103)
_LONGEST_INLINE = 1024
_LONGEST_NESTED = 128 * 1024  # a look-up table of 65 536 values: a viewer shows nothing right without it
_LEVEL = 6
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
_BINARY = {"OB", "OW", "OF", "OD", "OL", "OV", "UN"}
_TEXTS = {"AE", "AS", "CS", "DA", "DT", "LO", "SH", "TM", "UC", "UI"}
_WHOLE_TEXTS = {"LT", "ST", "UT", "UR"}
_INTEGER = re.compile(r"[+-]?\d+")


def packed_header(file: BinaryIO) -> bytes | None:
    """Give the header of a file as it is kept: its JSON, compressed; None where it is too long for that."""
    written = _written(read_header(file))
    return zlib.compress(written, _LEVEL) if len(written) <= LARGEST_HEADER else None


def unpacked_header(packed: bytes, syntax: str) -> bytes:
    """Give the JSON of a kept header, with the transfer syntax in which the instance is stored now."""
    available = json.dumps({_SYNTAX: {"vr": "UI", "Value": [syntax]}}, separators=(",", ":"))
    return available[:-1].encode() + b"," + zlib.decompress(packed)[1:]


def written_header(file: BinaryIO) -> bytes:
    """Give the JSON of the header of a file, with its transfer syntax."""
    syntax = read_meta(file)
    return _written(read_header(file) | {_SYNTAX: {"vr": "UI", "Value": [syntax]}})


def read_header(file: BinaryIO) -> DataSet:
    """Give the header of a file; what has no valid value is left out."""
    syntax = read_meta(file)
    elements = {tag: one for tag, one in read_head(file, syntax).items() if tag.group < 0x7FE0}
    texts = Texts(elements)
    signed = elements.get(_SIGNED)
    writer = _Writer(texts, syntax, is_signed=signed is not None and bytes(signed.value or b"")[:2] == b"\1\0")
    told = writer.write(elements, _LONGEST_INLINE)
    if _CHARACTER_SET in elements:
        told["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}  # what JSON is in
    return told


def _written(header: DataSet) -> bytes:
    return json.dumps(header, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")


class _Writer:
    """Makes the JSON model of elements as they were read.

    Args:
        is_signed: what the values are whose representation depends on the pixels' (PS3.6: "US or SS").
    """

    def __init__(self, texts: Texts, syntax: str, *, is_signed: bool) -> None:
        self._texts = texts
        self._syntax = syntax
        self._is_signed = is_signed

    def write(self, elements: Elements, longest: int) -> DataSet:
        told: DataSet = {}
        for tag, element in elements.items():
            if tag.element == 0:  # a group length
                continue
            try:
                found = self._element(tag, element, longest)
            except (ValueError, TypeError, AttributeError, KeyError, OverflowError, NotImplementedError, struct.error):
                continue
            if found is None:
                found = self._by_the_library(tag, element, elements)
            if found:
                told[f"{tag:08X}"] = found
        return told

    def _element(self, tag: BaseTag, element: RawDataElement | DataElement, longest: int) -> dict[str, Any] | None:
        """Give the element; empty where it is left out, None where the library has to read it."""
        representation = self._representation(tag, element)
        if representation == "SQ":
            return self._sequence(element)
        raw = element.value
        if raw is None:
            return {} if getattr(element, "length", 0) else {"vr": representation}
        if not isinstance(raw, bytes):
            return None
        if not raw:
            return {"vr": representation} if representation not in ("", "UN") else None
        if representation in _BINARY and isinstance(element, RawDataElement) and element.VR != "UN":
            return _inline(representation, raw) if len(raw) <= longest else {}
        if representation in _NUMBERS and isinstance(element, RawDataElement):
            return _valued(representation, _numbers(representation, raw, little=element.is_little_endian))
        read = _READERS.get(representation)
        return None if read is None else read(representation, self._texts.decoded(raw))

    def _representation(self, tag: BaseTag, element: RawDataElement | DataElement) -> str:
        representation = element.VR
        if representation is None and not tag.is_private:
            representation = known_representation(tag)
        if representation == "US or SS":
            return "SS" if self._is_signed else "US"
        return "OW" if representation and " or " in representation else str(representation or "")

    def _sequence(self, element: RawDataElement | DataElement) -> dict[str, Any]:
        converted = convert_raw_data_element(element) if isinstance(element, RawDataElement) else element
        items = [self._for_item(dict(item.items())) for item in converted.value or []]
        return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}

    def _for_item(self, elements: Elements) -> DataSet:
        if _CHARACTER_SET not in elements:
            return self.write(elements, _LONGEST_NESTED)
        return _Writer(Texts(elements), self._syntax, is_signed=self._is_signed).write(elements, _LONGEST_NESTED)

    def _by_the_library(
        self, tag: BaseTag, element: RawDataElement | DataElement, elements: Elements
    ) -> dict[str, Any]:
        raw = element.value
        if isinstance(raw, bytes) and len(raw) > _LONGEST_INLINE:
            return {}
        needed = {tag: element}
        creator = BaseTag(tag.group << 16 | tag.element >> 8)
        if tag.is_private and creator in elements:
            needed[creator] = elements[creator]
        try:
            told = as_dataset(needed, self._syntax).to_json_dict(suppress_invalid_tags=True)
            _written(told)
        except (ValueError, TypeError, AttributeError, KeyError, NotImplementedError, struct.error):
            return {}
        found: dict[str, Any] = told.get(f"{tag:08X}", {})
        return found


def _inline(representation: str, raw: bytes) -> dict[str, Any]:
    return {"vr": representation, "InlineBinary": base64.b64encode(raw).decode()}


def _valued(representation: str, values: list[Any]) -> dict[str, Any]:
    return {"vr": representation} if values.count(None) == len(values) else {"vr": representation, "Value": values}


def _numbers(representation: str, raw: bytes, *, little: bool) -> list[float | None]:
    kind = _NUMBERS[representation]
    values = struct.unpack(f"{'<' if little else '>'}{len(raw) // struct.calcsize(kind)}{kind}", raw)
    return [one if math.isfinite(one) else None for one in values]


def _parts(text: str) -> list[str]:
    return [part.strip("\0 ") for part in text.split("\\")]


def _texts(representation: str, text: str) -> dict[str, Any]:
    return _valued(representation, [part or None for part in _parts(text)])


def _whole_text(representation: str, text: str) -> dict[str, Any]:
    kept = text.rstrip("\0 ")
    return _valued(representation, [kept] if kept else [])


def _integers(representation: str, text: str) -> dict[str, Any]:
    return _valued(representation, [int(part) if _INTEGER.fullmatch(part) else None for part in _parts(text)])


def _decimals(representation: str, text: str) -> dict[str, Any]:
    values = [float(part) if part else None for part in _parts(text)]
    return _valued(representation, [one if one is None or math.isfinite(one) else None for one in values])


def _names(_representation: str, text: str) -> dict[str, Any]:
    return person_names(_parts(text))


_READERS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    **dict.fromkeys(_TEXTS, _texts),
    **dict.fromkeys(_WHOLE_TEXTS, _whole_text),
    "IS": _integers,
    "DS": _decimals,
    "PN": _names,
}
