"""Examinations: what was done, what it showed, what was not done, planned or merely asked about."""

from collections.abc import Callable

import pytest

from nlu.facts import CaseFacts
from nlu.summary import summarise
from nlu.types import ExaminationState, Understanding

Understand = Callable[..., Understanding]
DONE, NORMAL, ABNORMAL = ExaminationState.DONE, ExaminationState.NORMAL, ExaminationState.ABNORMAL
PLANNED, NOT_DONE, UNKNOWN = ExaminationState.PLANNED, ExaminationState.NOT_DONE, ExaminationState.UNKNOWN


@pytest.mark.parametrize(
    ("text", "name", "state"),
    [
        ("昨天做了心电图", "心电图", DONE),
        ("在县医院照了个胸片", "胸片", DONE),
        ("心电图做了", "心电图", DONE),
        ("去年做过胃镜", "胃镜", DONE),
        ("拍了ct，没事", "CT", NORMAL),
        ("血常规正常", "血常规", NORMAL),
        ("尿常规也没有问题", "尿常规", NORMAL),
        ("彩超未见异常", "彩超", NORMAL),
        ("血象白细胞偏高", "血常规", ABNORMAL),
        ("肝功能不正常", "肝功能", ABNORMAL),
        ("轉氨酶升高", "肝功能", ABNORMAL),
        ("大夫让我做核磁", "核磁共振", PLANNED),
        ("明天去做Ｂ超", "B超", PLANNED),
        ("约了下周做肠镜", "肠镜", PLANNED),
        ("没做过心电图", "心电图", NOT_DONE),
        ("胸片没拍", "胸片", NOT_DONE),
        ("还没有查血", "血液检查", NOT_DONE),
        ("要不要做个CT", "CT", UNKNOWN),
        ("需要查心电图吗", "心电图", UNKNOWN),
        ("做胃镜多少钱", "胃镜", UNKNOWN),
        ("24小时动态心电图做过了", "动态心电图", DONE),
    ],
)
def test_an_examination_and_how_it_stands(
    understand: Understand, text: str, name: str, state: ExaminationState
) -> None:
    assert [(found.name, found.state) for found in understand(text).examinations] == [(name, state)]


def test_several_examinations_of_one_message_stand_each_for_itself(understand: Understand) -> None:
    found = understand("心电图正常，CT没做，明天去抽血").examinations
    assert [(one.name, one.state) for one in found] == [("心电图", NORMAL), ("CT", NOT_DONE), ("血液检查", PLANNED)]


def test_what_an_examination_showed_is_kept_in_the_patients_words(understand: Understand) -> None:
    found = understand("心电图显示窦性心律不齐，T波改变，吃了三天药").examinations[0]
    assert (found.state, found.finding) == (ABNORMAL, "窦性心律不齐,t波改变")


def test_a_question_about_a_result_is_no_finding(understand: Understand) -> None:
    found = understand("心电图提示心肌缺血是不是冠心病").examinations[0]
    assert (found.state, found.finding) == (ABNORMAL, "")


@pytest.mark.parametrize("text", ["in fact I am fine", "connect", "mrs", "abct1"])
def test_letters_within_a_latin_word_are_no_examination(understand: Understand, text: str) -> None:
    assert understand(text).examinations == ()


def test_a_result_is_not_lost_when_the_examination_is_named_again(understand: Understand) -> None:
    facts = CaseFacts()
    for text in ("胸片正常", "就是昨天拍的胸片", "胸片还要拍吗"):
        facts = facts.merge(understand(text))
    assert [(one.name, one.state) for one in facts.examinations] == [("胸片", NORMAL)]


def test_what_is_said_later_of_an_examination_counts(understand: Understand) -> None:
    facts = CaseFacts().merge(understand("还没做心电图")).merge(understand("心电图正常"))
    assert facts.examinations[0].state is NORMAL


def test_the_record_tells_what_was_done_and_what_not(understand: Understand) -> None:
    facts = CaseFacts().merge(understand("咳嗽三天，胸片提示肺炎，血常规正常，CT没做，明天去抽血"))
    record = summarise(facts).present_illness
    assert "已查胸片示肺炎，血常规正常（自述）；未查CT；拟查血液检查。" in record


def test_an_examination_that_is_only_asked_about_is_not_in_the_record(understand: Understand) -> None:
    assert "胃镜" not in summarise(CaseFacts().merge(understand("胃疼两天，要不要做胃镜"))).as_text()


def test_an_entity_points_at_the_words_of_the_original(understand: Understand) -> None:
    text = "昨天做了ＣＴ，没事"
    entity = next(one for one in understand(text).entities if one.kind == "examination")
    assert (entity.value, text[entity.start : entity.end]) == ("CT", "ＣＴ")
