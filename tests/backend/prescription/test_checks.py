"""Each check of a prescription, by the case a pharmacist would think of."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from backend.prescription.checks import Limits, check
from backend.prescription.rules import Line, Prescriber, Severity
from backend.records.background import Answered, Background, Condition, CurrentMedicine, Measured, Source
from tests.backend.prescription.orders import (
    DOCTOR,
    NOW,
    REFERENCE,
    TODAY,
    allergic_to,
    born,
    findings,
    line,
    order,
    severity,
    somebody,
    who_takes,
)

STOP, WARNING, NOTE = Severity.STOP, Severity.WARNING, Severity.NOTE


def woman(**known: object) -> Background:
    return somebody(sex="female", birth_date=born(28), **known)


def child(years: float, kilograms: float | None) -> Background:
    weight = None if kilograms is None else Measured(Decimal(str(kilograms)), NOW)
    return somebody(birth_date=born(years), weight=weight, creatinine=None, alt=None)


def with_disease(code: str, name: str = "病") -> Background:
    return somebody(conditions=(Condition(code, name, Source.DOCTOR),))


def test_a_usual_prescription_has_nothing_against_it() -> None:
    found = findings(order(line("amoxicillin", 500, "tid", 7), line("ambroxol", 30, "tid", 7)))
    assert {one.severity for one in found} <= {NOTE}


def test_every_finding_says_what_to_do_and_on_which_authority() -> None:
    patient = replace(allergic_to("penicillins"), medicines=(CurrentMedicine("偏方", None),))
    for one in findings(order(line("amoxicillin"), line("ibuprofen", 3000)), patient):
        assert one.sentence.endswith("。")
        assert one.source
        assert one.advice or one.severity is NOTE


# Allergy


@pytest.mark.parametrize(
    ("allergy", "given", "severe", "rule", "how"),
    [
        ("penicillins", "amoxicillin", False, "allergy.class", STOP),
        ("amoxicillin", "amoxicillin", False, "allergy.same", STOP),
        ("amoxicillin", "amoxicillin_clavulanate", False, "allergy.same", STOP),
        ("benzylpenicillin", "amoxicillin", False, "allergy.class", STOP),
        ("penicillins", "cefuroxime", False, "allergy.cross", WARNING),
        ("penicillins", "cefuroxime", True, "allergy.cross", STOP),
        ("amoxicillin", "cefaclor", False, "allergy.class", STOP),
        ("cefixime", "cefuroxime", False, "allergy.class", STOP),
        ("sulfonamides", "celecoxib", False, "allergy.cross", STOP),
        ("aspirin", "ibuprofen", False, "allergy.class", STOP),
        ("aspirin", "paracetamol", False, "allergy.cross", NOTE),
        ("caffeine", "ganmaoling", False, "allergy.same", STOP),
        ("erythromycin", "erythromycin_eye", False, "allergy.same", STOP),
        ("azithromycin", "erythromycin_ointment", False, "allergy.class", STOP),
        ("captopril", "losartan", True, "allergy.cross", STOP),
        ("egg", "lysozyme", False, "allergy.cross", STOP),
    ],
)
def test_an_allergy_is_met(allergy: str, given: str, severe: bool, rule: str, how: Severity) -> None:
    assert severity(findings(line(given), allergic_to(allergy, severe=severe)), rule) is how


@pytest.mark.parametrize(("allergy", "given"), [("penicillins", "azithromycin"), ("seafood", "amoxicillin")])
def test_an_allergy_to_something_else_is_not_met(allergy: str, given: str) -> None:
    assert not [one for one in findings(line(given), allergic_to(allergy)) if one.rule.startswith("allergy")]


def test_an_allergy_says_what_it_is_who_said_so_and_when() -> None:
    found = findings(line("amoxicillin"), allergic_to("penicillins", "青霉素"))
    sentence = next(one.sentence for one in found if one.rule == "allergy.class")
    assert "青霉素" in sentence
    assert Source.PATIENT.label in sentence
    assert "2026-11-20" in sentence


@pytest.mark.parametrize("code", [None, "wonders"])
def test_an_allergy_that_is_not_known_here_is_named_and_not_passed_over(code: str | None) -> None:
    found = [
        one for one in findings(line("amoxicillin"), allergic_to(code, "草珊瑚")) if one.rule == "allergy.unmapped"
    ]
    assert [one.severity for one in found] == [WARNING]
    assert "草珊瑚" in found[0].sentence
    assert "草珊瑚" not in found[0].subject


def test_nobody_is_given_an_antibiotic_before_they_were_asked_for_allergies() -> None:
    unasked = somebody(allergies_asked=None)
    assert severity(findings(line("amoxicillin"), unasked), "allergy.not_asked") is STOP
    assert severity(findings(line("lactulose"), unasked), "allergy.not_asked") is WARNING


def test_a_hospital_whose_history_could_not_be_read_is_named() -> None:
    found = findings(line("amoxicillin"), somebody(unreachable=("县人民医院",)))
    assert [one.sentence for one in found if one.rule == "history.unread" and one.severity is WARNING] == [
        "没能读到县人民医院的病历，过敏和用药可能不全。"
    ]


# Interactions and duplicates


def test_two_lines_that_do_not_go_together_are_found() -> None:
    found = findings(order(line("warfarin"), line("ibuprofen")))
    assert severity(found, "interaction") is STOP
    assert next(one.lines for one in found if one.rule == "interaction") == (0, 1)


def test_what_the_patient_takes_counts_as_well() -> None:
    found = findings(line("clarithromycin"), who_takes("simvastatin"))
    assert severity(found, "interaction") is STOP


def test_of_a_class_that_somebody_takes_any_member_may_be_meant() -> None:
    assert severity(findings(line("clarithromycin"), who_takes("statins")), "interaction") is STOP


def test_what_acts_where_it_is_put_does_not_meet_what_goes_through_the_body() -> None:
    assert severity(findings(line("diclofenac_gel"), who_takes("warfarin")), "interaction") is None


def test_a_current_medicine_that_is_not_known_here_is_named() -> None:
    patient = somebody(medicines=(CurrentMedicine("祖传秘方", None),))
    found = [one for one in findings(line("amoxicillin"), patient) if one.rule == "medicines.unmapped"]
    assert [one.severity for one in found] == [WARNING]
    assert "祖传秘方" in found[0].sentence


def test_nobody_is_given_a_risky_medicine_before_they_were_asked_what_they_take() -> None:
    assert severity(findings(line("warfarin"), somebody(medicines_asked=None)), "medicines.not_asked") is STOP


@pytest.mark.parametrize(
    ("one", "other", "rule", "how"),
    [
        ("paracetamol", "ganmaoling", "duplicate.ingredient", STOP),
        ("glibenclamide", "xiaoke_pill", "duplicate.ingredient", STOP),
        ("ibuprofen", "celecoxib", "duplicate.class", STOP),
        ("diclofenac", "diclofenac_gel", "duplicate.ingredient", WARNING),
        ("valsartan", "losartan", "duplicate.class", STOP),
    ],
)
def test_the_same_thing_twice_is_found(one: str, other: str, rule: str, how: Severity) -> None:
    assert severity(findings(order(line(one), line(other))), rule) is how


def test_one_medicine_in_two_lines_is_asked_for_and_adds_up() -> None:
    found = findings(order(line("ibuprofen", 600, "tid"), line("ibuprofen", 600, "tid")))
    assert severity(found, "duplicate.medicine") is WARNING
    assert severity(found, "dose.max_day") is STOP


def test_what_is_prescribed_again_is_only_a_note() -> None:
    found = findings(line("amlodipine"), who_takes("amlodipine"))
    assert severity(found, "current.medicine") is NOTE


def test_a_current_medicine_of_the_same_class_may_be_replaced() -> None:
    assert severity(findings(line("losartan"), who_takes("valsartan")), "current.class") is WARNING
    assert severity(findings(line("paracetamol"), who_takes("ganmaoling")), "current.ingredient") is WARNING


# Doses


@pytest.mark.parametrize(
    ("given", "rule", "how"),
    [
        (line("amoxicillin", 1500, "tid"), "dose.max_day", STOP),
        (line("amoxicillin", 2000, "qd"), "dose.max_time", STOP),
        (line("paracetamol", 500, "q4h"), "dose.max_day", STOP),
        (line("paracetamol", 1000, "prn"), "dose.max_day", STOP),
        (line("ibuprofen", 500, "bid"), "dose.high", WARNING),
        (line("amoxicillin", 250, "tid"), "dose.low", NOTE),
        (line("methotrexate", 10, "qd"), "dose.too_often", STOP),
        (line("amlodipine", 2.5, "tid"), "dose.frequency", WARNING),
        (line("levofloxacin", 500, "qd"), "dose.frequency", None),
        (line("amoxicillin", 300, "tid", form="capsule"), "line.pieces", WARNING),
    ],
)
def test_a_dose_that_is_not_usual_is_found(given: Line, rule: str, how: Severity | None) -> None:
    assert severity(findings(given), rule) is how


@pytest.mark.parametrize(
    ("years", "kilograms", "dose", "rule", "how"),
    [
        (3, 15, 150, "dose.max_time", None),
        (3, 15, 400, "dose.max_time", STOP),
        (3, 15, 200, "dose.high", WARNING),
        (3, None, 150, "missing.weight", STOP),
        (0.2, 5, 50, "dose.none_for_age", STOP),
        (16, 50, 400, "dose.max_time", None),
    ],
)
def test_a_child_s_dose_goes_by_weight(
    years: float, kilograms: float | None, dose: int, rule: str, how: Severity | None
) -> None:
    found = findings(order(line("ibuprofen", dose, "tid", form="suspension")), child(years, kilograms))
    assert severity(found, rule) is how


def test_a_ten_kilogram_child_gets_ten_kilograms_dose_of_the_powders_that_go_by_weight_bands() -> None:
    assert severity(findings(line("oseltamivir", 75, "bid", form="granules"), child(3, 14)), "dose.max_time") is STOP
    assert severity(findings(line("oseltamivir", 30, "bid", form="granules"), child(3, 14)), "dose.max_time") is None


def test_somebody_of_sixteen_without_a_dose_of_their_own_is_measured_by_the_adults_with_a_warning() -> None:
    found = findings(line("rabeprazole", 60, "qd"), child(16, 50))
    assert severity(found, "dose.none_for_age") is WARNING
    assert severity(found, "dose.max_day") is STOP


def test_a_child_s_old_weight_is_said() -> None:
    old = Measured(Decimal(15), NOW - timedelta(days=200))
    found = findings(line("ibuprofen", 100, "tid", form="suspension"), replace(child(3, 15), weight=old))
    assert severity(found, "missing.weight") is WARNING


@pytest.mark.parametrize(("unknown", "rule"), [({"named": False}, "missing.name"), ({"sex": "unknown"}, "missing.sex")])
def test_nothing_is_prescribed_for_somebody_without_a_name_or_a_sex(unknown: dict[str, Any], rule: str) -> None:
    assert severity(findings(line("amoxicillin"), somebody(**unknown)), rule) is STOP
    assert rule not in {one.rule for one in findings(line("amoxicillin"), somebody())}


def test_without_a_birth_date_nothing_is_prescribed() -> None:
    assert severity(findings(line("amoxicillin"), somebody(birth_date=None)), "missing.birth_date") is STOP


# Courses


@pytest.mark.parametrize(
    ("given", "chronic", "rule", "how"),
    [
        (line("ambroxol", 30, "tid", 7), False, "course.acute", None),
        (line("ambroxol", 30, "tid", 8), False, "course.acute", WARNING),
        (line("amlodipine", 5, "qd", 28), True, "course.long", None),
        (line("amlodipine", 5, "qd", 84), True, "course.long", WARNING),
        (line("amlodipine", 5, "qd", 85), True, "course.most", STOP),
        (line("amlodipine", 5, "qd", 85), False, "course.most", STOP),
        (line("amoxicillin", 500, "tid", 14), True, "course.not_chronic", STOP),
        (line("isoniazid", 300, "qd", 28), True, "course.not_chronic", None),
        (line("ibuprofen", 200, "tid", 20), True, "course.longest", WARNING),
    ],
)
def test_a_course_that_is_too_long_is_found(given: Line, chronic: bool, rule: str, how: Severity | None) -> None:
    assert severity(findings(order(given, chronic=chronic)), rule) is how


def test_an_institution_may_set_its_own_limits() -> None:
    what = order(line("ambroxol", 30, "tid", 4))
    found = check(what, somebody(), DOCTOR, REFERENCE, today=TODAY, limits=Limits(acute_days=3))
    assert severity(found, "course.acute") is WARNING


# Diseases, pregnancy, ages


@pytest.mark.parametrize(
    ("given", "disease", "how"),
    [
        ("metoprolol", "J45.9", STOP),
        ("ibuprofen", "K25.9", STOP),
        ("ibuprofen", "K92.2", STOP),
        ("ibuprofen", "K92", None),
        ("ibuprofen", "I10", NOTE),
        ("metformin", "I50.9", WARNING),
        ("amlodipine", "J45.9", None),
        ("levofloxacin", "G40.901", STOP),
    ],
)
def test_a_disease_in_which_the_medicine_does_harm_is_found(given: str, disease: str, how: Severity | None) -> None:
    assert severity(findings(line(given), with_disease(disease)), "disease") is how


def test_a_diagnosis_of_the_order_counts_as_a_disease() -> None:
    assert severity(findings(order(line("metoprolol"), diagnoses=("I10", "J45.9"))), "disease") is STOP


def test_a_diagnosis_is_needed_and_has_to_be_one() -> None:
    assert severity(findings(order(line("amoxicillin"), diagnoses=())), "diagnosis.missing") is STOP
    assert severity(findings(order(line("amoxicillin"), diagnoses=("感冒",))), "diagnosis.unknown") is STOP


def test_a_medicine_for_something_else_needs_a_reason() -> None:
    assert severity(findings(order(line("amoxicillin"), diagnoses=("I10",))), "indication") is WARNING
    assert severity(findings(order(line("amoxicillin"), diagnoses=("I10", "J03.901"))), "indication") is None


@pytest.mark.parametrize(
    ("patient", "how"),
    [
        (woman(pregnant=Answered(True, NOW)), STOP),
        (woman(pregnant=None), STOP),
        (woman(pregnant=Answered(False, NOW - timedelta(days=40))), STOP),
        (woman(pregnant=Answered(False, NOW)), None),
        (woman(conditions=(Condition("O20.0", "先兆流产"),)), STOP),
        (somebody(pregnant=None), None),
        (somebody(sex="unknown", birth_date=born(28), pregnant=None), STOP),
    ],
)
def test_who_is_pregnant_or_may_be_is_kept_from_harm(patient: Background, how: Severity | None) -> None:
    assert severity(findings(line("captopril"), patient), "pregnancy") is how


def test_who_breast_feeds_or_may_is_kept_from_harm() -> None:
    assert severity(findings(line("levofloxacin"), woman(lactating=Answered(True, NOW))), "lactation") is STOP
    assert severity(findings(line("levofloxacin"), woman(lactating=None)), "lactation") is STOP
    assert severity(findings(line("levofloxacin"), woman()), "lactation") is None


@pytest.mark.parametrize(
    ("given", "years", "how"),
    [
        ("levofloxacin", 17.5, STOP),
        ("levofloxacin", 18.5, None),
        ("doxycycline", 7, STOP),
        ("doxycycline", 9, None),
        ("aspirin", 10, STOP),
        ("codeine", 11, STOP),
        ("nimesulide", 11, STOP),
        ("metoclopramide", 0.5, STOP),
        ("metoclopramide", 5, WARNING),
        ("gentamicin", 4, STOP),
        ("indometacin", 70, STOP),
    ],
)
def test_ages_at_which_a_medicine_does_harm(given: str, years: float, how: Severity | None) -> None:
    patient = somebody(birth_date=born(years), weight=Measured(Decimal(20), NOW))
    assert severity(findings(line(given), patient), "age") is how


# Kidneys and liver


def kidneys(creatinine: int) -> Background:
    return somebody(creatinine=Measured(Decimal(creatinine), NOW))


@pytest.mark.parametrize(
    ("given", "creatinine", "how"),
    [
        (line("metformin", 500, "tid"), 70, None),
        (line("metformin", 250, "bid"), 180, WARNING),
        (line("metformin", 500, "tid"), 180, STOP),
        (line("metformin", 250, "bid"), 260, STOP),
        (line("spironolactone", 20, "qd"), 260, STOP),
    ],
)
def test_kidneys_that_filter_less_are_minded(given: Line, creatinine: int, how: Severity | None) -> None:
    assert severity(findings(given, kidneys(creatinine)), "kidney") is how


@pytest.mark.parametrize(
    ("patient", "how"),
    [
        (somebody(creatinine=None), NOTE),
        (somebody(creatinine=None, birth_date=born(70)), WARNING),
        (somebody(creatinine=None, conditions=(Condition("E11.9", "糖尿病"),)), WARNING),
        (somebody(creatinine=None, conditions=(Condition("N18.9", "慢性肾病"),)), STOP),
        (somebody(creatinine=Measured(Decimal(70), NOW - timedelta(days=400))), NOTE),
    ],
)
def test_kidneys_that_nobody_has_looked_at_are_said(patient: Background, how: Severity) -> None:
    assert severity(findings(line("metformin"), patient), "kidney.unknown") is how


def test_a_known_stage_of_kidney_disease_stands_for_a_creatinine() -> None:
    patient = somebody(creatinine=None, conditions=(Condition("N18.4", "慢性肾病4期"),))
    assert severity(findings(line("metformin"), patient), "kidney") is STOP


def test_a_sick_liver_is_minded() -> None:
    high = somebody(alt=Measured(Decimal(200), NOW))
    assert severity(findings(line("atorvastatin"), high), "liver") is STOP
    assert severity(findings(line("atorvastatin"), with_disease("K74.6")), "liver") is WARNING
    assert severity(findings(line("atorvastatin"), somebody(alt=None)), "liver.unknown") is NOTE


# Law


def test_five_medicines_are_the_most() -> None:
    codes = ("amoxicillin", "ambroxol", "loratadine", "lactulose", "mecobalamin", "vitamin_c")
    assert severity(findings(order(*map(line, codes[:5]))), "law.max_medicines") is None
    assert severity(findings(order(*map(line, codes))), "law.max_medicines") is STOP


@pytest.mark.parametrize("code", ["morphine", "codeine", "diazepam", "tramadol", "dextromethorphan"])
def test_controlled_medicines_are_not_prescribed_here(code: str) -> None:
    assert severity(findings(line(code)), "law.controlled") is STOP


@pytest.mark.parametrize(
    ("code", "grades", "rule", "how"),
    [
        ("amoxicillin", {"non_restricted"}, "law.antibiotic_grade", None),
        ("amoxicillin", set(), "law.antibiotic_grade", STOP),
        ("cefixime", {"non_restricted"}, "law.antibiotic_grade", STOP),
        ("cefixime", {"non_restricted", "restricted"}, "law.antibiotic_grade", None),
        ("meropenem", {"non_restricted", "restricted", "special"}, "law.special_antibiotic", STOP),
    ],
)
def test_an_antibiotic_needs_its_right(code: str, grades: set[str], rule: str, how: Severity | None) -> None:
    doctor = Prescriber("doctor", "医师", frozenset(grades))
    assert severity(findings(line(code), prescriber=doctor), rule) is how


def test_from_afar_a_first_visit_is_stopped_and_a_small_child_needs_somebody_there() -> None:
    known = somebody(conditions=(Condition("J03.9", "扁桃体炎", Source.HOSPITAL),))
    what = line("amoxicillin")
    assert severity(findings(order(what, in_person=False)), "law.first_visit") is STOP
    assert severity(findings(order(what, in_person=None)), "law.first_visit") is NOTE
    assert severity(findings(order(what, in_person=False), known), "law.first_visit") is None
    assert severity(findings(order(what, in_person=False), child(3, 15)), "law.young_child") is WARNING
    assert severity(findings(order(what), child(3, 15)), "law.young_child") is None


# Lines


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"preparation": "wonder-drug"}, "line.unknown"),
        ({"frequency": "often"}, "line.unknown"),
        ({"dose": Decimal(0)}, "line.amount"),
        ({"dose": Decimal(-1)}, "line.amount"),
        ({"dose": Decimal("NaN")}, "line.unknown"),
        ({"dose": Decimal("Infinity")}, "line.unknown"),
        ({"dose": Decimal("1e30")}, "line.unknown"),
        ({"days": 0}, "line.amount"),
        ({"route": "iv"}, "line.route"),
    ],
)
def test_a_line_that_cannot_be_given_is_stopped(changed: dict[str, object], rule: str) -> None:
    given = replace(line("amoxicillin"), **changed)  # type: ignore[arg-type]
    assert severity(findings(given), rule) is STOP


def test_an_empty_prescription_is_stopped() -> None:
    assert severity(findings(order()), "line.none") is STOP
