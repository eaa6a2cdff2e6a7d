"""Texts of a DICOM header in the character sets of Chinese machines."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from pydicom.charset import decode_bytes, python_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import BaseTag

_DELIMITERS = {0x0A, 0x0C, 0x0D, 0x5C, 0x5E, 0x3D}  # end an escape to another set (PS3.5, section 6.1.2.5.3)
_INSIDE_CHINESE = re.compile(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])")
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


def readable_name(name: str) -> str:
    """Give a DICOM person name as people write it: its groups and components with blanks between them, but none inside
    a Chinese name."""
    return _INSIDE_CHINESE.sub("", " ".join(name.replace("^", " ").replace("=", " ").split()))


class Texts:
    """Reads short texts from elements as they came.

    Many machines in China write GBK and say ISO_IR 100 or nothing: what is not ASCII there and is valid UTF-8 or
    GB 18030 is read as that. The stored file stays as it was sent.
    """

    def __init__(self, elements: Mapping[BaseTag, RawDataElement | DataElement]) -> None:
        self._elements = elements
        named = [part.strip() for part in self._raw(0x00080005).decode("ascii", "replace").split("\\")]
        self._is_latin = all(name in _LATIN for name in named)
        known = [python_encoding[name] for name in named if name in python_encoding]
        self._encodings = known or ["iso8859"]

    def get(self, tag: int) -> str:
        """Give the text of an element without padding; "" where there is none."""
        return self.decoded(self._raw(tag)).strip("\0 ")

    def decoded(self, raw: bytes) -> str:
        """Give the bytes of a text of this data set as text."""
        if raw.isascii() and self._is_latin:
            return raw.decode("ascii")
        if self._is_latin:
            for encoding in ("utf-8", "gb18030"):
                with suppress(UnicodeDecodeError):
                    return raw.decode(encoding)
        if len(self._encodings) == 1 and not self._encodings[0].startswith("iso2022"):
            return raw.decode(self._encodings[0], "replace")
        return decode_bytes(raw, self._encodings, _DELIMITERS)

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
