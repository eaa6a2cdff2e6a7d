"""Department and urgency from the facts."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.clinical_language import clinical_language
from data.departments import departments
from nlu.facts import CaseFacts
from nlu.red_flags import assess_red_flags
from nlu.triage import assess_urgency, suggest_department
from nlu.types import Sex, Status, SymptomMention, Understanding, Urgency, Vitals

Understand = Callable[..., Understanding]


def urgency(case: CaseFacts) -> Urgency:
    return assess_urgency(case, assess_red_flags(case))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("35岁，咳嗽有黄痰，发烧", "respiratory"),
        ("50岁，胸闷心慌", "cardiology"),
        ("40岁，胃疼反酸", "gastroenterology"),
        ("女，30岁，白带多，下面痒", "gynecology"),
        ("孩子3岁，咳嗽发烧", "pediatrics"),
        ("身上起疹子很痒", "dermatology"),
        ("膝盖疼，腰疼", "orthopedics"),
        ("尿频尿急尿痛", "urology"),
        ("牙疼", "stomatology"),
        ("眼睛红，流眼泪", "ophthalmology"),
        ("睡不着，心情不好", "psychiatry"),
        ("口渴，喝水特别多，体重下降", "endocrinology"),
        ("怀孕20周，水肿", "obstetrics"),
    ],
)
def test_the_department_follows_from_the_complaint(understand: Understand, text: str, code: str) -> None:
    assert suggest_department(CaseFacts().merge(understand(text)))[0].code == code


def test_nothing_known_goes_to_general_practice() -> None:
    assert [s.code for s in suggest_department(CaseFacts())] == ["general_practice"]


@settings(max_examples=80, deadline=None)
@given(
    names=st.lists(st.sampled_from([row.name for row in clinical_language().symptoms]), max_size=6),
    age=st.none() | st.integers(0, 1200),
    sex=st.none() | st.sampled_from(Sex),
)
def test_suggestions_fit_the_patient_and_never_exceed_the_whole(
    names: list[str], age: int | None, sex: Sex | None
) -> None:
    symptoms = tuple(SymptomMention(name=name, text=name, status=Status.POSITIVE) for name in names)
    suggestions = suggest_department(CaseFacts(symptoms=symptoms, age_months=age, sex=sex))
    assert 1 <= len(suggestions) <= 5
    assert sum(s.weight for s in suggestions) <= 1.01
    assert [s.weight for s in suggestions] == sorted((s.weight for s in suggestions), reverse=True)
    for suggestion in suggestions:
        assert sex is not Sex.MALE or suggestion.code not in ("gynecology", "obstetrics")
        if age is not None:
            unfit = "adults" if age < 14 * 12 else "children"
            assert departments()[suggestion.code].patients != unfit


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("胸口疼得一身冷汗", 1),
        ("宝宝两个月发烧", 2),
        ("血压185/110", 2),
        ("发烧39.5度", 3),
        ("孩子1岁，拉肚子", 3),
        ("头疼得厉害", 3),
        ("鼻塞流鼻涕两天", 4),
        ("膝盖疼半年", 4),
    ],
)
def test_urgency_has_four_levels_with_a_reason(understand: Understand, text: str, level: int) -> None:
    found = urgency(CaseFacts().merge(understand(text)))
    assert found.level == level
    assert all(found.reasons)


@given(spo2=st.integers(30, 100))
def test_a_lower_saturation_is_never_less_urgent(spo2: int) -> None:
    here = urgency(CaseFacts(vitals=Vitals(spo2=spo2))).level
    lower = urgency(CaseFacts(vitals=Vitals(spo2=max(30, spo2 - 5)))).level
    assert lower <= here
