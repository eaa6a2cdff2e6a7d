"""What is said of examinations: done or not, planned or asked about, normal or not, and what they showed."""

import re
from collections.abc import Iterable

from nlu.lexicon import Match
from nlu.normalise import Normalised
from nlu.types import Examination, ExaminationState

_CLAUSE_MARK = re.compile(r"[,。!?;]")
_REACH = 16
_FINDING_REACH = 40
_CLAUSE = re.compile(r",[^,。!?;]+")
_OPEN = re.compile(r"[吗么]$|是不是|会不会|要不要|怎么|什么|为啥|严重不|能不能|如何|咋")

_DO = "(?:做|查|拍|照|验|测|量|抽|去|检查|化验|复查|弄|搞)"
_NOT_DONE_BEFORE = re.compile(
    rf"(?:没有?|未|还没|不曾|从来没)(?:再|去|怎么|给|有|来得及|顾上)*{_DO}?(?:过|了|个|什么|任何|一下|这些)*[^,。!?;]{{0,2}}$"
)
_NOT_DONE_AFTER = re.compile(
    rf"^(?:检查|的)*(?:都|也|还|就)*(?:没有?|未)(?:有)?(?:去|再)?{_DO}|^(?:都|也|还)*没有?(?=$|[,。!;])"
)
_PLANNED_BEFORE = re.compile(
    rf"(?:准备|打算|预约|约了|约好|约个|等着|等|明天|后天|下周|下午|过几天|改天|安排|马上|正要|想去?|计划|医生(?:让|叫|说|建议|要求|给?开)[^,。!?;]{{0,4}}|"
    rf"让我|叫我|开了|要去?|去){{1,3}}(?:再|先|个|一次|的|重新)*{_DO}?(?:个|一个|下|一下|一次)*[^,。!?;]{{0,3}}$"
)
_ASKED_BEFORE = re.compile(
    r"(?:要不要|需不需要|用不用|能不能|可不可以|是否|是不是|有没有|需要|应该|该|可以|有必要|必须|还要|还用|做什么|哪些?|什么样?)[^,。!?;]{0,8}$"
)
_ASKED_AFTER = re.compile(
    r"^[^,。!?;]{0,10}(?:吗|么\b|嘛|呢\?|\?|多少钱|怎么做|哪里做|能查|可以查|能看出|看得出|查得出|有用|有必要|准不准|行不行|可以不|好不好)"
)
_DONE_BEFORE = re.compile(rf"{_DO}(?:了|过|完|出|的|出来)|结果|报告|刚刚?做|拿到|出来的")
_NORMAL = re.compile(
    r"^(?:(?:,|、|和|跟|及|与|以及)?※)*,?(?:检查|结果|报告|显示|提示|说|都|也|基本|完全|一切|大致|是|查了|做了|的|过|了){0,8}"
    r"(?:正常|没(?:有|什么|啥|大|查出|发现|看出|检查出){0,3}(?:大)?(?:问题|事|毛病|异常)?(?=$|[,。!;])|没问题|没事|"
    r"没有异常|未见(?:明显)?(?:异常)?|无(?:明显)?异常|阴性|良好|挺好|都好|还好|(?:也|都|还)?可以(?=$|[,。!;]))"
)
"""Of several that are listed (心电图和彩超都正常) each is normal."""
_ABNORMAL = re.compile(
    r"^[^。!?;]{0,12}?(?:异常|不正常|不好(?!意思)|不太好|有(?:点|些)?问题|阳性|偏高|偏低|偏快|偏慢|升高|降低|增高|超标|"
    r"高了|低了|增大|狭窄|堵)|^(?:检查|结果|报告|上|的|也|都|说|是|出来|出|了|做|医生|,|查){0,6}"
    r"(?:提示|显示|示|发现|说是|诊断|报告|查出|确诊|考虑|有)(?:是|有|为|了|:|,)*※"
)
_FINDING = re.compile(
    r"^[^。!?;]{0,6}?(?:提示|显示|示|发现|说是|诊断为?|报告说?|查出来?|说)(?:是|有|为|我|:|,)*(?P<finding>[^,。!?;]{2,})"
)


def find_examinations(
    source: Normalised, masked: str, matches: Iterable[Match], diseases: Iterable[Match]
) -> tuple[Examination, ...]:
    """The examinations that ``matches`` name, one each, with what is said of them.

    ``masked`` is the text with all matches blanked (``※``), so that no word of one colours another. The words after
    提示, 显示 … are kept as the finding: they are what a doctor reads in 辅助检查, as the patient told them. A finding
    goes on through the following clauses as long as each names one of ``diseases``.
    """
    found: dict[str, Examination] = {}
    beginnings = [disease.start for disease in diseases]
    for match in matches:
        examination = _examination(source, masked, match, beginnings)
        known = found.get(match.name)
        if known is None or _TELLING.index(examination.state) > _TELLING.index(known.state):
            found[match.name] = examination
    return tuple(found.values())


_TELLING = (
    ExaminationState.UNKNOWN,
    ExaminationState.PLANNED,
    ExaminationState.NOT_DONE,
    ExaminationState.DONE,
    ExaminationState.NORMAL,
    ExaminationState.ABNORMAL,
)
"""Of two mentions of one examination in a message the one that tells more counts."""


def _examination(source: Normalised, masked: str, match: Match, diseases: list[int]) -> Examination:
    before = _CLAUSE_MARK.split(masked[max(0, match.start - _REACH) : match.start])[-1]
    state = _state(before, masked[match.end : match.end + _REACH])
    finding = ""
    if state in (ExaminationState.DONE, ExaminationState.ABNORMAL):
        finding = _finding(source.text, match.end, diseases)
        state = ExaminationState.ABNORMAL if finding else state
    first, last = source.span(match.start, match.end)
    text = source.original[first:last]
    return Examination(name=match.name, text=text, state=state, finding=finding, start=first, end=last)


def _finding(text: str, end: int, diseases: list[int]) -> str:
    """What an examination that ends at ``end`` is said to have shown; empty where nothing, or only a question, is."""
    shown = _FINDING.match(text[end : end + _FINDING_REACH])
    if shown is None or _OPEN.search(shown.group("finding")):
        return ""
    start, stop = (end + offset for offset in shown.span("finding"))
    for clause in _CLAUSE.finditer(text, stop, end + _FINDING_REACH):
        if _OPEN.search(clause.group()) or not any(clause.start() <= one < clause.end() for one in diseases):
            break
        stop = clause.end()
    return text[start:stop].strip(" ,")


def _state(before: str, after: str) -> ExaminationState:
    """How an examination stands, from what precedes and follows it; named without a word about it, it was done."""
    if _NOT_DONE_BEFORE.search(before) or _NOT_DONE_AFTER.match(after):
        return ExaminationState.NOT_DONE
    done = _DONE_BEFORE.search(before) is not None or re.match(
        r"^(?:检查|都|也|是|已经)*(?:做|查|拍|照)(?:了|过)", after
    )
    if not done and (_ASKED_BEFORE.search(before) or _ASKED_AFTER.match(after)):
        return ExaminationState.UNKNOWN
    if not done and _PLANNED_BEFORE.search(before):
        return ExaminationState.PLANNED
    if _NORMAL.match(after):
        return ExaminationState.NORMAL
    if _ABNORMAL.match(after):
        return ExaminationState.ABNORMAL
    return ExaminationState.DONE
