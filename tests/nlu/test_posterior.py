"""The posterior over the knowledge base behaves as a probability and as a doctor's reasoning does."""

import random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.departments import departments
from data.diseases import Disease
from nlu.disease_model import OTHER, disease_model
from nlu.facts import CaseFacts
from nlu.posterior import Differential, departments_of, differential, disease_posterior
from nlu.types import GlucoseTiming, Pregnancy, Sex, Statement, Status, Vitals
from nlu.vital_evidence import measured_signs
from tests.support.case_facts import SYMPTOMS, cases, mention

MODEL = disease_model()
BOUNDED = settings(max_examples=50)
SHOWN = [{place for name in row.symptoms for place in MODEL.with_parents(MODEL.row_of[name])} for row in MODEL.rows]
"""For each disease the rows of the symptoms that it lists, and of what these are kinds of."""


@BOUNDED
@given(cases())
def test_the_probabilities_are_never_negative_and_add_up_to_one(facts: CaseFacts) -> None:
    found = disease_posterior(facts)
    assert set(found) == set(MODEL.diseases)
    assert min(found.values()) >= 0
    assert sum(found.values()) == pytest.approx(1)
    assert list(found.values()) == sorted(found.values(), reverse=True)


@BOUNDED
@given(cases())
def test_a_disease_that_this_age_or_sex_cannot_have_has_no_probability_and_every_other_has_some(
    facts: CaseFacts,
) -> None:
    found = disease_posterior(facts)
    for disease in MODEL.rows:
        low, high = disease.ages
        months = facts.age_months
        too_young = months is not None and low is not None and months < low
        too_old = months is not None and high is not None and months >= high
        wrong_sex = facts.sex is not None and disease.sex not in ("all", facts.sex.value)
        assert (found[disease.name] == 0) == (too_young or too_old or wrong_sex)
    assert found[OTHER] > 0


@BOUNDED
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_were_told_does_not_matter(facts: CaseFacts, shuffled: random.Random) -> None:
    symptoms, diseases = list(facts.symptoms), list(facts.diseases)
    shuffled.shuffle(symptoms)
    shuffled.shuffle(diseases)
    other = facts.model_copy(update={"symptoms": tuple(symptoms), "diseases": tuple(diseases)})
    assert np.allclose(differential(facts).probabilities, differential(other).probabilities)


@BOUNDED
@given(cases(), st.sampled_from(MODEL.rows), st.data())
def test_a_symptom_of_a_disease_never_lowers_its_odds_against_one_that_has_nothing_like_it(
    facts: CaseFacts, disease: Disease, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(disease.symptoms)))
    assume(facts.status(name) is None and name not in measured_signs(facts))
    before = differential(facts)
    after = differential(facts.model_copy(update={"symptoms": (*facts.symptoms, mention(name))}))
    own = MODEL.column(disease.name)
    like_it = set(MODEL.with_parents(MODEL.row_of[name]))
    for column in range(len(MODEL.rows)):
        if not like_it & SHOWN[column] and before.probabilities[own] > 0:
            was = before.probabilities[column] / before.probabilities[own]
            now = after.probabilities[column] / after.probabilities[own]
            assert now <= was * (1 + 1e-9)


@BOUNDED
@given(cases(values=False), SYMPTOMS, st.booleans())
def test_what_an_answer_would_do_is_what_it_does(facts: CaseFacts, name: str, present: bool) -> None:
    before = differential(facts)
    row = MODEL.row_of[name]
    assume(not before.known[row])
    assume(not any(row in MODEL.with_parents(other) for other in before.absent))  # a denied kind of it
    status = Status.POSITIVE if present else Status.NEGATIVE
    told = tuple(symptom for symptom in facts.symptoms if symptom.name != name)
    after = differential(facts.model_copy(update={"symptoms": (*told, mention(name, status))}))
    expected = before.probabilities * (before.likelihood[row] if present else 1 - before.likelihood[row])
    assert np.allclose(expected / expected.sum(), after.probabilities, atol=1e-9)


@BOUNDED
@given(cases())
def test_what_is_known_is_certain_and_all_else_is_not(facts: CaseFacts) -> None:
    found = differential(facts)
    certain = (found.likelihood == 0) | (found.likelihood == 1)
    assert certain[found.known].all()
    assert not certain[~found.known].any()


