"""The summary of a history: pure functions from what was told to what is on the page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from backend.records.background import Background, Measured
from backend.records.hospital.facts import AllergyFact, ConditionFact, HospitalHistory, Measurement
from backend.records.hospital.joining import with_hospitals
from backend.records.hospital.mapping import history_of
from backend.records.hospital.matching import Match, match
from backend.records.hospital.observations import measurements
from backend.records.hospital.reading import instant
from backend.records.hospital.stored import HospitalFacts, Told
from backend.records.hospital.summary import HistorySummary, Subject, shown_day, summarise
from backend.records.hospital.trends import Trend
from backend.records.hospital.units import shown_unit
from backend.records.hospital.views import Outcome
from tests.backend.records.hospital.conftest import WANG

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
WHO = Subject("HZ1", "王秀英", "female", 67 * 12, True, {})


def told(name: str, history: HospitalHistory, **changes: Any) -> Told:
    return Told(name, Outcome.FETCHED, fetched_at=NOW, history=history, **changes)


def page(*histories: HospitalHistory) -> HistorySummary:
    return summarise(WHO, [], [told(f"医院{number}", one) for number, one in enumerate(histories, 1)], NOW)


def potassium(value: str, day: str, unit: str = "mmol/L", mark: str = "", high: str = "5.3") -> Measurement:
    return Measurement("2823-3", "血钾", value, unit, "3.5", high, mark, day, False, "")


@pytest.mark.parametrize(
    ("before", "now", "trend"),
    [("4.0", "4.5", Trend.UP), ("4.5", "4.0", Trend.DOWN), ("4.0", "4.1", Trend.SAME), ("<4", "4.1", Trend.UNKNOWN)],
)
def test_the_newest_value_has_its_trend(before: str, now: str, trend: Trend) -> None:
    history = HospitalHistory(measurements=(potassium(before, "2026-01-01"), potassium(now, "2026-11-01")))
    [line] = page(history).laboratory
    assert (line.value, line.previous, line.trend) == (now, before, trend)


def test_values_whose_units_do_not_match_are_no_trend() -> None:
    history = HospitalHistory(measurements=(potassium("16", "2026-01-01", "furlong"), potassium("4", "2026-11-01")))
    [line] = page(history).laboratory
    assert (line.value, line.unit, line.previous) == ("4", "mmol/L", "")


def test_a_unit_that_is_known_is_converted() -> None:
    glucose = Measurement("14771-0", "FBG", "126", "mg/dL", "", "", "", "2026-01-01", False, "")
    newer = glucose._replace(value="7.7", unit="mmol/L", taken="2026-11-01")
    [line] = page(HospitalHistory(measurements=(glucose, newer))).laboratory
    assert (line.name, line.value, line.trend) == ("空腹血糖", "7.7", Trend.UP)
    assert line.previous.startswith("6.99")


def test_a_blood_pressure_is_one_line_and_marked_by_our_own_range() -> None:
    parts = [("8480-6", "收缩压", "156"), ("8462-4", "舒张压", "94")]
    both = tuple(
        Measurement(code, name, value, "mm[Hg]", "", "", "", "2026-11-01", True, "85354-9")
        for code, name, value in parts
    )
    [line] = page(HospitalHistory(measurements=both)).vitals
    assert (line.name, line.value, line.unit, line.mark) == ("血压", "156/94", "mmHg", "H")


def test_abnormal_values_come_first_and_the_gravest_of_them() -> None:
    rows = tuple(
        potassium(value, "2026-11-01", mark=mark)._replace(code=code, name=code)
        for code, value, mark in (("a", "4", ""), ("b", "6", "H"), ("c", "7", "HH"))
    )
    assert [line.name for line in page(HospitalHistory(measurements=rows)).laboratory] == ["c", "b", "a"]


def test_more_kinds_than_fit_are_counted() -> None:
    rows = tuple(potassium("4", "2026-11-01")._replace(code=f"x{place}", name=f"x{place}") for place in range(25))
    summary = page(HospitalHistory(measurements=rows))
    assert len(summary.laboratory) + summary.more["laboratory"] == 25


def test_what_two_hospitals_tell_is_one_line_with_both_names() -> None:
    one = HospitalHistory(conditions=(ConditionFact("I10", "高血压", True, "2020-01-01"),))
    other = HospitalHistory(conditions=(ConditionFact("I10", "原发性高血压", True, "2024-05"),))
    [line] = page(one, other).conditions
    assert (line.text, line.when, set(line.hospitals)) == ("原发性高血压", "2024年5月", {"医院1", "医院2"})


def test_an_allergy_outweighs_a_note_that_there_is_none() -> None:
    none = HospitalHistory(no_known_allergies="2026-01-01")
    some = HospitalHistory(allergies=(AllergyFact("青霉素", "", "皮疹", False, "2019"),))
    assert page(none).none_known == "医院12026年1月1日记录：没有已知过敏"
    summary = page(none, some)
    assert summary.none_known == ""
    assert [line.text for line in summary.allergies] == ["青霉素"]


def test_the_severe_allergy_comes_first() -> None:
    facts = (AllergyFact("花粉", "", "", False, "2026"), AllergyFact("青霉素", "", "", True, "2019"))
    assert [line.text for line in page(HospitalHistory(allergies=facts)).allergies] == ["青霉素", "花粉"]


def test_what_is_missing_is_said() -> None:
    history = HospitalHistory(missing=("AllergyIntolerance",), left_out=3, complete=False)
    old = Told("县医院", Outcome.FETCHED, fetched_at=NOW - timedelta(days=3), history=history)
    [line] = summarise(WHO, [], [old], NOW).hospitals
    for words in ("这是3天前的", "医院没有提供：过敏史", "只取了最近的", "有3条读不懂或不是本人的"):
        assert words in line.sentence
    assert not old.is_certain


def resource(type_: str, **elements: Any) -> dict[str, Any]:
    return {
        "resourceType": type_,
        "id": "x",
        "subject": {"reference": "https://his/fhir/Patient/p1/_history/3"},
    } | elements


def test_a_resource_of_another_patient_is_left_out_and_counted() -> None:
    other = resource("Condition", subject={"reference": "Patient/p2"}, code={"text": "高血压"})
    history = history_of("p1", {"Condition": (resource("Condition", code={"text": "痛风"}), other)})
    assert [one.name for one in history.conditions] == ["痛风"]
    assert history.left_out == 1


def test_what_was_refuted_or_entered_in_error_is_not_told() -> None:
    wrong = {"coding": [{"code": "entered-in-error"}]}
    refuted = {"coding": [{"code": "refuted"}]}
    history = history_of(
        "p1",
        {
            "Condition": (resource("Condition", code={"text": "肺癌"}, verificationStatus=refuted),),
            "AllergyIntolerance": (
                resource("AllergyIntolerance", patient={"reference": "Patient/p1"}, code={"text": "海鲜"},
                         verificationStatus=wrong),
            ),
            "Observation": (resource("Observation", status="entered-in-error", code={"text": "钾"}, valueInteger=4),),
            "MedicationRequest": (
                resource("MedicationRequest", status="stopped", medicationCodeableConcept={"text": "华法林"}),
            ),
        },
    )  # fmt: skip
    assert history == HospitalHistory()


def test_an_unknown_code_is_shown_by_its_words() -> None:
    concept = {"coding": [{"system": "http://his/local", "code": "77"}], "text": "老慢支"}
    history = history_of("p1", {"Condition": (resource("Condition", code=concept),)})
    assert [(one.icd10, one.name) for one in history.conditions] == [("", "老慢支")]


@pytest.mark.parametrize("interpretation", [None, "N"])
def test_a_value_outside_its_stated_range_is_abnormal_whatever_was_said(interpretation: str | None) -> None:
    said = [{"coding": [{"code": interpretation}]}] if interpretation else []
    given = resource(
        "Observation", status="final", code={"text": "钾"}, valueQuantity={"value": 2.9, "unit": "mmol/L"},
        referenceRange=[{"low": {"value": 3.5}}], interpretation=said,
    )  # fmt: skip
    [one] = measurements(given) or []
    assert (one.value, one.mark) == ("2.9", "L")


def test_a_range_in_another_unit_is_not_compared() -> None:
    given = resource(
        "Observation", status="final", code={"text": "糖"}, valueQuantity={"value": 90, "unit": "mg/dL"},
        referenceRange=[{"high": {"value": 6.1, "unit": "mmol/L"}}],
    )  # fmt: skip
    [one] = measurements(given) or []
    assert (one.high, one.mark) == ("", "")


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({}, Match.ONE),
        ({"gender": "unknown"}, Match.ONE),
        ({"name": [{"family": "王", "given": ["秀", "英"]}]}, Match.ONE),
        ({"gender": "male"}, Match.ANOTHER),
        ({"birthDate": "1959-03"}, Match.ANOTHER),
        ({"name": []}, Match.ANOTHER),
        ({"active": False}, Match.NOBODY),
        ({"link": [{"type": "replaced-by", "other": {"reference": "Patient/p9"}}]}, Match.NOBODY),
        ({"identifier": [{"system": "urn:x", "value": WANG.number}]}, Match.NOBODY),
    ],
)
def test_only_the_same_person_matches(change: dict[str, Any], result: Match) -> None:
    patient = {
        "id": "p1", "identifier": [{"system": "urn:id", "value": WANG.number}], "name": [{"text": "王 秀英"}],
        "gender": "female", "birthDate": "1959-03-12",
    } | change  # fmt: skip
    assert match(WANG, "urn:id", [patient])[0] is result


def test_a_prescriber_gets_the_newest_weight_whoever_measured_it() -> None:
    weight = Measurement("29463-7", "体重", "122", "[lb_av]", "", "", "", "2026-11-01", True, "")
    kilos = weight._replace(value="61.5", unit="kg")
    known = Background("p", weight=Measured(Decimal(70), datetime(2026, 1, 1, tzinfo=UTC)), allergies_asked=None)
    joined = with_hospitals(
        known, HospitalFacts(measurements=(kilos,), no_known_allergies=NOW, unreachable=("县医院",))
    )
    assert joined.weight == Measured(Decimal("61.5"), instant("2026-11-01") or NOW)
    assert joined.allergies_asked == NOW
    assert joined.unreachable == ("县医院",)
    impossible = weight._replace(value="9000", unit="kg")
    assert with_hospitals(known, HospitalFacts(measurements=(impossible,))).weight == known.weight


@pytest.mark.parametrize(
    ("text", "shown"),
    [("2026", "2026年"), ("2026-05", "2026年5月"), ("2026-05-01T23:30:00Z", "2026年5月2日"), ("bald", ""), ("", "")],
)
def test_days_are_shown_as_exactly_as_they_are_known(text: str, shown: str) -> None:
    assert shown_day(text) == shown


def test_units_are_shown_as_people_write_them() -> None:
    assert [shown_unit(code) for code in ("umol/L", "mm[Hg]", "{score}", "mmol/L")] == ["μmol/L", "mmHg", "", "mmol/L"]
