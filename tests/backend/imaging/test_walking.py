"""Elements are read as the library reads them, whatever a file holds."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import pydicom.data
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import uid
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import data_element_generator

from backend.imaging.dicomfile import read_meta
from backend.imaging.reasons import Unacceptable
from backend.imaging.walking import LARGEST_ELEMENT, walk
from tests.support.imaging import as_file, ct_slice

FILES = sorted((Path(pydicom.data.__file__).parent / "test_files").glob("*.dcm"))
FAULTS = (EOFError, ValueError, struct.error, NotImplementedError, KeyError, TypeError)

Seen = list[tuple[object, ...]]


def by_the_library(file: io.BytesIO, syntax: str) -> Iterator[RawDataElement | DataElement]:
    known = uid.UID(syntax)
    return data_element_generator(file, known.is_implicit_VR, known.is_little_endian, defer_size=LARGEST_ELEMENT)


def seen(walked: Iterator[RawDataElement | DataElement], file: io.BytesIO) -> tuple[Seen, bool]:
    """What was given, where the file stood then, and whether it went on to the end."""
    found: Seen = []
    try:
        for element in walked:
            if isinstance(element, RawDataElement):
                found.append((*element, file.tell()))
            else:
                found.append((element.tag, element.VR, str(element.value), file.tell()))
    except FAULTS:
        return found, False
    return found, True


def compare(data: bytes) -> None:
    mine, other = io.BytesIO(data), io.BytesIO(data)
    try:
        syntax = read_meta(mine)
    except Unacceptable:
        return
    read_meta(other)
    found, whole = seen(walk(mine, len(data), syntax), mine)
    expected, _ = seen(by_the_library(other, syntax), other)
    if whole:
        assert found == expected
    else:  # a value that ends behind the file is no element here, and a short one there
        assert found == expected[: len(found)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_of_the_library_is_walked_as_it_does_it(path: Path) -> None:
    compare(path.read_bytes())


SLICE = as_file(ct_slice())
IMPLICIT = as_file(ct_slice(), uid.ImplicitVRLittleEndian)


@given(
    whole=st.sampled_from([SLICE, IMPLICIT]),
    at=st.integers(300, 5000),
    change=st.binary(min_size=1, max_size=4),
    cut=st.integers(0, 2000),
)
def test_a_damaged_header_is_walked_as_far(whole: bytes, at: int, change: bytes, cut: int) -> None:
    damaged = whole[:at] + change + whole[at + len(change) :]
    compare(damaged[: len(damaged) - cut])


def test_a_value_that_ends_behind_the_file_is_none() -> None:
    file = io.BytesIO(SLICE[:-1])
    syntax = read_meta(file)
    with pytest.raises(EOFError):
        list(walk(file, len(SLICE) - 1, syntax))
