"""Texts of a DICOM header in the character sets of Chinese machines."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from pydicom.charset import decode_bytes, python_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

_DELIMITERS = {0x0A, 0x0C, 0x0D, 0x5C, 0x5E, 0x3D}  # end an escape to another set (PS3.5, section 6.1.2.5.3)
_CHARACTER_SET = BaseTag(0x00080005)
_TEXTS = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}  # what Specific Character Set is about (PS3.5, section 6.1.2.2)
_LATIN = {"", "ISO_IR 6", "ISO_IR 100", "ISO 2022 IR 6", "ISO 2022 IR 100"}


@dataclass(frozen=True)
class PatientData:
    """Whom a study says that it is of, as sent; an empty text was not sent.

    Args:
        name: with the components and groups of a DICOM person name, "Wang^Xiaoming=王^小明".
        sex: M, F, O or "". birth_date: YYYYMMDD.
    """

    patient_id: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)


def put_right(dataset: Dataset, *, latin: bool = True) -> None:
    """Read the texts of a data set, as it was read from a file, in the character set in which they are written.

    Many machines in China write GBK and say ISO_IR 100 or nothing: what is not ASCII there and is valid UTF-8 or
    GB 18030 is read as that. The stored file stays as it was sent.

    Args:
        latin: whether the data set around this one says no more than Latin letters.
    """
    if _CHARACTER_SET in dataset:
        said = dataset[_CHARACTER_SET].value or ""
        latin = _is_latin([str(said)] if isinstance(said, str) else list(map(str, said)))
    for tag in list(dataset.keys()):
        element = dataset.get_item(tag)
        representation = element.VR if element.VR not in (None, "UN") else _defined(tag)
        if representation == "SQ":
            for item in dataset[tag].value:
                put_right(item, latin=latin)
        elif latin and representation in _TEXTS and isinstance(element.value, bytes) and not element.value.isascii():
            told = _misnamed(element.value)
            if told is not None:
                dataset[tag] = DataElement(tag, representation, told)


class Texts:
    """Reads short texts from elements as they came.

    Character sets that are named wrongly are put right as in `put_right`.
    """

    def __init__(self, elements: Mapping[BaseTag, RawDataElement | DataElement]) -> None:
        self._elements = elements
        named = _named(self._raw(_CHARACTER_SET))
        self._is_latin = _is_latin(named)
        known = [python_encoding[name] for name in named if name in python_encoding]
        self._encodings = known or ["iso8859"]

    def get(self, tag: int) -> str:
        """Give the text of an element without padding; "" where there is none."""
        raw = self._raw(tag)
        if raw.isascii() and self._is_latin:
            return raw.decode("ascii").strip("\0 ")
        if self._is_latin and (told := _misnamed(raw)) is not None:
            return told
        if len(self._encodings) == 1 and not self._encodings[0].startswith("iso2022"):
            return raw.decode(self._encodings[0], "replace").strip("\0 ")
        return decode_bytes(raw, self._encodings, _DELIMITERS).strip("\0 ")

    def integer(self, tag: int) -> int | None:
        """Give an integer string (IS) that fits a column; None where there is none."""
        with suppress(ValueError):
            number = int(self.get(tag))
            return number if abs(number) < 2**31 else None
        return None

    def patient(self) -> PatientData:
        """Give whom the data set says that it is of."""
        return PatientData(
            patient_id=self.get(0x00100020),
            name=self.get(0x00100010),
            sex=self.get(0x00100040).upper()[:1],
            birth_date=self.get(0x00100030)[:8],
        )

    def _raw(self, tag: int) -> bytes:
        element = self._elements.get(BaseTag(tag))
        value = element.value if element is not None else b""
        return value if isinstance(value, bytes) else b""


def _named(raw: bytes) -> list[str]:
    return [part.strip() for part in raw.decode("ascii", "replace").split("\\")]


def _is_latin(named: list[str]) -> bool:
    return all(name in _LATIN for name in named)


def _misnamed(raw: bytes) -> str | None:
    """Give a text that is said to be Latin and is not ASCII; None where it is neither UTF-8 nor GB 18030."""
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding).strip("\0 ")
    return None


def _defined(tag: BaseTag) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""
