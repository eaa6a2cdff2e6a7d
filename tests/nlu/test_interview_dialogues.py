"""Whole interviews in words: what is asked, in which order, and how much."""

from dataclasses import dataclass, field
from functools import cache
from statistics import fmean

import pytest

from data.questions import questions
from nlu.facts import CaseFacts
from nlu.types import Question, Slot
from tests.support.interview import ask_all
from tests.support.provider import PROVIDER

STAGES = {rule.id: rule.stage for rule in questions()}


@dataclass(frozen=True)
class Dialogue:
    """What somebody says first, and what to each kind of question; 没有 to everything else.

    ``danger`` are the danger questions that must come; ``may`` what may be asked after symptoms besides.
    """

    first: str
    danger: set[str]
    may: set[str]
    answers: dict[str, str] = field(default_factory=dict)

    def answer(self, question: Question) -> str:
        if question.id in self.answers:
            return self.answers[question.id]
        usual = {Slot.DURATION: "三天了", Slot.AGE: "45岁", Slot.TEMPERATURE: "没量", Slot.SEVERITY: "有点难受"}
        return usual.get(question.slot, "没有")


AIRWAYS = {
    "aches", "appetite", "belly", "breathless", "chest", "chills", "cold_hands", "cough", "cough_sputum",
    "crying", "diarrhea", "drool", "ear", "exertion", "face_pain", "fever", "hand_foot", "head", "lump",
    "mouth", "nausea", "night_breath", "night_sweat", "nose", "nose_blood", "nose_itch", "rash", "skin_red",
    "spirits", "sputum_colour", "throat", "throat_feel", "vomit", "wheeze", "whooping",
}  # fmt: skip
BELLY = {
    "aches", "anus", "anus_itch", "appetite", "belly", "belly_lower", "belly_upper", "bloating", "constipation",
    "diarrhea", "fever", "gas", "heat", "hungry_pain", "indigestion", "jaundice", "nausea", "pain_place",
    "reflux", "right_belly", "stool_child", "stool_mucus", "straining", "sweating", "thirst", "vomit", "weight",
}  # fmt: skip
HEART = {
    "aches", "belly_upper", "breathless", "chest", "cough", "ear_balance", "exertion", "fever", "head",
    "leg_swelling", "memory", "mood", "nausea", "neck", "night_breath", "numb", "palpitations", "rash",
    "reflux", "sight", "skin_red", "sleep", "sweating",
}  # fmt: skip
BACK = {
    "belly_lower", "discharge", "fever", "flank", "injury", "joint", "joint_more", "joint_move", "leg_pain",
    "leg_shoot", "loins", "menses", "menses_pain", "neck", "numb", "urine", "urine_blood", "urine_night",
    "walk_pain", "walking",
}  # fmt: skip
SKIN = {
    "belly", "bruise", "bruises", "face_swelling", "fever", "hair", "hand_foot", "itch", "joint", "lump",
    "mouth_sore", "nose", "pustule", "rash", "skin", "skin_red", "throat",
}  # fmt: skip
URINE = {
    "aches", "belly_lower", "bleeding_below", "discharge", "fever", "flank", "intercourse", "itch", "loins",
    "menses", "urine", "urine_blood", "urine_dark", "urine_foam", "urine_night", "urine_stream",
}  # fmt: skip
EYES = {
    "eye", "eye_dry", "eye_floaters", "eye_itch", "fever", "head", "nose", "nose_itch", "rash", "sight",
    "skin_red",
}  # fmt: skip
SUGAR = {
    "aches", "breathless", "heat", "hunger", "itch", "low_sugar", "mouth", "mouth_sore", "nausea", "numb",
    "palpitations", "sight", "skin", "sweating", "thirst", "throat", "throat_feel", "urine", "urine_foam",
    "urine_night", "weight",
}  # fmt: skip
MOOD = {
    "aches", "appetite", "constipation", "hand_tremor", "head", "heat", "hot_flush", "interest", "memory",
    "menses", "mood", "palpitations", "sleep", "snore", "spirits", "sweating", "voices", "weight",
}  # fmt: skip

GYNAECOLOGY = {"menses", "menses_pain", "discharge", "bleeding_below"}

