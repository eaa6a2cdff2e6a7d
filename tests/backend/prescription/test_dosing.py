"""A dose that a writer begins with passes the checks, and the packs are enough."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.prescription import Formulary, kidney_function
from backend.prescription.dosing import packs, propose, years_old
from backend.prescription.rules import Line, Severity
from backend.records.background import Measured
from tests.backend.prescription.orders import (
    NOW,
    REFERENCE,
    TODAY,
    born,
    findings,
    line,
    order,
    preparation,
    severity,
    somebody,
)

PREPARATIONS = sorted(REFERENCE.preparations)


@given(st.sampled_from(PREPARATIONS), st.floats(0.1, 90), st.integers(4, 110))
def test_a_proposed_dose_is_never_too_much(code: str, years: float, kilograms: int) -> None:
    made, weight = REFERENCE.preparations[code], Decimal(kilograms)
    proposal = propose(made, REFERENCE, years_old(born(years), TODAY), weight)
    if proposal is None:
        return
    given_line = Line(code, proposal.dose, proposal.frequency, proposal.route, 1)
    patient = somebody(birth_date=born(years), weight=Measured(weight, NOW))
    wrong = [
        one.rule
        for one in findings(order(given_line), patient)
        if one.severity is not Severity.NOTE and one.rule.startswith(("dose.", "line."))
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("medicine", "form", "years", "kilograms", "dose", "frequency"),
    [
        ("ibuprofen", "suspension", 3, 15, "76", "prn"),
        ("paracetamol", "suspension", 3, 15, "150.4", "prn"),
        ("azithromycin", "granules", 5, 20, "100", "qd"),
        ("oseltamivir", "granules", 3, 14, "30", "bid"),
        ("amlodipine", "tablet", 50, None, "2.5", "qd"),
    ],
)
def test_a_dose_is_proposed_as_it_can_be_measured_out(
    medicine: str, form: str, years: int, kilograms: int | None, dose: str, frequency: str
) -> None:
    weight = None if kilograms is None else Decimal(kilograms)
    proposal = propose(preparation(medicine, form), REFERENCE, Decimal(years), weight)
    assert proposal is not None
    assert (proposal.dose, proposal.frequency) == (Decimal(dose), frequency)


def test_nothing_is_proposed_by_a_weight_that_is_not_known_or_for_an_age_without_a_dose() -> None:
    assert propose(preparation("ibuprofen", "suspension"), REFERENCE, Decimal(3), None) is None
    assert propose(preparation("rabeprazole"), REFERENCE, Decimal(3), Decimal(15)) is None


@pytest.mark.parametrize(
    ("given_line", "count"),
    [
        (line("amoxicillin", 500, "tid", 7), 2),
        (line("amlodipine", 5, "qd", 28), 1),
        (line("amlodipine", 5, "qd", 29), 2),
        (line("methotrexate", 10, "qw", 28), 1),
        (line("alendronate", 70, "qw", 28), 1),
        (line("albendazole", 400, "st", 1), 1),
        (line("paracetamol", 500, "prn", 3), 2),
        (line("insulin_glargine", 20, "qn", 28), 2),
        (line("ibuprofen", 100, "tid", 3, form="suspension"), 1),
    ],
)
def test_packs_are_enough_for_the_course(given_line: Line, count: int) -> None:
    made = REFERENCE.preparations[given_line.preparation]
    assert packs(given_line, made, REFERENCE, Decimal(45), Decimal(70)) == count


@pytest.mark.parametrize(
    ("milligrams", "age", "female", "rate"),
    [("1.0", 50, False, 92), ("1.0", 50, True, 69), ("0.6", 30, True, 124), ("4.0", 70, False, 15)],
)
def test_the_filtration_rate_follows_ckd_epi_2021(milligrams: str, age: int, female: bool, rate: int) -> None:
    creatinine = Decimal(milligrams) * Decimal("88.42")  # from mg/dl
    assert round(kidney_function.ckd_epi_2021(creatinine, Decimal(age), female)) == rate


def test_the_clearance_follows_cockcroft_and_gault() -> None:
    assert round(kidney_function.cockcroft_gault(Decimal("88.42"), Decimal(70), True, Decimal(50))) == 41


@pytest.mark.parametrize(
    ("birthday", "today", "years"),
    [
        ("2020-02-29", "2026-02-28", 5),
        ("2020-02-29", "2026-03-01", 6),
        ("2020-11-22", "2026-11-21", 5),
        ("2020-11-22", "2026-11-22", 6),
    ],
)
def test_an_age_grows_on_the_birthday(birthday: str, today: str, years: int) -> None:
    age = years_old(date.fromisoformat(birthday), date.fromisoformat(today))
    assert years <= age < years + 1


@given(st.dates(), st.integers(0, 40_000))
def test_nobody_grows_younger(born_on: date, days: int) -> None:
    day = date.fromordinal(min(born_on.toordinal() + days, date.max.toordinal() - 1))
    assert 0 <= years_old(born_on, day) <= years_old(born_on, date.fromordinal(day.toordinal() + 1))


@given(st.integers(20, 1500), st.integers(18, 100), st.booleans())
def test_more_creatinine_never_means_more_filtration(creatinine: int, age: int, female: bool) -> None:
    less = kidney_function.ckd_epi_2021(Decimal(creatinine + 10), Decimal(age), female)
    assert less <= kidney_function.ckd_epi_2021(Decimal(creatinine), Decimal(age), female)


def test_a_newborn_is_no_adult() -> None:
    patient = somebody(birth_date=TODAY, weight=Measured(Decimal("3.5"), NOW))
    proposal = Formulary().propose(preparation("amoxicillin", "granules").code, patient, TODAY)
    assert proposal.line.dose == Decimal("31.25")  # a quarter of a sachet: of 3.5 kg, not of an adult
    assert severity(findings(proposal.line, patient), "dose.max_time") is None


def test_small_amounts_are_written_out() -> None:
    said = Formulary().said(line("digoxin", 0.0625, "qd"), somebody(), TODAY)
    assert said.dose == "0.0625mg"
