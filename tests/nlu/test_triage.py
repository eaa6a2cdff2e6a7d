"""Department and urgency from the facts."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.clinical_language import clinical_language
from data.departments import departments
from nlu.conclusions import Urgency
from nlu.cues import cue_weights
from nlu.facts import MAX_CUES, CaseFacts
from nlu.red_flags import assess_red_flags
from nlu.triage import assess_urgency, is_unsure, suggest_department
from nlu.types import Asked, Cue, Pregnancy, Relation, Sex, Slot, Status, SymptomMention, Understanding, Vitals

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


@settings(max_examples=150)
@given(
    names=st.lists(st.sampled_from([row.name for row in clinical_language().symptoms]), max_size=6),
    words=st.lists(st.sampled_from(sorted(cue_weights())) | st.text(max_size=4), max_size=8),
    age=st.none() | st.integers(0, 1200),
    sex=st.none() | st.sampled_from(Sex),
    relation=st.none() | st.sampled_from(Relation),
    pregnant=st.none() | st.sampled_from(Status),
)
def test_suggestions_fit_the_patient_and_never_exceed_the_whole(
    names: list[str],
    words: list[str],
    age: int | None,
    sex: Sex | None,
    relation: Relation | None,
    pregnant: Status | None,
) -> None:
    suggestions = suggest_department(
        CaseFacts(
            symptoms=tuple(SymptomMention(name=name, text=name, status=Status.POSITIVE) for name in names),
            cues=tuple(Cue(word=word, lead=rank < 2) for rank, word in enumerate(words)),
            age_months=age,
            sex=sex,
            relation=relation,
            pregnancy=Pregnancy(status=pregnant) if pregnant else None,
        )
    )
    assert 1 <= len(suggestions) <= 5
    assert len({s.code for s in suggestions}) == len(suggestions)
    assert all(0 <= s.weight <= 1 and s.reason for s in suggestions)
    assert sum(s.weight for s in suggestions) <= 1
    assert [s.weight for s in suggestions] == sorted((s.weight for s in suggestions), reverse=True)
    for suggestion in suggestions:
        assert sex is not Sex.MALE or suggestion.code not in ("gynecology", "obstetrics")
        if age is not None:
            unfit = "adults" if age < 14 * 12 else "children"
            assert departments()[suggestion.code].patients != unfit


@settings(max_examples=60)
@given(text=st.text(max_size=60))
def test_any_text_gives_a_department(understand: Understand, text: str) -> None:
    assert suggest_department(CaseFacts().merge(understand(text)))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("甲状腺结节4a类，要不要穿刺", "endocrinology"),
        ("乳腺钼靶说有钙化", "general_surgery"),
        ("拉完大便肛门口有个肉球", "general_surgery"),
        ("腰椎核磁说间盘突出，右腿麻", "orthopedics"),
        ("打篮球扭了膝盖，半月板可能伤了", "orthopedics"),
        ("唐筛高风险要做羊水穿刺吗", "obstetrics"),
        ("备孕一年没怀上，输卵管不通", "gynecology"),
        ("宝宝八个月，辅食怎么加", "pediatrics"),
        ("孩子5岁，晚上打呼噜，腺样体肥大", "otolaryngology"),
        ("乙肝大三阳，转氨酶高", "infectious_diseases"),
        ("尿蛋白两个加号，肌酐高", "nephrology"),
        ("手指关节晨僵，类风湿因子高", "rheumatology"),
        ("拔智齿以后还疼", "stomatology"),
        ("眼前有黑影飘，飞蚊症", "ophthalmology"),
        ("胆囊息肉要不要切", "general_surgery"),
    ],
)
def test_examinations_operations_and_situations_tell_the_department(
    understand: Understand, text: str, code: str
) -> None:
    assert suggest_department(CaseFacts().merge(understand(text)))[0].code == code


def test_the_words_of_the_first_message_count_more(understand: Understand) -> None:
    knee_first = CaseFacts().merge(understand("膝盖疼")).merge(understand("还有点咳嗽"))
    cough_first = CaseFacts().merge(understand("咳嗽")).merge(understand("还有点膝盖疼"))
    assert suggest_department(knee_first)[0].code == "orthopedics"
    assert suggest_department(cough_first)[0].code == "respiratory"


def test_what_is_denied_points_nowhere(understand: Understand) -> None:
    told = CaseFacts().merge(understand("我50岁，咳嗽，没有胸闷心慌"))
    assert "cardiology" not in [s.code for s in suggest_department(told)[:2]]
    later = told.merge(understand("现在不咳嗽了")).merge(understand("膝盖疼"))
    assert suggest_department(later)[0].code == "orthopedics"


def test_an_answer_counts_like_words_of_ones_own(understand: Understand) -> None:
    asked = Asked(slot=Slot.SYMPTOM, values=("心慌",))
    case = CaseFacts(age_months=600).merge(understand("有", asked=asked))
    assert suggest_department(case)[0].code == "cardiology"


def test_a_reason_names_what_was_told(understand: Understand) -> None:
    best = suggest_department(CaseFacts().merge(understand("甲状腺结节")))[0]
    assert best.reason == "提到甲状腺结节"


@pytest.mark.parametrize(
    ("text", "unsure"), [("我40岁，手麻三天了", True), ("不舒服", True), ("我40岁，甲亢复查", False)]
)
def test_a_guess_is_known_as_one(understand: Understand, text: str, unsure: bool) -> None:
    assert is_unsure(suggest_department(CaseFacts().merge(understand(text)))) is unsure


def test_cues_survive_storing_and_stay_few(understand: Understand) -> None:
    case = CaseFacts()
    for word in sorted(cue_weights())[:200]:
        case = case.merge(understand(word))
    assert len(case.cues) == MAX_CUES
    assert CaseFacts.from_json(case.to_json()) == case


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("胸口疼得一身冷汗", 1),
        ("我爸心跳每分钟190次，他60岁", 1),
        ("血氧75", 1),
        ("高压只有65", 1),
        ("血糖2.9", 1),
        ("孩子5岁，血压70/40", 1),
        ("我爷爷昏迷了", 1),
        ("全身抽搐，口吐白沫", 1),
        ("吃饭噎住了，脸憋紫了", 1),
        ("我妈喝了农药", 1),
        ("体温41.5度", 1),
        ("宝宝两个月发烧", 2),
        ("血压185/110", 2),
        ("我45岁，心率160", 2),
        ("我50岁，心率45", 2),
        ("血压205/100", 2),
        ("宝宝8个月，心率225", 2),
        ("孩子4岁，心率190", 2),
        ("我60岁，呼吸32次每分钟", 2),
        ("睾丸突然疼", 2),
        ("刚才晕倒了", 2),
        ("怀孕五个月肚子疼", 2),
        ("被狗咬了", 2),
        ("发烧39.5度", 3),
        ("孩子1岁，拉肚子", 3),
        ("头疼得厉害", 3),
        ("我30岁，心率120", 3),
        ("我妈80岁，肚子疼", 3),
        ("孩子2岁，发烧38.5", 3),
        ("宝宝出生20天，鼻塞", 3),
        ("血糖18", 3),
        ("血氧92", 3),
        ("胳膊骨折了", 3),
        ("怀孕了，头痛", 3),
        ("小便带血", 3),
        ("喘，有哮喘", 3),
        ("孩子3岁，心率130", 3),
        ("孩子3岁，呼吸每分钟45次", 3),
        ("鼻塞流鼻涕两天", 4),
        ("膝盖疼半年", 4),
        ("身上痒，起了湿疹", 4),
        ("来续方，高血压药吃完了", 4),
        ("我25岁，心率80，血压120/80", 4),
        ("孩子3岁，心率110，有点流鼻涕", 4),
        ("宝宝6个月，心率140，呼吸35次", 4),
        ("失眠一个月", 4),
    ],
)
def test_urgency_has_four_levels_with_a_reason(understand: Understand, text: str, level: int) -> None:
    found = urgency(CaseFacts().merge(understand(text)))
    assert found.level == level, found.reasons
    assert all(found.reasons)


CHILD_LIMITS = [
    # age in months, measured, value that is ordinary at that age, value that is not, level from then on
    (6, "heart_rate", 180, 181, 3),
    (6, "heart_rate", 219, 220, 2),
    (24, "heart_rate", 140, 141, 3),
    (24, "heart_rate", 179, 180, 2),
    (48, "heart_rate", 120, 121, 3),
    (100, "heart_rate", 118, 119, 3),
    (100, "heart_rate", 60, 59, 2),
    (6, "respiratory_rate", 49, 50, 3),
    (24, "respiratory_rate", 39, 40, 3),
    (24, "respiratory_rate", 59, 60, 2),
    (24, "systolic", 74, 73, 1),
    (60, "systolic", 76, 75, 1),
    (100, "systolic", 82, 81, 1),
]


@pytest.mark.parametrize(("age", "measure", "ordinary", "not_ordinary", "level"), CHILD_LIMITS)
def test_a_childs_vital_signs_are_judged_by_age(
    age: int, measure: str, ordinary: int, not_ordinary: int, level: int
) -> None:
    def at(value: int) -> int:
        return urgency(CaseFacts(age_months=age, vitals=Vitals.model_validate({measure: value}))).level

    assert at(not_ordinary) == level < at(ordinary)


def test_a_pulse_of_an_unknown_grown_up_counts_and_that_of_an_unknown_child_does_not() -> None:
    fast = Vitals(heart_rate=185)
    assert urgency(CaseFacts(vitals=fast)).level == 1
    assert urgency(CaseFacts(vitals=fast, relation=Relation.CHILD)).level > 1


def test_a_newborn_is_never_routine() -> None:
    assert urgency(CaseFacts(age_months=0)).level == 3


@given(spo2=st.integers(30, 100))
def test_a_lower_saturation_is_never_less_urgent(spo2: int) -> None:
    here = urgency(CaseFacts(vitals=Vitals(spo2=spo2))).level
    lower = urgency(CaseFacts(vitals=Vitals(spo2=max(30, spo2 - 5)))).level
    assert lower <= here
