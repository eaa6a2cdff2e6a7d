"""Danger signs: found in what is said now, never in what is denied, past or supposed."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from data.clinical_language import clinical_language
from data.red_flags import red_flags
from nlu.facts import CaseFacts
from nlu.red_flags import assess_red_flags
from nlu.types import (
    Context,
    Intent,
    Pregnancy,
    Relation,
    Statement,
    Status,
    SymptomMention,
    Understanding,
    Vitals,
)

Understand = Callable[..., Understanding]
FOLDER = Path(__file__).parent / "data"
DANGER: list[dict[str, str]] = json.loads((FOLDER / "red_flag_cases.json").read_text("utf-8"))
HARMLESS: list[dict[str, str]] = json.loads((FOLDER / "red_flag_negatives.json").read_text("utf-8"))
ORDINARY: list[str] = json.loads((FOLDER / "ordinary_sentences.json").read_text("utf-8"))


def facts(*present: str, **more: object) -> CaseFacts:
    """Facts with these symptoms present."""
    symptoms = tuple(SymptomMention(name=name, text=name, status=Status.POSITIVE) for name in present)
    return CaseFacts.model_validate({"symptoms": symptoms, **more})


def codes(case: CaseFacts) -> set[str]:
    return {flag.code for flag in assess_red_flags(case)}


@pytest.mark.parametrize(("code", "text"), [(row["code"], row["text"]) for row in DANGER])
def test_a_danger_sign_is_found(understand: Understand, code: str, text: str) -> None:
    assert code in [flag.code for flag in understand(text).red_flags]


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_sentence_raises_no_alarm(understand: Understand, text: str) -> None:
    assert [flag.code for flag in understand(text).red_flags] == []


@pytest.mark.parametrize(("kind", "text"), [(row["kind"], row["text"]) for row in HARMLESS])
def test_what_only_sounds_dangerous_raises_no_alarm(understand: Understand, kind: str, text: str) -> None:
    assert [flag.code for flag in understand(text).red_flags] == [], kind


def test_every_rule_has_sentences_and_every_kind_of_harmless_one_too() -> None:
    told = Counter(row["code"] for row in DANGER)
    assert set(told) == {rule.code for rule in red_flags()}
    assert min(told.values()) >= 3
    assert len(DANGER) >= 80
    assert len(ORDINARY) >= 120
    assert len(HARMLESS) >= 60
    assert min(Counter(row["kind"] for row in HARMLESS).values()) >= 8


@pytest.mark.parametrize("name", [row.name for row in clinical_language().symptoms])
@pytest.mark.parametrize("form", ["没有{}", "有没有{}？", "去年有过{}", "如果{}怎么办", "担心{}"])
def test_no_single_finding_alarms_when_denied_asked_past_or_supposed(
    understand: Understand, name: str, form: str
) -> None:
    assert understand(form.format(name)).red_flags == ()


def test_advice_says_what_to_do_at_once() -> None:
    for rule in red_flags():
        assert any(word in rule.advice for word in ("120", "急诊", "医院")), rule.code
    suicide = next(rule for rule in red_flags() if rule.code == "SUICIDE")
    assert "12356" in suicide.advice


def test_a_danger_of_the_first_level_is_an_emergency(understand: Understand) -> None:
    assert understand("我妈突然嘴歪，说话不清楚").intent is Intent.EMERGENCY


def test_an_age_told_earlier_and_a_fever_told_now_are_seen_together(understand: Understand) -> None:
    case = CaseFacts().merge(understand("我家宝宝两个月大"))
    assert codes(case) == set()
    assert codes(case.merge(understand("今天有点发烧"))) == {"INFANT_FEVER"}


def test_the_age_of_the_profile_counts_within_one_sentence(understand: Understand) -> None:
    result = understand("发烧了", context=Context(patient_age_months=2))
    assert [flag.code for flag in result.red_flags] == ["INFANT_FEVER"]


def test_a_danger_taken_back_is_gone(understand: Understand) -> None:
    case = CaseFacts().merge(understand("胸口疼，出冷汗"))
    assert codes(case) == {"CHEST_PAIN"}
    assert codes(case.merge(understand("没有出冷汗"))) == set()


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (facts(vitals=Vitals(spo2=89)), "LOW_OXYGEN"),
        (facts("头痛", vitals=Vitals(systolic=180)), "HYPERTENSIVE"),
        (facts("头痛", vitals=Vitals(diastolic=120)), "HYPERTENSIVE"),
        (facts(temperature=41.0), "VERY_HIGH_FEVER"),
        (facts(temperature=37.5, age_months=2), "INFANT_FEVER"),
        (facts(vitals=Vitals(glucose=2.7)), "HYPOGLYCEMIA"),
        (facts("阴道出血", pregnancy=Pregnancy(status=Status.POSITIVE)), "PREGNANCY"),
        (facts("胸痛", diseases=(Statement(name="冠心病", text="冠心病"),)), "CHEST_PAIN"),
        (facts("发烧", "拒奶", relation=Relation.CHILD), "CHILD_DANGER"),
    ],
)
def test_measured_values_count_from_their_limit(case: CaseFacts, code: str) -> None:
    assert code in codes(case)


@pytest.mark.parametrize(
    "case",
    [
        facts(vitals=Vitals(spo2=93)),
        facts("头痛", vitals=Vitals(systolic=179, diastolic=119)),
        facts(temperature=40.9),
        facts(temperature=38.5, age_months=3),
        facts("发烧"),
        facts(vitals=Vitals(glucose=3.9)),
        facts("阴道出血"),
        facts("阴道出血", pregnancy=Pregnancy(status=Status.UNKNOWN)),
        facts("胸痛", diseases=(Statement(name="冠心病", text="冠心病", status=Status.NEGATIVE),)),
        facts("发烧", "拒奶", relation=Relation.CHILD, age_months=100),
    ],
)
def test_below_the_limit_there_is_no_alarm(case: CaseFacts) -> None:
    assert codes(case) == set()


def test_the_most_urgent_comes_first_and_names_its_evidence() -> None:
    flags = assess_red_flags(facts("睾丸痛", "意识不清"))
    assert [flag.level for flag in flags] == [1, 2]
    assert flags[0].evidence == ("意识不清",)
