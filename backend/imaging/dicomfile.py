"""Reading and checking one DICOM instance: its structure, its identifiers, what it is of, and what makes it the same.

The file is walked element by element; only what is short is held, so the pixels never are. What is wrong with a file
is said by an `Unacceptable` with a stable reason; nothing is repaired and nothing is guessed.
"""

import logging
import re
import struct
import warnings
from dataclasses import dataclass, field
from typing import BinaryIO

import pydicom.config
from pydicom import uid
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.pixels.utils import get_expected_length
from pydicom.tag import BaseTag

from backend.imaging.contentdigest import PIXEL_TAGS, header_digest, pixel_digest
from backend.imaging.reasons import Reason, Unacceptable
from backend.imaging.texts import PatientData, Texts
from backend.imaging.walking import LARGEST_ELEMENT, walk

# What we need is checked here and answered with a reason. The library's warnings about the rest would fill the log, and
# may quote a header.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom\b")

_LARGEST_HEADER = 64 * 1024 * 1024
_PREAMBLE = 128
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")

Elements = dict[BaseTag, RawDataElement | DataElement]
"""A data set as it was read: sequences of undefined length are elements, everything else is raw."""

NATIVE = frozenset({uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian})
"""Transfer syntaxes in which pixels lie as they are, little endian."""

TRANSFER_SYNTAXES: tuple[str, ...] = (
    uid.ExplicitVRLittleEndian,
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.JPEGLSLossless,
    uid.JPEGLSNearLossless,
    uid.JPEG2000Lossless,
    uid.JPEG2000,
    uid.HTJ2KLossless,
    uid.HTJ2KLosslessRPCL,
    uid.HTJ2K,
    uid.JPEGLosslessSV1,
    uid.JPEGLossless,
    uid.JPEGBaseline8Bit,
    uid.JPEGExtended12Bit,
    uid.RLELossless,
    uid.MPEG2MPML,
    uid.MPEG2MPHL,
    uid.MPEG4HP41,
    uid.MPEG4HP41BD,
    uid.MPEG4HP422D,
    uid.MPEG4HP423D,
    uid.MPEG4HP42STEREO,
    uid.HEVCMP51,
    uid.HEVCM10P51,
)
"""Transfer syntaxes that are taken, best first. Not the deflated one: it is rare, and needs all of it in memory."""


