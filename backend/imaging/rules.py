"""Whose images are these? What a study goes through, and how the patient of a header is compared. Pure functions."""

import importlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from itertools import islice, product
from typing import Any

from backend.imaging.texts import PatientData


class StudyState(StrEnum):
    """Where a study stands."""

    QUARANTINED = "quarantined"  # kept, shown to nobody but those who decide
    LINKED = "linked"  # belongs to a consultation
    REJECTED = "rejected"  # a person said that it belongs to no consultation


class QuarantineReason(StrEnum):
    """Why a person has to look."""

    NO_CONSULTATION = "no_consultation"  # neither accession number nor patient number lead to one
    SEVERAL_CONSULTATIONS = "several_consultations"
    OTHER_INSTITUTION = "other_institution"  # the accession number is of a consultation of another institution
    OTHER_CONSULTATION = "other_consultation"  # it was sent to one, and its accession number is of another
    OTHER_PATIENT_NUMBER = "other_patient_number"  # the institution's number is known to be somebody else's
    OTHER_NAME = "other_name"
    OTHER_SEX = "other_sex"
    OTHER_BIRTH_DATE = "other_birth_date"
    OTHER_PATIENT_IN_STUDY = "other_patient_in_study"  # the study has instances of somebody else already


QUARANTINE_WORDS = {
    QuarantineReason.NO_CONSULTATION: "没有找到对应的会诊",
    QuarantineReason.SEVERAL_CONSULTATIONS: "这位患者同时有几个会诊，不知道属于哪一个",
    QuarantineReason.OTHER_INSTITUTION: "检查号是别的医院的会诊编号",
    QuarantineReason.OTHER_CONSULTATION: "检查号是另一次会诊的编号",
    QuarantineReason.OTHER_PATIENT_NUMBER: "患者编号登记的是另一个人",
    QuarantineReason.OTHER_NAME: "图像上的姓名和会诊里的不一样",
    QuarantineReason.OTHER_SEX: "图像上的性别和会诊里的不一样",
    QuarantineReason.OTHER_BIRTH_DATE: "图像上的出生日期和会诊里的不一样",
    QuarantineReason.OTHER_PATIENT_IN_STUDY: "同一份检查里有两个人的图像",
}
"""Each in words, for people."""


class Comparison(StrEnum):
    """What the comparison of one trait says."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"  # one side does not say


@dataclass(frozen=True)
class KnownPatient:
    """The patient of a consultation; `sex` is male, female or unknown."""

    name: str = field(repr=False)
    sex: str = field(repr=False)
    birth_date: date | None = field(repr=False)


Readings = Mapping[str, tuple[str, ...]]
"""The toneless pinyin of characters, each possibly several."""

_MOST_SPELLINGS = 512
_SEXES = {"M": "male", "F": "female"}
_TITLES = {"MR", "MRS", "MS", "DR"}


def contradiction(sent: PatientData, known: KnownPatient, readings: Readings) -> QuarantineReason | None:
    """Give the first trait in which a header contradicts the patient; None where none does. What one side does not
    say contradicts nothing."""
    checks = (
        (compare_names(sent.name, known.name, readings), QuarantineReason.OTHER_NAME),
        (compare_sexes(sent.sex, known.sex), QuarantineReason.OTHER_SEX),
        (compare_birth_dates(sent.birth_date, known.birth_date), QuarantineReason.OTHER_BIRTH_DATE),
    )
    return next((reason for result, reason in checks if result is Comparison.DIFFERENT), None)


def same_patient(one: PatientData, other: PatientData) -> bool:
    """Tell whether two headers of one study say the same patient: no trait that both give may differ."""
    pairs = (
        (one.patient_id.strip().upper(), other.patient_id.strip().upper()),
        (_plain_groups(one.name), _plain_groups(other.name)),
        (one.sex, other.sex),
        (one.birth_date, other.birth_date),
    )
    return all(not first or not second or first == second for first, second in pairs)


def compare_names(sent: str, known: str, readings: Readings) -> Comparison:
    """Compare a DICOM person name (PS3.5, section 6.2.1) with the name of a person.

    The groups of the sent name are looked at each by itself: one in characters has to be the same characters, one in
    letters has to be the pinyin of the known name, in either order of family and given name.
    """
    groups = [group for group in sent.split("=") if _letters(group)]
    wanted = _letters(known)
    if not groups or not wanted:
        return Comparison.UNKNOWN
    spellings = _spellings(known, readings)
    fits = all(_letters(group) == wanted or _latin(group) & spellings for group in groups)
    return Comparison.SAME if fits else Comparison.DIFFERENT


def compare_sexes(sent: str, known: str) -> Comparison:
    """Compare Patient's Sex (M, F, O) with male, female or unknown."""
    told = _SEXES.get(sent)
    if told is None or known not in _SEXES.values():
        return Comparison.UNKNOWN
    return Comparison.SAME if told == known else Comparison.DIFFERENT


def compare_birth_dates(sent: str, known: date | None) -> Comparison:
    """Compare a DICOM date with a birth date; a machine that knows the year alone often sends the first of January."""
    if not re.fullmatch(r"\d{8}", sent) or known is None:
        return Comparison.UNKNOWN
    try:
        told = date(int(sent[:4]), int(sent[4:6]), int(sent[6:]))
    except ValueError:
        return Comparison.UNKNOWN
    if told == known:
        return Comparison.SAME
    if (told.month, told.day) == (1, 1) and told.year == known.year:
        return Comparison.UNKNOWN
    return Comparison.DIFFERENT


def _letters(text: str) -> str:
    """Give the letters of a text alone, in one writing: simplified characters, capitals, no accents, no full width."""
    decomposed = unicodedata.normalize("NFKD", _simplifier().convert(text))
    return "".join(mark for mark in decomposed if mark.isalpha()).upper()


@cache
def _simplifier() -> Any:
    return importlib.import_module("opencc").OpenCC("t2s")


def _plain_groups(name: str) -> str:
    return "=".join(filter(None, (_letters(group) for group in name.split("="))))


def _latin(group: str) -> set[str]:
    """Give the writings of a group in letters: as it stands, and with family and given name the other way round."""
    words = [_letters(word) for word in re.split(r"[\^\s,.·]+", group)]
    words = [word for word in words if word and word not in _TITLES]
    if not words or not all(word.isascii() for word in words):
        return set()
    turned = {"".join(words[place:] + words[:place]) for place in range(len(words))}
    return {_merged(writing) for writing in turned}


def _spellings(name: str, readings: Readings) -> set[str]:
    """Give the pinyin of a Chinese name, with every reading of every character; or its own letters."""
    letters = _letters(name)
    if letters.isascii():
        return _latin(name)
    choices = [[_letters(reading) for reading in readings.get(mark, ())] for mark in letters]
    return {_merged("".join(chosen)) for chosen in islice(product(*choices), _MOST_SPELLINGS)}


def _merged(writing: str) -> str:
    """The ü of 吕 is written u, v or yu by one machine or another."""
    return writing.replace("LYU", "LU").replace("NYU", "NU").replace("LV", "LU").replace("NV", "NU")
