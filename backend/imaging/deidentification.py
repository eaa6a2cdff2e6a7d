"""De-identified copies for teaching: the Basic Application Level Confidentiality Profile (PS3.15, annex E).

What becomes of an element is said by table E.1-1, which the library carries; the table alone leaves the rest of the
header as it is, so here everything that it does not name has to be of a kind that cannot tell of a person: numbers,
codes of the standard, identifiers replaced, and a few texts about the machine. Nested data sets are treated alike.
What went through is looked at once more (`left_over`), and nothing goes where anything is doubtful.
"""

import hashlib
import hmac
import re
import uuid
from enum import Enum, auto
from functools import cache
from typing import Any

from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from dicomanonymizer.simpledicomanonymizer import replace_element
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import correct_ambiguous_vr
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import RE_VALID_UID

_EDITION = "dicomfields_2026c"
METHOD = ("Qiaoyi", "DICOM PS3.15 2026c Annex E Basic Profile")
_STANDARD_ROOT = "1.2.840.10008."

_NUMBERS = {"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"}
_NUMBER_TEXT = re.compile(r"[-+0-9.eE ]*")
_CODE = re.compile(r"[A-Z0-9_ ]{0,16}")
# Lookup tables: the only long binary values that an image needs besides its pixels.
_TABLES = re.compile(r"(LUTData|(Red|Green|Blue|Alpha)PaletteColorLookupTableData)$")
_MACHINE_TEXTS = {
    "CodeValue",
    "CodeMeaning",
    "CodingSchemeDesignator",
    "CodingSchemeVersion",
    "ContrastBolusRoute",
    "ConvolutionKernel",
    "FilterType",
    "ImagedNucleus",
    "LUTExplanation",
    "Manufacturer",
    "ManufacturerModelName",
    "ModalityLUTType",
    "PulseSequenceName",
    "Radiopharmaceutical",
    "ReceiveCoilName",
    "RescaleType",
    "SequenceName",
    "StackID",
    "TransmitCoilName",
    "WindowCenterWidthExplanation",
}
# Coding schemes whose meanings are published; a hospital's own may name a ward or a doctor (PS3.16, chapter 8).
_CODING_SCHEMES = {"DCM", "SCT", "SRT", "SNM3", "LN", "UCUM", "FMA", "RADLEX", "NCIt", "ACR"}
_CODED = ("CodeValue", "LongCodeValue", "URNCodeValue", "CodeMeaning")
_DUMMY_TIMES = {"DA": "19000101", "DT": "19000101000000", "TM": "000000"}
_TEXTS = {"AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
_SHORTEST_WORD = 3
_KNOWN_BY = {
    "AccessionNumber",
    "InstitutionName",
    "IssuerOfPatientID",
    "OtherPatientIDs",
    "PatientAddress",
    "PatientID",
    "PatientTelephoneNumbers",
    "StudyID",
}


class _Rule(Enum):
    """What becomes of an element, by table E.1-1. Where it leaves a choice that hangs on the object's definition, what
    every definition allows is taken, unless that were a sequence."""

    REMOVE = auto()  # X
    EMPTY = auto()  # Z, X/Z
    DUMMY = auto()  # D, Z/D, X/D, X/Z/D
    REPLACE_UID = auto()  # U
    KEEP = auto()  # X/Z/U*: a sequence of references, whose identifiers are replaced


_CATEGORIES = {
    "X_TAGS": _Rule.REMOVE,
    "Z_TAGS": _Rule.EMPTY,
    "X_Z_TAGS": _Rule.EMPTY,
    "D_TAGS": _Rule.DUMMY,
    "Z_D_TAGS": _Rule.DUMMY,
    "X_D_TAGS": _Rule.DUMMY,
    "X_Z_D_TAGS": _Rule.DUMMY,
    "U_TAGS": _Rule.REPLACE_UID,
    "X_Z_U_STAR_TAGS": _Rule.KEEP,
}


class Pseudonyms:
    """What stands for identifiers in the copies: always the same for the same, and found out by nobody without the key.

    Args:
        key: of the institution that gets the copies, so that two of them cannot join theirs.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def uid(self, value: str) -> str:
        """Give the unique identifier that stands for another: a UUID (RFC 9562, version 8) below 2.25 (PS3.5, B.2)."""
        digest = bytearray(self._digest("uid", value.strip("\0 "))[:16])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return f"2.25.{uuid.UUID(bytes=bytes(digest)).int}"

    def patient(self, value: str) -> str:
        """Give the patient number that stands for a person."""
        return f"T{self._digest('patient', value).hex()[:12].upper()}"

    def _digest(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{value}".encode(), hashlib.sha256)


def deidentified(dataset: Dataset, pseudonyms: Pseudonyms, patient: str) -> Dataset:
    """Give a data set (without pixels, and not the file meta information) as it may be given to strangers.

    Args:
        patient: what the patient is known by here; a pseudonym of it becomes Patient ID and Patient's Name.
    """
    correct_ambiguous_vr(dataset, True)
    copy = _cleaned(dataset, pseudonyms)
    copy.SpecificCharacterSet = "ISO_IR 192"
    copy.PatientID = copy.PatientName = pseudonyms.patient(patient)
    copy.PatientIdentityRemoved = "YES"
    copy.DeidentificationMethod = list(METHOD)
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"  # PS3.16, CID 7050
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    copy.DeidentificationMethodCodeSequence = Sequence([code])
    copy.LongitudinalTemporalInformationModified = "REMOVED"
    return copy


def left_over(original: Dataset, copy: Dataset) -> bool:
    """Tell whether anything in `copy` names the patient, a person or an object of `original`."""
    names, numbers, uids = _identifying(original)
    for element in _every(copy):
        values = [str(value) for value in _values(element)]
        if element.VR == "UI" and not uids.isdisjoint(values):
            return True
        if element.VR in _TEXTS and any(value.casefold() in numbers or _holds(value, names) for value in values):
            return True
    return False


def _cleaned(dataset: Dataset, pseudonyms: Pseudonyms) -> Dataset:
    copy = Dataset()
    for element in dataset:
        made = _element(element, pseudonyms)
        if made is not None:
            copy.add(made)
    return copy


def _element(element: DataElement, pseudonyms: Pseudonyms) -> DataElement | None:
    tag = element.tag
    graphics = tag.group & 0xFF00 in (0x5000, 0x6000)  # curves and overlays
    if tag.is_private or tag.element == 0 or tag.group < 0x0008 or graphics or not _is_as_defined(element):
        return None
    rule = _table().get(tag)
    if rule is _Rule.REMOVE:
        return None
    if rule is _Rule.EMPTY:
        return DataElement(tag, element.VR, Sequence() if element.VR == "SQ" else None)
    if rule is _Rule.DUMMY:
        return _dummy(element)
    if element.VR == "SQ":
        return _sequence(element, pseudonyms)
    if element.VR == "UI":
        return _replaced(element, pseudonyms, always=rule is _Rule.REPLACE_UID)
    return element if _is_harmless(element) else None


def _is_as_defined(element: DataElement) -> bool:
    """Tell whether the standard knows the element, and whether its values are of the kind that it says."""
    try:
        return element.VR in dictionary_VR(element.tag).split(" or ")
    except KeyError:
        return False


def _dummy(element: DataElement) -> DataElement | None:
    if element.VR == "SQ":
        return None  # required in no image
    made = DataElement(element.tag, element.VR, element.value)
    if element.VR in _DUMMY_TIMES:
        made.value = _DUMMY_TIMES[element.VR]
    else:
        replace_element(made)
    return made


def _sequence(element: DataElement, pseudonyms: Pseudonyms) -> DataElement | None:
    known = [item for item in element.value if not _is_local_code(item)]
    if element.value and not known:
        return None
    return DataElement(element.tag, "SQ", Sequence([_cleaned(item, pseudonyms) for item in known]))


def _is_local_code(item: Dataset) -> bool:
    return any(name in item for name in _CODED) and item.get("CodingSchemeDesignator") not in _CODING_SCHEMES


def _replaced(element: DataElement, pseudonyms: Pseudonyms, *, always: bool) -> DataElement:
    values = [str(value) for value in _values(element)]
    return DataElement(
        element.tag,
        "UI",
        [value if not always and _is_of_the_standard(value) else pseudonyms.uid(value) for value in values],
    )


def _is_of_the_standard(uid: str) -> bool:
    return uid.startswith(_STANDARD_ROOT) and re.fullmatch(RE_VALID_UID, uid) is not None


def _is_harmless(element: DataElement) -> bool:
    """Tell whether an element that the table does not name can tell of nobody."""
    if element.VR in _NUMBERS:
        return True
    if element.VR in ("DS", "IS"):
        return all(_NUMBER_TEXT.fullmatch(str(value)) for value in _values(element))
    if element.VR == "CS":
        return all(_CODE.fullmatch(str(value)) for value in _values(element))
    if element.VR in ("LO", "SH"):
        return element.keyword in _MACHINE_TEXTS
    return element.VR in ("OB", "OW") and _TABLES.search(element.keyword) is not None


@cache
def _table() -> dict[BaseTag, _Rule]:
    """Table E.1-1; of curves and overlays, which are whole groups, `_element` knows."""
    held = dicom_anonymization_database_selector(_EDITION)
    return {
        BaseTag(tag[0] << 16 | tag[1]): rule
        for name, rule in _CATEGORIES.items()
        for tag in held[name]
        if len(tag) == 2
    }


def _identifying(original: Dataset) -> tuple[set[str], set[str], set[str]]:
    """Give the words of names, the numbers and places by which somebody is known, and the unique identifiers."""
    names: set[str] = set()
    numbers: set[str] = set()
    uids: set[str] = set()
    for element in _every(original):
        values = [str(value) for value in _values(element)]
        if element.VR == "UI":
            uids.update(value for value in values if not _is_of_the_standard(value))
        elif element.VR == "PN":
            names.update(word for value in values for word in _words(value))
        elif element.keyword in _KNOWN_BY:
            numbers.update(value.strip().casefold() for value in values if len(value.strip()) >= _SHORTEST_WORD)
    return names, numbers, uids


def _words(text: str) -> set[str]:
    found = re.findall(r"[^\W_]+", text.casefold())
    return {word for word in found if not word.isascii() or len(word) >= _SHORTEST_WORD}


def _holds(value: str, names: set[str]) -> bool:
    return not names.isdisjoint(_words(value)) or any(not name.isascii() and name in value for name in names)


def _every(dataset: Dataset) -> Any:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _every(item)
        else:
            yield element


def _values(element: DataElement) -> list[Any]:
    if element.is_empty:
        return []
    return list(element.value) if element.VM > 1 else [element.value]
