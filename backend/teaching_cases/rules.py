"""What a teaching case may be, and how a week and a year count. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from backend.clock import local
from backend.consultation.icd10 import normalise
from backend.consultation.rules import require_text
from backend.errors import InvalidInput

LONGEST_TITLE, LONGEST_SECTION, LONGEST_STEM, LONGEST_OPTION = 80, 10_000, 300, 100
MOST_CODES, MOST_QUESTIONS = 8, 5
FEWEST_OPTIONS, MOST_OPTIONS = 2, 5
RIGHT, WRONG = 2, 1
"""Points of a first answer."""

_MONDAY_NOON = timedelta(hours=12, minutes=30)


class CaseState(StrEnum):
    """Where a recommended case stands."""

    ASKED = "asked"  # the patient has not said yet whether they agree
    DECLINED = "declined"
    QUEUED = "queued"  # its text is about to be made anonymous
    DRAFT = "draft"
    PUBLISHED = "published"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The word people read."""
        return _STATES[self]

    @property
    def told(self) -> str:
        """What whoever recommends a case is told: what comes next, or where it has stood before."""
        return _TOLD.get(self, f"这一例推荐过了，现在是“{self.label}”。")


_STATES = {
    CaseState.ASKED: "等患者同意",
    CaseState.DECLINED: "患者不同意",
    CaseState.QUEUED: "正在整理",
    CaseState.DRAFT: "待审核",
    CaseState.PUBLISHED: "已发布",
    CaseState.REJECTED: "未采用",
    CaseState.WITHDRAWN: "已撤回",
}
_TOLD = {
    CaseState.ASKED: "推荐好了。先问患者同不同意，同意以后去掉身份信息，再由管理员审核。有结果告诉您。",
    CaseState.QUEUED: "推荐好了。去掉身份信息以后由管理员审核，有结果告诉您。",
    CaseState.PUBLISHED: "这一例已经在病例库里了。",
}


class Tag(StrEnum):
    """What a case is shown for."""

    RARE = "rare"
    MISDIAGNOSED = "misdiagnosed"
    EMERGENCY = "emergency"
    TYPICAL = "typical"

    @property
    def label(self) -> str:
        """The word people read."""
        return {"rare": "少见", "misdiagnosed": "曾误诊", "emergency": "急诊", "typical": "典型"}[self.value]


SECTIONS: Mapping[str, str] = {
    "personal": "一般情况",
    "chief_complaint": "主诉",
    "present_illness": "现病史",
    "past_history": "既往史",
    "allergy_history": "过敏史",
    "medication": "用药",
    "history": "其他病史",
    "findings": "查体和检查",
    "suspected": "基层初步诊断",
    "question": "会诊目的",
    "supplements": "补充资料",
    "reports": "影像报告",
    "diagnosis": "专家诊断",
    "plan": "治疗方案",
    "notes": "给基层医生的注意事项",
    "lesson": "点评",
}
"""The parts of a case, in the order in which they are read. The last is the reviewer's own."""


@dataclass(frozen=True)
class QuestionText:
    """A question as it is written: `right` is the position of the right option, counted from 0; `source` says where
    it can be read."""

    stem: str
    options: tuple[str, ...]
    right: int
    explanation: str
    source: str = ""


def checked_question(question: QuestionText) -> QuestionText:
    """Give a question without blanks around its texts.

    Raises:
        InvalidInput: something is missing or too long, options are the same, or the right one is none of them.
    """
    options = tuple(require_text(one, "选项", longest=LONGEST_OPTION) for one in question.options)
    if not FEWEST_OPTIONS <= len(options) <= MOST_OPTIONS:
        raise InvalidInput(f"每道题要有{FEWEST_OPTIONS}到{MOST_OPTIONS}个选项。")
    if len(set(options)) < len(options):
        raise InvalidInput("有两个选项一模一样，请改一个。")
    if not 0 <= question.right < len(options):
        raise InvalidInput("请选出正确的选项。")
    return QuestionText(
        require_text(question.stem, "题目", longest=LONGEST_STEM),
        options,
        question.right,
        require_text(question.explanation, "解析", longest=LONGEST_SECTION),
        require_text(question.source, "出处", longest=LONGEST_STEM, required=False),
    )


def checked_sections(sections: Mapping[str, str]) -> dict[str, str]:
    """Give the parts of a case that say something, in their order.

    Raises:
        InvalidInput: there is no such part, or one is too long.
    """
    unknown = sections.keys() - SECTIONS.keys()
    if unknown:
        raise InvalidInput("病例里没有这一部分。")
    checked = {
        key: require_text(sections[key], name, longest=LONGEST_SECTION, required=False)
        for key, name in SECTIONS.items()
        if key in sections
    }
    return {key: text for key, text in checked.items() if text}


def checked_codes(codes: Sequence[str]) -> tuple[str, ...]:
    """Give ICD-10 codes as they are compared, each once. Raises InvalidInput for what is none, or too many."""
    checked = tuple(dict.fromkeys(normalise(code) for code in codes if code.strip()))
    if len(checked) > MOST_CODES:
        raise InvalidInput(f"疾病编码最多{MOST_CODES}个。")
    return checked


def suggested_tags(suspected: str, diagnosed: str, *, is_emergency: bool) -> tuple[Tag, ...]:
    """Give the tags that the codes and the urgency speak for; a reviewer decides."""
    tags = []
    if suspected and diagnosed and suspected[:3] != diagnosed[:3]:
        tags.append(Tag.MISDIAGNOSED)
    if is_emergency:
        tags.append(Tag.EMERGENCY)
    return tuple(tags)


def points_of(is_right: bool) -> int:
    """Give what a first answer brings."""
    return RIGHT if is_right else WRONG


def year_of(moment: datetime) -> int:
    """Give the year that an answer counts in, as people in China count it."""
    return local(moment).year


def week_of(moment: datetime) -> str:
    """Give the week of a moment (ISO 8601, in China): "2026-W47"."""
    year, week, _ = local(moment).isocalendar()
    return f"{year}-W{week:02}"


def next_monday_noon(moment: datetime) -> datetime:
    """Give the first Monday 12:30 in China that is later than `moment`."""
    day = local(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = day - timedelta(days=day.weekday()) + _MONDAY_NOON
    return monday if monday > moment else monday + timedelta(days=7)
