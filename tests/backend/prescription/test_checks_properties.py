"""What holds of the checks for every order: nothing that is added makes it safer, and nothing unknown does."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.prescription.checks import check
from backend.prescription.rules import Finding, Line, Order, Severity
from backend.records.background import Allergy, Answered, Background, Condition, CurrentMedicine, Measured, Source
from tests.backend.prescription.orders import (
    DOCTOR,
    NOW,
    REFERENCE,
    TODAY,
    allergic_to,
    born,
    findings,
    for_adults,
    line,
    order,
    somebody,
    who_takes,
)

CODES = sorted(REFERENCE.medicines)
ADULT_CODES = [code for code in CODES if for_adults(REFERENCE.medicines[code])]
PREPARATIONS = sorted(REFERENCE.preparations)
CONTRAINDICATED = sorted(
    {span.split("-")[0] for one in REFERENCE.medicines.values() for fact in one.avoid for span in fact.icd}
)

lines = st.builds(
    lambda code, pieces, frequency, days: Line(
        code,
        REFERENCE.preparations[code].strength * pieces,
        frequency,
        REFERENCE.preparations[code].routes[0],
        days,
    ),
    st.sampled_from(PREPARATIONS),
    st.sampled_from([Decimal("0.5"), Decimal(1), Decimal(2), Decimal(20)]),
    st.sampled_from(sorted(REFERENCE.frequencies)),
    st.integers(1, 90),
)
orders = st.builds(
    Order,
    st.lists(lines, min_size=1, max_size=4).map(tuple),
    st.sampled_from([(), ("J03.9",), ("I10", "E11.9"), ("R50.9",)]),
    st.booleans(),
    st.sampled_from([None, True, False]),
)
moments = st.integers(0, 500).map(lambda days: NOW - timedelta(days=days))
answers = st.none() | st.builds(Answered, st.booleans(), moments)


def measured(low: int, high: int) -> st.SearchStrategy[Measured | None]:
    return st.none() | st.builds(Measured, st.integers(low, high).map(Decimal), moments)


allergies = st.builds(
    Allergy, st.just("它"), st.sampled_from([None, "wonders", *CODES, *REFERENCE.classes]), severe=st.booleans()
)
current = st.builds(CurrentMedicine, st.just("它"), st.sampled_from([None, "wonders", *CODES, *REFERENCE.classes]))
conditions = st.builds(Condition, st.sampled_from(CONTRAINDICATED), st.just("病"), st.sampled_from(list(Source)))
people = st.builds(
    Background,
    st.just("patient"),
    st.none() | st.floats(0.01, 100).map(born),
    st.sampled_from(["male", "female", "unknown"]),
    measured(3, 120),
    measured(20, 900),
    measured(5, 400),
    answers,
    answers,
    st.lists(allergies, max_size=2).map(tuple),
    st.none() | moments,
    st.lists(current, max_size=3).map(tuple),
    st.none() | moments,
    st.lists(conditions, max_size=2, unique_by=lambda one: one.icd10).map(tuple),
    st.sampled_from([(), ("县医院",)]),
)


def found(what: Order, who: Background) -> tuple[Finding, ...]:
    return check(what, who, DOCTOR, REFERENCE, TODAY)


def stops(what: Order, who: Background) -> set[tuple[str, str]]:
    return {(one.rule, one.subject) for one in found(what, who) if one.severity is Severity.STOP}


@given(orders, people, lines)
def test_a_medicine_that_is_added_never_removes_a_stop(what: Order, who: Background, more: Line) -> None:
    assert stops(what, who) <= stops(replace(what, lines=(*what.lines, more)), who)


@given(orders, people, allergies, current, conditions)
def test_what_is_learnt_of_a_patient_against_a_medicine_never_removes_a_stop(
    what: Order, who: Background, allergy: Allergy, medicine: CurrentMedicine, condition: Condition
) -> None:
    known = {one.icd10 for one in who.conditions}
    more = replace(who, allergies=(*who.allergies, allergy), medicines=(*who.medicines, medicine))
    lasting = {(rule, subject) for rule, subject in stops(what, who) if rule != "law.first_visit"}
    assert lasting <= stops(what, more)
    if condition.icd10 not in known and not condition.icd10.startswith("N18"):
        assert lasting <= stops(what, replace(who, conditions=(*who.conditions, condition)))


@given(orders, people)
def test_the_order_of_the_lines_does_not_change_what_is_found(what: Order, who: Background) -> None:
    expected = {(one.rule, one.subject, one.severity) for one in found(what, who)}
    for shuffled in list(permutations(what.lines))[:6]:
        again = found(replace(what, lines=shuffled), who)
        assert {(one.rule, one.subject, one.severity) for one in again} == expected


@given(orders, people)
def test_the_same_order_gives_the_same_findings_in_the_same_order(what: Order, who: Background) -> None:
    assert found(what, who) == found(what, who)


@given(orders, people)
def test_every_finding_can_be_told_from_the_others_and_says_its_source(what: Order, who: Background) -> None:
    for one in found(what, who):
        assert one.source
        assert one.sentence
        assert all(0 <= index < len(what.lines) for index in one.lines)
        assert one.advice or one.severity is Severity.NOTE


UNKNOWN: tuple[dict[str, Any], ...] = (
    {"birth_date": None},
    {"weight": None},
    {"creatinine": None},
    {"alt": None},
    {"pregnant": None},
    {"lactating": None},
    {"sex": "unknown"},
    {"allergies_asked": None},
    {"medicines_asked": None},
    {"unreachable": ("县医院",)},
)


@given(orders, st.sampled_from(["male", "female"]), st.floats(18, 90), st.sampled_from(UNKNOWN))
def test_what_is_not_known_never_passes_more_than_what_is_known_to_be_safe(
    what: Order, sex: str, years: float, unknown: dict[str, Any]
) -> None:
    safe = somebody(sex=sex, birth_date=born(years))
    order_of = [Severity.NOTE, Severity.WARNING, Severity.STOP]
    known, less = found(what, safe), found(what, replace(safe, **unknown))
    if "birth_date" in unknown:  # no dose can be looked at: all stands still
        assert any(one.severity is Severity.STOP for one in less)
        return
    if "weight" in unknown:  # a dose by the kilogram that nobody can reckon is a stop in place of what was found
        known = tuple(one for one in known if not one.rule.startswith(("dose.", "kidney")))
    worst: dict[tuple[str, str], int] = {}
    for one in less:
        worst[one.rule, one.subject] = max(worst.get((one.rule, one.subject), -1), order_of.index(one.severity))
    for one in known:
        rule = {"kidney": "kidney.unknown", "liver": "liver.unknown"}.get(one.rule, one.rule)
        if one.rule in ("kidney", "liver") and (one.rule, one.subject) not in worst:
            assert (rule, one.subject) in worst
        else:
            assert worst.get((one.rule, one.subject), -1) >= order_of.index(one.severity)


@pytest.mark.parametrize("interaction", REFERENCE.interactions, ids=lambda one: "+".join(one.between))
def test_every_interaction_is_found_both_ways_and_with_what_the_patient_takes(interaction: Any) -> None:
    first, second = (sorted(REFERENCE.members(code)) for code in interaction.between)
    pairs = [(one, other) for one in first for other in second if interaction in REFERENCE.between(one, other)]
    assert pairs
    for one, other in [pairs[0], pairs[-1]]:
        for what, who in (
            (order(line(one), line(other)), somebody()),
            (order(line(other), line(one)), somebody()),
            (order(line(one)), who_takes(other)),
            (order(line(other)), who_takes(one)),
        ):
            severities = [
                one.severity.value
                for one in found(what, who)
                if one.rule == "interaction" and interaction.how in one.sentence
            ]
            assert severities == [interaction.severity]


@settings(max_examples=200)
@given(st.sampled_from(ADULT_CODES), st.integers(1, 400))
def test_a_dose_above_the_most_of_a_day_is_stopped(code: str, percent: int) -> None:
    given_line = line(code)
    medicine = REFERENCE.medicines[code]
    most = max(
        (one.max_kg_day * 70 if one.max_kg_day else one.max_day)
        for one in medicine.doses
        if not one.routes or given_line.route in one.routes
    )
    over = replace(given_line, dose=most * (100 + percent) / 100, frequency="qd")
    assert any(one.rule == "dose.max_day" and one.severity is Severity.STOP for one in findings(over))


ALLERGENIC = [code for code, one in REFERENCE.classes.items() if one.allergy == "stop"]


@pytest.mark.parametrize("code", ALLERGENIC)
def test_an_allergy_to_one_of_a_class_or_to_the_class_catches_every_member(code: str) -> None:
    members = sorted(REFERENCE.members(code))
    for given_code in members:
        for allergy in (code, *members):
            stopped = [
                one for one in findings(line(given_code), allergic_to(allergy)) if one.rule.startswith("allergy")
            ]
            assert [one.severity for one in stopped] == [Severity.STOP], (given_code, allergy)


@pytest.mark.parametrize("code", sorted(set(REFERENCE.classes) - {"sedatives"}))
def test_an_allergy_to_any_class_that_is_named_stops_its_members(code: str) -> None:
    for given_code in sorted(REFERENCE.members(code))[:3]:
        stopped = [one for one in findings(line(given_code), allergic_to(code)) if one.rule == "allergy.class"]
        assert [one.severity for one in stopped] == [Severity.STOP]