def test_every_disease_is_shared_out_among_the_departments() -> None:
    shares = departments_of(MODEL, list(departments()))
    assert np.allclose(shares.sum(axis=1), 1)
    cardiology = list(departments()).index("cardiology")
    assert shares[MODEL.column("房颤"), cardiology] == 1
    assert np.allclose(departments_of(MODEL, ["stomatology", "burns"])[MODEL.column("房颤")], 0.5)


def of(*names: str, **more: object) -> Differential:
    return differential(CaseFacts(symptoms=tuple(mention(name) for name in names), **more))  # type: ignore[arg-type]


def probability(found: Differential, name: str) -> float:
    return found.as_dict()[name]


def test_a_kind_and_what_it_is_a_kind_of_count_once() -> None:
    assert of("右下腹痛").as_dict() == pytest.approx(of("腹痛", "下腹痛", "右下腹痛").as_dict())


def test_to_deny_a_symptom_is_to_deny_its_kinds() -> None:
    found = differential(CaseFacts(symptoms=(mention("腹痛", Status.NEGATIVE),)))
    assert found.known[MODEL.row_of["右下腹痛"]]
    assert not found.likelihood[MODEL.row_of["右下腹痛"]].any()


def test_a_measured_pressure_outweighs_what_was_said_of_it() -> None:
    said = of("头晕", "血压高", age_months=600)
    low = of("头晕", "血压高", age_months=600, vitals=Vitals(systolic=118, diastolic=74))
    high = of("头晕", age_months=600, vitals=Vitals(systolic=172, diastolic=104))
    assert probability(low, "高血压") < 0.1 < probability(said, "高血压")
    assert next(iter(high.as_dict())) == "高血压"


def test_a_fever_that_was_told_stands_though_it_has_gone_down() -> None:
    told = of("发烧", "咳嗽", temperature=36.8)
    assert MODEL.row_of["发烧"] in told.present
    assert MODEL.row_of["发烧"] in of("咳嗽", temperature=36.8).absent


def test_pressure_is_not_judged_by_the_limits_of_adults_in_a_child() -> None:
    child = CaseFacts(age_months=36, vitals=Vitals(systolic=85, diastolic=50))
    assert measured_signs(child) == {}


@pytest.mark.parametrize(
    ("timing", "glucose", "high"),
    [
        (GlucoseTiming.FASTING, 7.2, True),
        (GlucoseTiming.AFTER_MEAL, 7.2, None),
        (None, 7.2, None),
        (None, 12.0, True),
        (GlucoseTiming.AFTER_MEAL, 6.5, False),
    ],
)
def test_glucose_is_read_by_when_it_was_measured(
    timing: GlucoseTiming | None, glucose: float, high: bool | None
) -> None:
    signs = measured_signs(CaseFacts(vitals=Vitals(glucose=glucose, glucose_timing=timing)))
    assert signs.get("血糖高") is high


def test_a_known_risk_makes_a_disease_likelier() -> None:
    without = of("胸闷", "呼吸困难", age_months=720)
    with_risk = of("胸闷", "呼吸困难", age_months=720, diseases=(Statement(name="高血压", text="高血压"),))
    assert probability(with_risk, "冠心病") > probability(without, "冠心病")


def test_pregnancy_brings_in_its_diseases_and_its_denial_never_excludes_them() -> None:
    def case(status: Status) -> float:
        pregnancy = Pregnancy(status=status)
        return probability(of("下腹痛", "阴道出血", sex=Sex.FEMALE, age_months=336, pregnancy=pregnancy), "宫外孕")

    assert case(Status.POSITIVE) > case(Status.UNKNOWN) > case(Status.NEGATIVE) > 0


def test_a_burn_that_nobody_told_of_is_hardly_one() -> None:
    assert probability(of("皮肤疼痛", "水疱"), "浅度烧烫伤") < 0.1
    assert probability(of("皮肤疼痛", "水疱", "烧烫伤"), "浅度烧烫伤") > 0.8


def test_nothing_told_leaves_the_frequencies() -> None:
    found = differential(CaseFacts()).as_dict()
    assert found["感冒"] > found["肺结核"] > found["白血病"]


def test_a_symptom_that_the_knowledge_base_does_not_use_changes_nothing() -> None:
    assert of("没有这个").as_dict() == of().as_dict()


def test_a_disease_that_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError, match="没有这个"):
        MODEL.column("没有这个")
