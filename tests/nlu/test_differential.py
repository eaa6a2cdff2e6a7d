"""Doctors get a plausible ranking, with what must not be missed, for whatever is known of a case."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.clinical_language import clinical_language
from data.differential import differential_knowledge, load_differential_knowledge
from data.errors import DataError
from data.knowledge import knowledge_base
from nlu.differential import MOST_EXCLUDED, MOST_LISTED, rank_diseases
from nlu.disease_model import OTHER
from nlu.disease_probability import COMPLAINTS, TEXTS, disease_probabilities
from nlu.facts import CaseFacts
from nlu.learned_ranking import learned_ranking
from nlu.types import Duration, Sex, Statement, Status, SymptomMention, Vitals


def _case(
    age: float | None = None,
    present: str = "",
    denied: str = "",
    *,
    sex: str | None = None,
    temperature: float | None = None,
    history: str = "",
    days: float | None = None,
    **vitals: float,
) -> CaseFacts:
    told = [(name, Status.POSITIVE) for name in present.split()] + [(name, Status.NEGATIVE) for name in denied.split()]
    return CaseFacts(
        age_months=None if age is None else int(age * 12),
        sex=None if sex is None else Sex(sex),
        temperature=temperature,
        duration=None if days is None else Duration(value=days, unit="天", days=days, text=f"{days}天"),
        symptoms=tuple(SymptomMention(name=name, text=name, status=status) for name, status in told),
        diseases=tuple(Statement(name=name, text=name) for name in history.split()),
        vitals=Vitals.model_validate(vitals),
    )


PLAUSIBLE = [
    ("高血压", _case(60, "头晕 头痛", systolic=168, diastolic=102)),
    ("糖尿病", _case(55, "口渴 多饮 多尿 体重下降", glucose=13.2)),
    ("肺炎", _case(66, "发烧 咳嗽 咳痰 胸痛 呼吸困难", temperature=39, respiratory_rate=28)),
    ("冠心病", _case(64, "胸闷 胸痛", sex="male", history="高血压")),
    ("心肌梗死", _case(62, "胸痛 出冷汗 疼痛放射", sex="male")),
    ("脑梗死", _case(70, "口角歪斜 肢体无力 言语不清", history="高血压")),
    ("脑膜炎", _case(8, "发烧 剧烈头痛 颈项强直 呕吐", temperature=39.5)),
    ("阑尾炎", _case(24, "右下腹痛 恶心 发烧", temperature=38.2)),
    ("肠套叠", _case(0.8, "哭闹不止难安抚 呕吐 便血")),
    ("感冒", _case(30, "流鼻涕 打喷嚏 咽痛", "发烧")),
    ("过敏性鼻炎", _case(20, "打喷嚏 流鼻涕 鼻痒 眼痒", "发烧")),
    ("手足口病", _case(3, "手足皮疹 口腔溃疡 发烧")),
    ("新生儿黄疸", _case(0.02, "黄疸")),
    ("小儿便秘", _case(4, "便秘 腹胀")),
    ("小儿腹泻", _case(1.5, "腹泻 呕吐")),
    ("小儿支气管炎", _case(3, "咳嗽 咳痰 喘息")),
    ("胃炎", _case(40, "上腹痛 反酸 嗳气")),
    ("尿路感染", _case(35, "尿频 尿急 尿痛", sex="female")),
    ("肾结石", _case(40, "腰痛 血尿 恶心", sex="male")),
    ("甲亢", _case(32, "心慌 手抖 体重下降 多食", sex="female")),
    ("痛风", _case(50, "足趾关节红肿痛", sex="male")),
    ("慢阻肺", _case(70, "咳嗽 咳痰 呼吸困难 喘息")),
    ("带状疱疹", _case(60, "皮疹 水疱 胁痛")),
    ("糖尿病酮症酸中毒", _case(30, "呕吐 腹痛 呼气烂苹果味", history="糖尿病", glucose=24)),
    ("青光眼", _case(60, "眼痛 头痛 视力下降 恶心")),
]


@pytest.mark.parametrize(("disease", "facts"), PLAUSIBLE, ids=[name for name, _ in PLAUSIBLE])
def test_the_disease_that_a_doctor_thinks_of_is_among_the_first_three(disease: str, facts: CaseFacts) -> None:
    assert disease in [one.name for one in rank_diseases(facts)[:MOST_LISTED]]


DANGEROUS = [
    ("心肌梗死", _case(58, "胸闷 出冷汗", sex="male")),
    ("宫外孕", _case(28, "下腹痛 阴道出血", sex="female")),
    ("阑尾炎", _case(10, "右下腹痛 呕吐")),
    ("脑出血", _case(66, "剧烈头痛 呕吐 半身麻木", history="高血压", systolic=190, diastolic=110)),
    ("脑膜炎", _case(5, "发烧 头痛 颈项强直")),
    ("肠套叠", _case(1, "哭闹不止难安抚 便血")),
    ("睾丸扭转", _case(15, "睾丸痛 恶心", sex="male")),
]


@pytest.mark.parametrize(("disease", "facts"), DANGEROUS, ids=[name for name, _ in DANGEROUS])
def test_what_must_not_be_missed_is_marked(disease: str, facts: CaseFacts) -> None:
    assert disease in [one.name for one in rank_diseases(facts) if one.exclude]


def test_a_cold_raises_no_alarm() -> None:
    assert [one.name for one in rank_diseases(_case(30, "流鼻涕 打喷嚏 咽痛", "发烧")) if one.exclude] == []


def test_it_says_what_speaks_for_and_against_and_what_to_do_next() -> None:
    first = rank_diseases(_case(24, "右下腹痛 恶心 发烧", "呕吐", temperature=38.2))[0]
    assert "右下腹痛" in first.supporting
    assert any("呕吐" in words for words in first.opposing)
    assert first.examine
    assert "右下腹痛" not in first.ask


def test_a_measured_sign_is_not_asked_for() -> None:
    first = rank_diseases(_case(60, "头晕", systolic=168, diastolic=102))[0]
    assert first.name == "高血压"
    assert "血压升高" not in first.ask


def test_nothing_known_gives_nothing() -> None:
    assert rank_diseases(CaseFacts(age_months=480)) == []


def test_what_has_lasted_for_months_is_less_likely_a_cold() -> None:
    short, long = (disease_probabilities(_case(30, "流鼻涕 鼻塞", days=days)) for days in (3, 90))
    assert long["感冒"] < short["感冒"] / 3
    assert long["过敏性鼻炎"] > short["过敏性鼻炎"]


def test_what_the_trained_model_says_of_children_leaves_adults_alone() -> None:
    child, adult = (disease_probabilities(_case(age, "咳嗽 发烧 流鼻涕")) for age in (3, 40))
    assert sum(child[name] for names in COMPLAINTS.values() for name in names if name.startswith("小儿")) > 0.3
    assert sum(share for name, share in adult.items() if name.startswith("小儿")) == 0


def test_breathing_counts_although_the_trained_model_has_never_seen_a_rate() -> None:
    calm = disease_probabilities(_case(2, "咳嗽 发烧"))
    fast = disease_probabilities(_case(2, "咳嗽 发烧", respiratory_rate=60, spo2=88))
    assert sum(fast[name] for name in COMPLAINTS["小儿支气管肺炎"]) > 3 * sum(
        calm[name] for name in COMPLAINTS["小儿支气管肺炎"]
    )


def test_the_patient_s_words_count() -> None:
    facts = _case(40, "腹痛")
    plain, worded = disease_probabilities(facts), disease_probabilities(facts, "胃镜说是慢性胃炎，老是反酸，胃疼")
    assert worded["胃炎"] > plain["胃炎"]


names = st.sampled_from(sorted(row.name for row in clinical_language().symptoms))
diseases = st.sampled_from(sorted(row.name for row in clinical_language().diseases))
statuses = st.sampled_from(list(Status))
facts_of_any_case = st.builds(
    lambda age, sex, told, past, temperature, systolic, days: CaseFacts(
        age_months=age,
        sex=sex,
        temperature=temperature,
        duration=None if days is None else Duration(value=days, unit="天", days=days, text=""),
        symptoms=tuple(SymptomMention(name=name, text=name, status=status) for name, status in told.items()),
        diseases=tuple(Statement(name=name, text=name, status=status) for name, status in past.items()),
        vitals=Vitals(systolic=systolic),
    ),
    st.none() | st.integers(0, 1500),
    st.none() | st.sampled_from(list(Sex)),
    st.dictionaries(names, statuses, max_size=12),
    st.dictionaries(diseases, statuses, max_size=4),
    st.none() | st.floats(30, 45),
    st.none() | st.integers(0, 400),
    st.none() | st.floats(0, 40_000),
)


@settings(max_examples=60)
@given(facts=facts_of_any_case, text=st.text(max_size=300))
def test_whatever_is_told_probabilities_are_probabilities(facts: CaseFacts, text: str) -> None:
    probabilities = disease_probabilities(facts, text)
    assert all(0 <= share <= 1 for share in probabilities.values())
    assert sum(probabilities.values()) == pytest.approx(1)
    assert OTHER in probabilities
    suggested = rank_diseases(facts, text)
    assert len(suggested) <= MOST_LISTED + MOST_EXCLUDED
    assert sum(one.probability for one in suggested) <= 1 + 1e-6
    assert suggested == rank_diseases(facts, text)


def test_the_labels_of_the_model_and_the_knowledge_base_fit() -> None:
    known = {disease.name for disease in knowledge_base()}
    assert set(COMPLAINTS) == set(learned_ranking().complaints)
    assert set(TEXTS) == set(learned_ranking().texts) - {"其他疾病或无确诊"}
    for speaks_of in (COMPLAINTS, TEXTS):
        named = [name for names in speaks_of.values() for name in names]
        assert set(named) <= known
        assert len(set(named)) == len(named), "a disease is spoken of by one label alone"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"must_exclude": ["没有的病"]}, "unknown disease"),
        ({"must_exclude": ["感冒", "感冒"]}, "comes twice"),
        ({"lasts": [{"days": 0, "diseases": ["感冒"], "source": "《内科学》"}]}, "lasts"),
    ],
)
def test_wrong_knowledge_is_named_in_one_line(tmp_path: Path, change: dict[str, object], told: str) -> None:
    path = tmp_path / "differential.json"
    whole = json.loads(differential_knowledge().model_dump_json())
    path.write_text(json.dumps({**whole, **change}), encoding="utf-8")
    with pytest.raises(DataError, match=told):
        load_differential_knowledge(path)