@dataclass(frozen=True)
class Instance:
    """What is known of an instance without its pixels.

    Args:
        frames, rows, columns: zero where it is no image.
        header_digest: keyed digest (hexadecimal) of everything but the pixels and what a transfer syntax changes.
        pixel_form: "native" where `pixel_digest` is of the decoded pixels, the transfer syntax where it is of the
            pixels as they are encoded, "" where there are none.
        size: bytes of the file.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str
    transfer_syntax: str
    patient: PatientData = field(repr=False)
    accession_number: str = field(repr=False)
    study_date: str
    study_time: str
    study_description: str = field(repr=False)
    modality: str
    series_number: int | None
    series_description: str = field(repr=False)
    body_part: str
    instance_number: int | None
    rows: int
    columns: int
    frames: int
    header_digest: str
    pixel_form: str
    pixel_digest: str
    size: int


def valid_uid(value: str) -> bool:
    """Tell whether `value` is a unique identifier: numbers without leading zeros, dots, at most 64 characters
    (PS3.5, section 9.1)."""
    return len(value) <= 64 and _UID.fullmatch(value) is not None


def read_instance(file: BinaryIO, size: int) -> Instance:
    """Read a file of `size` bytes in the DICOM file format (PS3.10, section 7).

    Raises:
        Unacceptable: it is none, is cut off, says another transfer syntax than it has, or lacks an identifier. As far
            as they could be read, its identifiers come with the error.
    """
    syntax = read_meta(file)
    elements = read_elements(file, size, syntax)
    pixels = next((elements.pop(tag) for tag in PIXEL_TAGS if tag in elements), None)
    texts = Texts(elements)
    identifiers = _identifiers(texts)
    try:
        return _instance(file, size, syntax, elements, pixels, texts, identifiers)
    except Unacceptable as error:
        raise Unacceptable(error.reason, identifiers[0], identifiers[1]) from error
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, EOFError, OverflowError) as error:
        raise Unacceptable(Reason.UNREADABLE, identifiers[0], identifiers[1]) from error
    except (struct.error, RecursionError) as error:
        raise Unacceptable(Reason.UNREADABLE, identifiers[0], identifiers[1]) from error


def _instance(
    file: BinaryIO,
    size: int,
    syntax: str,
    elements: Elements,
    pixels: RawDataElement | DataElement | None,
    texts: Texts,
    identifiers: tuple[str, str, str, str],
) -> Instance:
    sop_class, sop_instance, study, series = identifiers
    if not all(identifiers):
        raise Unacceptable(Reason.MISSING_IDENTIFIER)
    if not all(map(valid_uid, identifiers)):
        raise Unacceptable(Reason.INVALID_IDENTIFIER)
    dataset = Dataset({tag: element for tag, element in elements.items() if tag.group == 0x0028})
    length = _pixel_length(dataset, pixels, syntax, sop_class)
    form, digest = pixel_digest(file, pixels, length, syntax if syntax not in NATIVE else "", dataset)
    is_image = pixels is not None
    return Instance(
        sop_class_uid=sop_class,
        sop_instance_uid=sop_instance,
        study_uid=study,
        series_uid=series,
        transfer_syntax=syntax,
        patient=texts.patient(),
        accession_number=texts.get(0x00080050),
        study_date=texts.get(0x00080020)[:8],
        study_time=texts.get(0x00080030)[:14],
        study_description=texts.get(0x00081030),
        modality=texts.get(0x00080060)[:16],
        series_number=texts.integer(0x00200011),
        series_description=texts.get(0x0008103E),
        body_part=texts.get(0x00180015)[:16],
        instance_number=texts.integer(0x00200013),
        rows=int(dataset.get("Rows", 0) or 0) if is_image else 0,
        columns=int(dataset.get("Columns", 0) or 0) if is_image else 0,
        frames=int(dataset.get("NumberOfFrames", 1) or 1) if is_image else 0,
        header_digest=header_digest(elements),
        pixel_form=form,
        pixel_digest=digest,
        size=size,
    )


def read_meta(file: BinaryIO) -> str:
    """Read the preamble and the file meta information (PS3.10, section 7.1), and give the transfer syntax.

    Raises:
        Unacceptable: there are none, or the transfer syntax is missing or not taken.
    """
    file.seek(0)
    if file.read(_PREAMBLE + 4)[_PREAMBLE:] != b"DICM":
        raise Unacceptable(Reason.NOT_DICOM)
    start = file.tell()
    syntax = ""
    try:
        # The group is always explicit little endian, whatever comes after it.
        for element in data_element_generator(file, False, True, stop_when=after_meta, defer_size=LARGEST_ELEMENT):
            if element.tag == 0x00020010 and isinstance(element.value, bytes):
                syntax = element.value.decode("ascii", "replace").strip("\0 ")
    except (EOFError, ValueError, struct.error, NotImplementedError, RecursionError) as error:
        raise Unacceptable(Reason.NOT_DICOM) from error
    if file.tell() == start or not syntax:
        raise Unacceptable(Reason.NO_TRANSFER_SYNTAX)
    if syntax not in TRANSFER_SYNTAXES:
        raise Unacceptable(Reason.UNKNOWN_TRANSFER_SYNTAX)
    return syntax


def after_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    """Tell the library to stop where the file meta information ends."""
    return tag.group != 2


def read_elements(file: BinaryIO, size: int, syntax: str) -> Elements:
    """Walk the data set that follows, to the last byte of a file of `size` bytes; long values are left out (None).

    Raises:
        Unacceptable: it is cut off, damaged, or encoded in another way than `syntax` says.
    """
    elements: Elements = {}
    last, held, end = -1, 0, file.tell()
    explicit = not uid.UID(syntax).is_implicit_VR
    try:
        for element in walk(file, size, syntax):
            tag = int(element.tag)  # which compares faster
            if tag <= last:
                raise Unacceptable(Reason.UNREADABLE)  # tags ascend, each comes once (PS3.5, section 7.1)
            if explicit and element.VR is None:
                raise Unacceptable(Reason.OTHER_TRANSFER_SYNTAX)
            last, end = tag, file.tell()
            held += (
                len(element.value or b"") if isinstance(element, RawDataElement) else end - (element.file_tell or end)
            )
            if held > _LARGEST_HEADER:
                raise Unacceptable(Reason.TOO_LARGE)
            elements[element.tag] = element
    except EOFError as error:
        raise Unacceptable(Reason.CUT_OFF) from error
    except (ValueError, struct.error, NotImplementedError, RecursionError, KeyError, TypeError) as error:
        raise Unacceptable(Reason.UNREADABLE) from error
    if end != size:
        raise Unacceptable(Reason.CUT_OFF)
    return elements


def _identifiers(texts: Texts) -> tuple[str, str, str, str]:
    """SOP class, SOP instance, study and series."""
    return (texts.get(0x00080016), texts.get(0x00080018), texts.get(0x0020000D), texts.get(0x0020000E))


def _pixel_length(
    dataset: Dataset, pixels: RawDataElement | DataElement | None, syntax: str, sop_class: str
) -> int | None:
    """Give how many bytes the pixels take where they lie as they are; None where they are encoded or not pixels.

    Raises:
        Unacceptable: there are fewer than the header says, or none in what is an image.
    """
    if pixels is None:
        if "Image Storage" in uid.UID(sop_class).name:
            raise Unacceptable(Reason.CUT_OFF)
        return None
    if not isinstance(pixels, RawDataElement):
        raise Unacceptable(Reason.UNREADABLE)
    encapsulated = pixels.length == 0xFFFFFFFF
    if encapsulated != uid.UID(syntax).is_encapsulated:
        raise Unacceptable(Reason.OTHER_TRANSFER_SYNTAX)
    if encapsulated:
        return None
    expected = get_expected_length(dataset)
    if pixels.length < expected:
        raise Unacceptable(Reason.CUT_OFF)
    return expected