DIALOGUES = {
    "chest pain": Dialogue(
        "我爸66岁，今天早上开始胸口疼", {"chest_pain_danger", "chest_breath"}, AIRWAYS | HEART | BELLY
    ),
    "child with fever": Dialogue("孩子两岁，昨晚开始发烧39度2", {"child_danger"}, AIRWAYS),
    "child with cough": Dialogue("我家娃娃三岁，咳嗽两天了，晚上咳得多", {"child_breath"}, AIRWAYS),
    "diarrhoea": Dialogue("我38岁，男的，拉肚子，从昨天开始", {"stool_blood"}, BELLY, {"diarrhea_times": "一天五六次"}),
    "belly ache": Dialogue(
        "女，26岁，肚子疼了半天", {"abdomen_danger", "pregnancy_early"}, BELLY | GYNAECOLOGY | URINE
    ),
    "back pain": Dialogue("男，52岁，干活以后腰疼一个星期", {"back_danger"}, BACK),
    "rash": Dialogue("我30岁，女，胳膊上起疹子，痒，两天了", set(), SKIN),
    "pregnant and bleeding": Dialogue("我怀孕三个月，28岁，下面出血了", set(), set()),
    "high blood pressure": Dialogue(
        "我妈70岁，高血压好多年，这两天头晕", {"stroke_danger"}, HEART, {"dizzy_bp": "早上量的150/90"}
    ),
    "diabetes": Dialogue("我爸有糖尿病，58岁，最近老是口渴", set(), SUGAR, {"thirst_glucose": "空腹11.2"}),
    "signs of a stroke": Dialogue("我爷爷78岁，今天早上突然说话不清楚", set(), set()),
    "red eye": Dialogue("我20岁，男，右眼睛红，两天了", {"eye_danger"}, EYES, {"eye_itch": "眼屎多"}),
    "burning water": Dialogue("女，33岁，小便疼两天", set(), URINE),
    "low mood": Dialogue("我41岁，女，心情不好，一个多月了", {"low_mood_danger"}, MOOD),
    "headache": Dialogue("我50岁，男，头疼三天了", {"stroke_danger", "headache_danger"}, AIRWAYS | HEART),
    "knee": Dialogue("我妈63岁，膝盖疼半年了", set(), BACK | {"leg_swelling", "skin_red", "bruise", "cramp", "fat"}),
}  # fmt: skip


@cache
def played(name: str) -> tuple[list[Question], CaseFacts]:
    dialogue = DIALOGUES[name]
    return ask_all(PROVIDER, dialogue.first, dialogue.answer)


@pytest.fixture(params=DIALOGUES)
def name(request: pytest.FixtureRequest) -> str:
    """Each of the dialogues."""
    wanted: str = request.param
    return wanted


def test_the_danger_signs_of_the_complaint_are_asked_for_first(name: str) -> None:
    asked, _ = played(name)
    wanted = DIALOGUES[name].danger
    assert wanted <= {question.id for question in asked}
    first = [question.id for question in asked[: len(wanted)]]
    assert set(first) == wanted, first


def test_what_is_asked_besides_belongs_to_the_complaint(name: str) -> None:
    asked, _ = played(name)
    besides = {question.id for question in asked if STAGES[question.id] == "specific"}
    assert besides <= DIALOGUES[name].may, besides - DIALOGUES[name].may


def test_these_are_questions_that_there_are(name: str) -> None:
    assert DIALOGUES[name].danger | DIALOGUES[name].may <= set(STAGES)


def test_the_record_gets_what_it_needs(name: str) -> None:
    _, facts = played(name)
    assert facts.duration is not None
    assert facts.age_months is not None
    assert facts.diseases or Slot.PAST_HISTORY in facts.denies


def test_nobody_is_asked_more_than_eight(name: str) -> None:
    asked, _ = played(name)
    assert len(asked) <= 8


def test_a_usual_interview_has_four_to_six_questions() -> None:
    counts = {name: len(played(name)[0]) for name in DIALOGUES}
    assert 4 <= fmean(counts.values()) <= 6, counts
    assert sum(4 <= count <= 6 for count in counts.values()) >= len(counts) / 2, counts


def test_who_must_go_at_once_is_asked_only_what_the_record_needs() -> None:
    for name in ("signs of a stroke", "pregnant and bleeding"):
        assert not [question.id for question in played(name)[0] if STAGES[question.id] in ("measure", "specific")]


def test_no_child_is_asked_what_only_adults_have() -> None:
    for name in ("child with fever", "child with cough"):
        for question in played(name)[0]:
            assert not any(word in question.text for word in ("高血压", "怀孕", "胸口", "抽烟", "喝酒")), question.text
            assert question.text.startswith("孩子")


def test_a_measured_fever_is_not_asked_for_again() -> None:
    assert not any("发烧" in question.text for question in played("child with fever")[0])
