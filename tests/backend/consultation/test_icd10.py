"""ICD-10 codes as a hierarchy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.consultation.icd10 import best_cover, covers, disease_name, normalise
from backend.errors import InvalidInput


def test_an_expert_for_a_range_is_found_for_each_code_in_it() -> None:
    assert covers("I10-I15", "I10") > 0
    assert covers("I10-I15", "I15.9") > 0
    assert covers("I10-I15", "I16") == 0
    assert covers("I10-I15", "J10") == 0


def test_the_more_specific_the_expertise_the_closer_the_fit() -> None:
    fits = [covers(entry, "J18.9") for entry in ("J18.9", "J18", "J09-J18", "J00-J99", "J")]
    assert fits == sorted(fits, reverse=True)
    assert len(set(fits[:4])) == 4


def test_expertise_below_the_code_fits_as_its_category_does() -> None:
    assert covers("J18.9", "J18") == covers("J18", "J18.9")


def test_the_best_entry_is_the_one_that_is_named() -> None:
    assert best_cover(("I00-I99", "I10-I15"), "I10")[1] == "I10-I15"
    assert best_cover(("E11",), "I10") == (0.0, "")


@pytest.mark.parametrize("code", ["", "I", "I1", "10", "I10-I15", "高血压", "I10.", "I10; DROP TABLE"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput):
        normalise(code)


@pytest.mark.parametrize(("typed", "code"), [("i10", "I10"), (" j18.9 ", "J18.9"), ("I10.x00", "I10.X00")])
def test_codes_are_compared_in_one_writing(typed: str, code: str) -> None:
    assert normalise(typed) == code


@given(st.from_regex(r"[A-Z][0-9]{2}", fullmatch=True), st.from_regex(r"[A-Z][0-9]{2}", fullmatch=True))
def test_a_range_covers_its_ends_and_nothing_outside(low: str, high: str) -> None:
    low, high = min(low, high), max(low, high)
    assert covers(f"{low}-{high}", low) > 0
    assert covers(f"{low}-{high}", high) > 0
    assert all(0 < covers(f"{low}-{high}", code) <= 1 for code in (low, high))


def test_a_disease_has_its_chinese_name() -> None:
    assert "高血压" in disease_name("I10")
    assert disease_name("") == ""
