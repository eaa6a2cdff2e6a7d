"""Walking the elements of a data set, as the DICOM library does it and several times faster.

A header of 250 elements is read more often than anything else here, most of all while a sender waits. What is simple is
read here: elements of a defined length and a known value representation (PS3.5, section 7.1). Whatever else comes – a
length that is undefined, a representation that is none – is left to the library, from that element on to the next.
"""

from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO, NamedTuple, cast

from pydicom import uid
from pydicom.charset import convert_encodings
from pydicom.dataelem import DataElement, RawDataElement, empty_value_for_VR
from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR
from pydicom.values import convert_string

LARGEST_ELEMENT = 1024 * 1024
"""Bytes of an element up to which it is held while a file is read; longer ones are passed over."""

_CHARACTER_SET = 0x00080005
_UNDEFINED = 0xFFFFFFFF


class _Representation(NamedTuple):
    code: str | None
    is_long: bool
    empty: bytes | None


def _representation(code: str | None) -> _Representation:
    empty = cast("bytes | None", empty_value_for_VR(code, raw=True))
    return _Representation(code, code in EXPLICIT_VR_LENGTH_32, empty)


_EXPLICIT = {str(one.value).encode(): _representation(str(one.value)) for one in VR if len(one.value) == 2}
_IMPLICIT = _representation(None)


def walk(file: BinaryIO, size: int, syntax: str) -> Iterator[RawDataElement | DataElement]:
    """Give the elements from the present place of a file of `size` bytes on, as the library does: sequences of
    undefined length as elements, everything else raw, values longer than `LARGEST_ELEMENT` left out (None).

    The place of the file is the end of the element that was given last.

    Raises:
        EOFError: a value ends behind the end of the file. ValueError and others: what the library raises.
    """
    transfer_syntax = uid.UID(syntax)
    explicit, little = not transfer_syntax.is_implicit_VR, transfer_syntax.is_little_endian
    order = "<" if little else ">"
    head_of, length_of = Struct(f"{order}HH2sH" if explicit else f"{order}HHL").unpack, Struct(f"{order}L").unpack
    read, encodings = file.read, ["iso8859"]
    at = file.tell()
    while len(head := read(8)) == 8:
        begins = at
        at += 8
        if explicit:
            group, number, code, length = head_of(head)
            representation = _EXPLICIT.get(code)
            if representation is not None and representation.is_long:
                rest = read(4)
                length = length_of(rest)[0]
                at += 4
        else:
            group, number, length = head_of(head)
            representation = _IMPLICIT
        tag = group << 16 | number
        if representation is None or length == _UNDEFINED or group == 0xFFFE:
            file.seek(begins)
            found = next(data_element_generator(file, not explicit, little, None, LARGEST_ELEMENT, encodings), None)
            if found is None:
                return
            if _ends_behind(found, size):
                raise EOFError
            at = file.tell()
            yield found
            continue
        end = at + length
        if end > size:
            raise EOFError
        value: bytes | None
        if length > LARGEST_ELEMENT and tag != _CHARACTER_SET:
            value = None
            file.seek(end)
        else:
            value = read(length) if length else representation.empty
        if tag == _CHARACTER_SET:
            encodings = convert_encodings(convert_string(value or b"", little))
        # The constructor of a named tuple costs more than everything else here.
        fields = (BaseTag(tag), representation.code, length, value, at, not explicit, little, True, False)
        yield tuple.__new__(RawDataElement, fields)
        at = end


def _ends_behind(element: RawDataElement | DataElement, size: int) -> bool:
    if not isinstance(element, RawDataElement) or element.length == _UNDEFINED:
        return False
    return element.value_tell + element.length > size
