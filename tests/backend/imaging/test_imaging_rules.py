"""Whose images are these? Names in every writing, sexes and birth dates."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.imaging.rules import (
    Comparison,
    KnownPatient,
    QuarantineReason,
    compare_birth_dates,
    compare_names,
    compare_sexes,
    contradiction,
    same_patient,
)
from backend.imaging.texts import PatientData
from data.sounds import pinyin

SAME, DIFFERENT, UNKNOWN = Comparison.SAME, Comparison.DIFFERENT, Comparison.UNKNOWN


@pytest.mark.parametrize(
    ("sent", "known", "result"),
    [
        ("王小明", "王小明", SAME),
        ("王^小明", "王小明", SAME),
        ("Wang^Xiaoming=王^小明", "王小明", SAME),
        ("Wang^XiaoDong=王^小東=", "王小东", SAME),
        ("WANG XIAO MING", "王小明", SAME),
        ("Xiaoming^Wang", "王小明", SAME),
        ("Ms. Wang^Xiaoming", "王小明", SAME),
        ("ＷＡＮＧ^ＸＩＡＯＭＩＮＧ", "王小明", SAME),
        ("Lv^Bu", "吕布", SAME),
        ("LYU^BU", "吕布", SAME),
        ("Lü^Bu", "吕布", SAME),
        ("Zeng^Li", "曾丽", SAME),
        ("Shan^Hong", "单红", SAME),
        ("Wang^Xiaoming=王^小民", "王小明", DIFFERENT),
        ("Li^Xiaoming", "王小明", DIFFERENT),
        ("Wang^XM", "王小明", DIFFERENT),
        ("ANONYMOUS", "王小明", DIFFERENT),
        ("王小", "王小明", DIFFERENT),
        ("", "王小明", UNKNOWN),
        ("^^^^", "王小明", UNKNOWN),
        ("王小明", "", UNKNOWN),
        ("Smith^John", "John Smith", SAME),
    ],
)
def test_names_are_compared_in_every_writing_that_machines_use(sent: str, known: str, result: Comparison) -> None:
    assert compare_names(sent, known, pinyin()) is result


CHARACTERS = sorted(pinyin())
NAMES = st.lists(st.sampled_from(CHARACTERS), min_size=2, max_size=4).map("".join)


@given(NAMES, st.data())
def test_every_pinyin_of_a_name_is_the_name(name: str, data: st.DataObject) -> None:
    syllables = [data.draw(st.sampled_from(pinyin()[mark])) for mark in name]
    given_name = "".join(syllables[1:])
    for sent in (f"{syllables[0]}^{given_name}", f"{given_name}^{syllables[0]}", " ".join(syllables).upper()):
        assert compare_names(sent, name, pinyin()) is SAME


@given(NAMES, NAMES)
def test_names_of_other_characters_are_never_the_same(one: str, other: str) -> None:
    assert (compare_names(one, other, pinyin()) is SAME) == (one == other) or same_simplified(one, other)


def same_simplified(one: str, other: str) -> bool:
    return compare_names(one, other, {}) is SAME


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_text_can_be_compared(sent: str, known: str) -> None:
    assert compare_names(sent, known, pinyin()) in Comparison


@pytest.mark.parametrize(
    ("sent", "known", "result"),
    [
        ("M", "male", SAME),
        ("F", "male", DIFFERENT),
        ("O", "male", UNKNOWN),
        ("", "male", UNKNOWN),
        ("M", "unknown", UNKNOWN),
    ],
)
def test_sexes_are_compared_where_both_say(sent: str, known: str, result: Comparison) -> None:
    assert compare_sexes(sent, known) is result


@pytest.mark.parametrize(
    ("sent", "result"),
    [
        ("19560312", SAME),
        ("19560313", DIFFERENT),
        ("19560101", UNKNOWN),  # the year alone is known
        ("19570101", DIFFERENT),
        ("", UNKNOWN),
        ("1956", UNKNOWN),
        ("19561345", UNKNOWN),
    ],
)
def test_birth_dates_are_compared_where_both_say(sent: str, result: Comparison) -> None:
    assert compare_birth_dates(sent, date(1956, 3, 12)) is result
    assert compare_birth_dates(sent, None) is UNKNOWN


KNOWN = KnownPatient("王小明", "male", date(1956, 3, 12))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (PatientData("1", "王小明", "M", "19560312"), None),
        (PatientData(), None),
        (PatientData("1", "李小明", "F", "19560312"), QuarantineReason.OTHER_NAME),
        (PatientData("1", "王小明", "F", "19560312"), QuarantineReason.OTHER_SEX),
        (PatientData("1", "王小明", "M", "19650312"), QuarantineReason.OTHER_BIRTH_DATE),
    ],
)
def test_one_contradiction_is_enough(sent: PatientData, reason: QuarantineReason | None) -> None:
    assert contradiction(sent, KNOWN, pinyin()) is reason


TRAITS = st.sampled_from(["", "A", "B"])
PATIENTS = st.builds(PatientData, TRAITS, TRAITS, TRAITS, TRAITS)


@given(PATIENTS, PATIENTS)
def test_patients_of_one_study_are_the_same_either_way_round(one: PatientData, other: PatientData) -> None:
    assert same_patient(one, other) == same_patient(other, one)
    assert same_patient(one, one)
    assert same_patient(one, PatientData())


def test_a_name_with_other_padding_is_the_same_patient() -> None:
    assert same_patient(PatientData("p1 ", "Wang^Xiaoming^^", "", ""), PatientData("P1", "WANG^XIAOMING", "M", ""))
